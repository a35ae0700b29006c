"""``wattermark signals`` as a person and as a program reads it; and what no output tells."""

import json
import re
import time

import pytest

from fakes.providers import ElectricityMapsStand, UkStand
from fakes.web import Page
from wattermark.cli.main import main

SECRET = ElectricityMapsStand.key


@pytest.fixture(autouse=True)
def _alone(ledger, monkeypatch):
    """Neither the user's settings nor what they keep is seen."""
    monkeypatch.setenv("WATTERMARK_SIGNALS_PATIENCE", "2")


@pytest.fixture
def uk(monkeypatch):
    with UkStand(time.time()) as stand:
        monkeypatch.setenv("WATTERMARK_UK_URL", stand.address)
        monkeypatch.setenv("WATTERMARK_SIGNALS", "uk")
        yield stand


@pytest.fixture
def maps(monkeypatch):
    with ElectricityMapsStand(time.time()) as stand:
        monkeypatch.setenv("WATTERMARK_ELECTRICITY_MAPS_URL", stand.address)
        monkeypatch.setenv("WATTERMARK_ELECTRICITY_MAPS_KEY", stand.key)
        monkeypatch.setenv("WATTERMARK_SIGNALS", "electricity_maps")
        yield stand


@pytest.fixture
def say(capsys):
    def run(*words, code=0):
        assert main(words) == code
        out, err = capsys.readouterr()
        return out + err

    return run


def test_without_a_provider_it_says_how_to_set_one(say):
    said = " ".join(say("signals", "--place", "deu").split())
    assert "signals at DEU (Germany)" in said
    assert "No provider is set, and nobody is asked" in said
    assert "wattermark config set signals uk" in said


def test_a_table_of_what_is_set(say, uk):
    said = say("signals", "--place", "gbr")
    (row,) = [line for line in said.splitlines() if line.startswith("carbon")]
    assert re.fullmatch(r"carbon, direct +uk national +\d+ g/kWh +0 min +[\d.]+ d +not known", row)


def test_a_document_of_it(say, uk):
    document = json.loads(say("signals", "--place", "gbr", "--json"))
    (signal,) = document["signals"]
    assert (document["schema"], document["place"]["resolved"], document["providers"]) == (1, "GBR", ["uk"])
    assert (signal["signal"], signal["unit"], signal["basis"]) == ("carbon", "g/kWh", "direct")
    assert 100 <= signal["now"] <= 330
    assert len(signal["edges_s"]) == len(signal["values"]) + 1
    assert signal["flags"] == []


def test_fetch_asks_though_it_is_fresh(say, uk):
    say("signals", "--place", "gbr")
    say("signals", "--place", "gbr")
    assert len(uk.asked) == 1
    say("signals", "--place", "gbr", "--fetch")
    assert len(uk.asked) == 2


def test_who_is_silent_is_told_beside_the_table(say, uk):
    uk.faults = [Page("", 403)] * 9
    said = say("signals", "--place", "gbr")
    assert "uk, carbon: unavailable: uk answers 403" in said


def test_another_place_than_theirs(say, uk):
    assert "it is not known what uk calls FRA" in " ".join(say("signals", "--place", "fra").split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["--place", "atlantis"], "the place 'atlantis' is not known", id="no such place"),
        pytest.param(["--plaice", "deu"], "unrecognized arguments", id="no such option"),
    ],
)
def test_what_cannot_be_meant(say, words, says):
    assert says in say("signals", *words, code=2)


def test_a_missing_key_is_told_with_how_to_set_it(say, monkeypatch):
    monkeypatch.setenv("WATTERMARK_SIGNALS", "electricity_maps")
    said = say("signals", "--place", "deu", code=2)
    assert "electricity_maps needs electricity_maps_key. Run: wattermark config set" in said


# -- secrets ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["config"],
        ["config", "--json"],
        ["signals", "--place", "deu"],
        ["signals", "--place", "deu", "--json"],
    ],
    ids=" ".join,
)
def test_no_output_tells_a_secret(say, maps, words):
    assert SECRET not in say(*words)


def test_config_says_that_a_secret_is_set_and_where(say, maps):
    (row,) = [line.split() for line in say("config").splitlines() if line.startswith("electricity_maps_key")]
    assert row == ["electricity_maps_key", "(set)", "WATTERMARK_ELECTRICITY_MAPS_KEY"]
    assert json.loads(say("config", "--json"))["settings"]["electricity_maps_key"]["value"] == "(set)"


def test_a_provider_that_tells_the_key_back_is_not_repeated(say, maps):
    maps.faults = [Page(f'{{"message": "Invalid token {SECRET}, or {SECRET[:4]}"}}', 401)] * 9
    said = " ".join(say("signals", "--place", "deu").split())
    assert "answers 401: Invalid token ***" in said
    assert SECRET not in said


def test_a_secret_comes_from_stdin_and_is_kept_unseen(say, monkeypatch, tmp_path):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    assert SECRET not in say("config", "set", "electricity_maps_key", "-")
    from wattermark.wiring.config import load_config, user_file

    assert load_config().electricity_maps_key == SECRET
    assert SECRET in user_file().read_text()
    assert SECRET not in say("config") + say("config", "--json")


@pytest.mark.parametrize("value", [f"{SECRET}\n{SECRET}", f"{SECRET}\u00fc"])
def test_a_secret_that_cannot_be_one_is_not_told(say, value):
    assert SECRET not in say("config", "set", "electricity_maps_key", value, code=2)


PLAN = ("plan", "--energy", "1kWh", "--hours", "8", "--within", "48h", "--places", "gbr")


def nothing_in(part):
    def mangle(entries, stand):
        for entry in entries[part]:
            stand.put(entry, None)
        return entries

    return mangle


def test_who_tells_no_value_at_all_told_nothing(say, uk):
    uk.mangle = nothing_in(slice(None))
    plan = json.loads(say(*PLAN, "--json"))["plan"]
    told = {one["source"]: one["told"] for one in plan["heard"] if one["signal"] == "carbon"}
    assert told == {"Carbon Intensity API, national": False, "hours of a usual year": False}
    assert any(flag.startswith("gaps:") for flag in plan["flags"])


def test_no_plan_on_a_hole_and_it_says_why(say, uk):
    uk.mangle = nothing_in(slice(50, 60))
    said = say(*PLAN, code=1)
    assert "is not known for all of a start now" in said
    assert "gaps: " in said
