"""Settings: the strongest place that names one wins, each knows where it came from, and none is nonsense."""

import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.errors import UsageError
from wattermark.wiring.checks import check_number
from wattermark.wiring.config import (
    PROJECT_FILE,
    SETTINGS,
    Config,
    forget,
    keep,
    load_config,
    user_file,
)


def users(text):
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_text(text)


def projects(text):
    Path(PROJECT_FILE).write_text(text)


@pytest.mark.parametrize(
    ("option", "variable", "project", "user", "expected", "origin"),
    [
        pytest.param(None, None, None, None, None, "default", id="nobody says"),
        pytest.param(None, None, None, 1.1, 1.1, "config.toml", id="the user's file"),
        pytest.param(None, None, 1.2, 1.1, 1.2, "wattermark.toml", id="the project's file before the user's"),
        pytest.param(None, "1.3", 1.2, 1.1, 1.3, "WATTERMARK_PUE", id="the variable before any file"),
        pytest.param(1.4, "1.3", 1.2, 1.1, 1.4, "option", id="the option before all"),
        pytest.param(None, "", 1.2, None, 1.2, "wattermark.toml", id="an empty variable says nothing"),
    ],
)
def test_the_strongest_place_wins_and_is_named(  # noqa: PLR0917
    monkeypatch, option, variable, project, user, expected, origin
):
    if user is not None:
        users(f"pue = {user}")
    if project is not None:
        projects(f"pue = {project}")
    if variable is not None:
        monkeypatch.setenv("WATTERMARK_PUE", variable)
    config = load_config({"pue": option})
    assert config.pue == expected
    assert config.origin["pue"].endswith(origin)
    assert set(config.origin) == set(SETTINGS)


def test_settings_of_several_places_come_together(monkeypatch):
    users('place = "deu"\npue = 1.1')
    projects("pue = 1.2\ninterval = 5")
    monkeypatch.setenv("WATTERMARK_SCOPE", "machine")
    config = load_config({"wue": 0.5})
    got = (config.place, config.pue, config.interval, config.scope, config.wue)
    assert got == ("deu", 1.2, 5.0, "machine", 0.5)


def test_without_any_setting_the_defaults_hold():
    expected = {**asdict(Config()), "origin": dict.fromkeys(SETTINGS, "default")}
    assert asdict(load_config()) == expected


GOOD = [
    ("pue", "1.0", 1.0), ("pue", 1, 1.0), ("wue", "0", 0.0), ("interval", "0.01", 0.01),
    ("interval", 3600, 3600.0),
    ("scope", "machine", "machine"), ("place", " deu ", "deu"), ("equivalents", "Yes", True),
    ("equivalents", False, False), ("market_intensity", "0", 0.0), ("ledger", "runs", "runs"),
    ("signals", "uk, watttime", "uk, watttime"), ("signals", ["uk", "watttime"], "uk, watttime"),
    ("signals_basis", "direct", "direct"), ("signals_patience", "3", 3.0), ("eia_key", " abc ", "abc"),
    ("carbon_aware_sdk_url", "http://127.0.0.1:5073/", "http://127.0.0.1:5073"),
]  # fmt: skip
BAD = [
    ("pue", -1), ("pue", 0.5), ("pue", "nan"), ("pue", "abc"), ("pue", "inf"), ("pue", 1e9), ("pue", True),
    ("pue", [1.2]), ("wue", -3), ("wue", "nan"), ("wue", "-0.1"), ("interval", 0), ("interval", -1),
    ("interval", "nan"), ("interval", "banana"), ("interval", "inf"), ("interval", 0.001), ("scope", "x"),
    ("scope", "Process "), ("place", ""), ("place", 7), ("ledger", " "), ("ledger", 7),
    ("equivalents", "perhaps"), ("market_intensity", -5), ("market_intensity", "green"),
    ("signals", 7), ("signals", [1]), ("signals_basis", "marginal"), ("signals_patience", 0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "meant"), GOOD)
def test_what_can_be_meant_is_taken(name, value, meant):
    assert getattr(load_config({name: value}), name) == meant


@pytest.mark.parametrize(("name", "value"), BAD)
def test_what_cannot_be_meant_is_named_with_its_value_and_a_way_out(name, value):
    with pytest.raises(UsageError) as caught:
        load_config({name: value})
    assert caught.value.problem.startswith(f"{name} is {value!r}")
    assert caught.value.fix
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, v in BAD if isinstance(v, str) and v])
def test_a_variable_that_cannot_be_meant_is_named(monkeypatch, name, value):
    monkeypatch.setenv(SETTINGS[name].variable, value)
    with pytest.raises(UsageError, match=SETTINGS[name].variable):
        load_config()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("pue = 0.5", "pue in wattermark.toml is 0.5", id="a value"),
        pytest.param("pue = nan", "pue in wattermark.toml is nan", id="TOML knows nan"),
        pytest.param('scope = "x"', "scope in wattermark.toml is 'x'", id="a word"),
        pytest.param("poe = 1.2", r"no setting 'poe' .in wattermark.toml.. Did you mean pue\?", id="a slip"),
        pytest.param("intervall = 1", r"Did you mean interval\?", id="one letter too many"),
        pytest.param("zebra = 1", "no setting 'zebra'.*Settings are: place, pue", id="nothing near"),
        pytest.param("[pue]\nvalue = 1.2", "pue in wattermark.toml is {'value': 1.2}", id="a table"),
        pytest.param("pue = = 1", "wattermark.toml is not TOML", id="broken TOML"),
        pytest.param("pue = 1\npue = 2", "wattermark.toml is not TOML", id="said twice"),
        pytest.param("pue = " + "[" * 5000, "wattermark.toml is not TOML", id="nested without end"),
    ],
)
def test_a_file_that_cannot_be_meant_is_named(text, says):
    projects(text)
    with pytest.raises(UsageError, match=says):
        load_config()


def test_a_file_in_another_encoding_is_named():
    Path(PROJECT_FILE).write_bytes(b'place = "\xfc"')
    with pytest.raises(UsageError, match=r"wattermark\.toml is not TOML"):
        load_config()


def test_a_folder_in_place_of_the_file_is_passed_over():
    Path(PROJECT_FILE).mkdir()
    assert load_config().pue is None


@given(st.floats() | st.text() | st.integers() | st.none() | st.booleans() | st.lists(st.integers()))
def test_a_number_is_within_its_ends_or_refused(value):
    try:
        assert 1 <= check_number(1, 5, "so")("x", value) <= 5
    except UsageError as error:
        assert "x is" in error.problem


# -- the user's file --------------------------------------------------------


def test_keeping_a_setting_leaves_comments_and_others_alone():
    users("# mine\npue = 1.1  # measured in May\n\n# where\nplace = 'deu'\n")
    assert keep("pue", "1.3") == user_file()
    assert user_file().read_text() == "# mine\npue = 1.3  # measured in May\n\n# where\nplace = 'deu'\n"


def test_keeping_makes_the_file_and_it_is_read_again():
    keep("interval", "2")
    keep("equivalents", "yes")
    config = load_config()
    assert (config.interval, config.equivalents) == (2.0, True)
    assert config.origin["interval"] == str(user_file())


def test_forgetting_takes_one_setting_out():
    users("# mine\npue = 1.1\nplace = 'deu'\n")
    forget("pue")
    forget("wue")
    assert user_file().read_text() == "# mine\nplace = 'deu'\n"


def test_forgetting_without_a_file_makes_none():
    assert not forget("pue").exists()


@pytest.mark.parametrize(
    ("act", "says"),
    [
        pytest.param(lambda: keep("pue", "0.5"), "pue is '0.5'", id="a bad value"),
        pytest.param(lambda: keep("poe", "1"), r"Did you mean pue\?", id="a slip"),
        pytest.param(lambda: forget("poe"), r"Did you mean pue\?", id="a slip when forgetting"),
    ],
)
def test_what_cannot_be_meant_is_not_kept(act, says):
    with pytest.raises(UsageError, match=says):
        act()
    assert not user_file().exists()


@pytest.mark.parametrize("act", [lambda: keep("pue", "1.2"), lambda: forget("pue")], ids=["keep", "forget"])
def test_a_broken_file_is_not_overwritten(act):
    users("pue = = 1")
    with pytest.raises(UsageError, match="cannot be changed"):
        act()
    assert user_file().read_text() == "pue = = 1"


def test_a_home_that_is_a_file_cannot_keep_anything(folder):
    (folder / "home").write_text("")
    with pytest.raises(UsageError, match="cannot be changed"):
        keep("pue", "1.2")


# -- secrets ---------------------------------------------------------------------------

SECRET = "k-3y-n0body-tells"


@pytest.mark.parametrize("name", [one.name for one in SETTINGS.values() if one.secret])
@pytest.mark.parametrize("bad", [f"{SECRET}\n{SECRET}", f"{SECRET}\u00fc", [SECRET], {"a": SECRET}])
def test_an_error_does_not_tell_a_secret(name, bad):
    with pytest.raises(UsageError) as caught:
        load_config({name: bad})
    assert name in str(caught.value)
    assert SECRET not in str(caught.value)


def test_nothing_shows_a_secret_but_who_asks_for_it(monkeypatch):
    monkeypatch.setenv("WATTERMARK_EIA_KEY", SECRET)
    config = load_config({"electricity_maps_key": SECRET})
    assert SECRET not in repr(config) + str(config)
    assert (config.eia_key, config.electricity_maps_key) == (SECRET, SECRET)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are otherwise there")
def test_a_file_with_a_secret_is_for_its_owner_only():
    keep("pue", "1.2")
    keep("eia_key", SECRET)
    assert user_file().stat().st_mode & 0o777 == 0o600
    keep("pue", "1.3")
    assert user_file().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("address", ["ftp://host", "host:80", "https://ada:lovelace@host", "", 7])
def test_an_address_is_one_of_the_web_without_a_password(address):
    with pytest.raises(UsageError, match="carbon_aware_sdk_url") as caught:
        load_config({"carbon_aware_sdk_url": address})
    assert "lovelace" not in str(caught.value)
