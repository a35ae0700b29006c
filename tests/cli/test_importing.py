"""``wattermark import``: what a user sees."""

import json

from cli.test_cli import wm
from serving.imports import exports


def test_an_export_is_taken_in_and_a_second_time_refused(home, tmp_path):
    path = exports.written(tmp_path, "litellm")
    told = json.loads(wm(home, "import", str(path), "--json").stdout)["imported"][0]
    assert (told["format"], told["requests"], told["failed"]) == ("litellm", 3, 1)
    again = wm(home, "import", str(path))
    assert again.returncode == 2
    assert "is in the ledger as" in again.stderr


def test_what_was_taken_is_told_though_the_next_file_is_none(home, tmp_path):
    path = exports.written(tmp_path, "litellm")
    done = wm(home, "import", str(path), str(tmp_path / "none.csv"), "--json")
    assert done.returncode == 2 and "none.csv cannot be read" in done.stderr
    assert [one["file"] for one in json.loads(done.stdout)["imported"]] == [path.name]
