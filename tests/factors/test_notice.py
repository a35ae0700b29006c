"""NOTICE is made from the registry of sources, and ships with it."""

from pathlib import Path

from wattermark.factors.table import table

ROOT = Path(__file__).parents[2]


def test_every_source_that_we_ship_is_credited():
    notice = (ROOT / "NOTICE").read_text()
    shipped = [row for row in table("sources") if row["ship"] != "no" and row["id"] != "ours"]
    assert shipped
    assert [row["id"] for row in shipped if row["title"] not in notice] == []


def test_nothing_that_may_not_be_shipped_is_a_source_of_a_row():
    barred = {row["id"] for row in table("sources") if row["ship"] in ("no", "tests")}
    used = {
        source
        for path in (ROOT / "src/wattermark/factors/tables").glob("*.csv")
        if path.stem != "sources"
        for row in table(path.stem)
        for source in row["source"].split("+")
    }
    assert used & barred == set()
