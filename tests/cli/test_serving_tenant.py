"""``wattermark serving tenant``: the name of a key, which is never said again."""

import json
import os
import subprocess
import sys

import pytest

from wattermark.verbs.serving.tenants import tenants_of

KEY = "sk-secret-1"


@pytest.fixture
def tenant(home, tmp_path):
    def run(*words, stdin=b""):
        return subprocess.run(
            [sys.executable, "-m", "wattermark", "serving", "tenant", *words],
            env=home, input=stdin, capture_output=True, check=False, cwd=tmp_path,
        )  # fmt: skip

    return run


@pytest.mark.parametrize("stdin", [KEY, f"{KEY}\n", f"  {KEY}\r\nanother line\n"])
def test_a_key_has_the_name_that_its_requests_have(tenant, tmp_path, stdin):
    name = tenants_of(tmp_path / "runs").of({"authorization": f"Bearer {KEY}"})
    done = tenant(stdin=stdin.encode())
    assert (done.returncode, done.stdout.decode().strip(), done.stderr) == (0, name, b"")
    assert json.loads(tenant("--json", stdin=stdin.encode()).stdout) == {"schema": 1, "tenant": name}


@pytest.mark.parametrize("words", [(KEY,), (KEY, "--json"), ("--", KEY)])
def test_a_key_on_the_command_line_is_refused_and_not_said_again(tenant, words):
    done = tenant(*words)
    assert done.returncode == 2
    assert b"seen by everybody" in done.stderr
    assert KEY.encode() not in done.stderr + done.stdout


def test_a_ledger_without_tenants_is_not_given_a_salt(tenant, tmp_path):
    (tmp_path / "runs").mkdir()
    done = tenant(stdin=KEY.encode())
    assert (done.returncode, os.listdir(tmp_path / "runs")) == (2, [])
    assert b"holds no requests of tenants" in done.stderr


@pytest.mark.parametrize("stdin", [b"", b"\n", b"   \n"])
def test_no_key_is_said(tenant, tmp_path, stdin):
    tenants_of(tmp_path / "runs")
    done = tenant(stdin=stdin)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no key was given" in done.stderr


def test_bytes_that_are_no_text_have_a_name(tenant, tmp_path):
    tenants_of(tmp_path / "runs")
    assert tenant(stdin=b"\xff\xfe\n").stdout.startswith(b"t-")
