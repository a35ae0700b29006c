"""Providers by name: ours are listed, each with its settings; a stranger's come by entry point."""

import tomllib
from pathlib import Path

import pytest

from wattermark.errors import PluginError, UsageError
from wattermark.wiring.config import load_config
from wattermark.wiring.providers import GROUP, NEEDS, OWN, TAKES, Wanted, build, wanted

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
EVERYTHING = {
    "electricity_maps_key": "key-of-1", "watttime_user": "ada", "watttime_password": "word-of-2",
    "carbon_aware_sdk_url": "http://127.0.0.1:5073", "entsoe_key": "key-of-3", "eia_key": "key-of-4",
}  # fmt: skip


def test_our_own_table_is_that_of_the_entry_points():
    assert PROJECT["entry-points"][GROUP] == OWN
    assert set(NEEDS) | set(TAKES) <= set(OWN)


@pytest.mark.parametrize("name", OWN)
def test_each_of_ours_is_built_with_what_it_needs_and_tells_no_secret(name):
    provider = build(name, load_config(EVERYTHING))
    assert provider.name == name
    assert provider.signals
    assert not [word for word in EVERYTHING.values() if word in repr(provider)]


@pytest.mark.parametrize("name", [name for name in OWN if NEEDS.get(name)])
def test_what_is_missing_is_named_with_the_way_to_set_it(name):
    with pytest.raises(UsageError) as caught:
        build(name, load_config())
    missing = NEEDS[name][0]
    assert f"{name} needs {missing}" in caught.value.problem
    assert f"wattermark config set {missing}" in caught.value.fix
    assert f"WATTERMARK_{missing.upper()}" in caught.value.fix


def test_an_address_may_be_another(monkeypatch):
    monkeypatch.setenv("WATTERMARK_UK_URL", "http://127.0.0.1:1/v0/")
    assert build("uk", load_config())._address == "http://127.0.0.1:1/v0"
    monkeypatch.setenv("WATTERMARK_UK_URL", "nowhere")
    with pytest.raises(UsageError, match="WATTERMARK_UK_URL is no address"):
        build("uk", load_config())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param(None, (), id="nobody"),
        pytest.param("uk", (Wanted("uk"),), id="one"),
        pytest.param(" uk ,, watttime,", (Wanted("uk"), Wanted("watttime")), id="two, in order"),
        pytest.param("electricity_maps=DE", (Wanted("electricity_maps", "DE"),), id="with a zone"),
        pytest.param("uk = 13 @ aws:eu-west-2", (Wanted("uk", "13", "aws:eu-west-2"),), id="of one place"),
        pytest.param(["uk", "mine"], (Wanted("uk"), Wanted("mine")), id="a list in a file"),
    ],
)
def test_who_is_wanted(text, read):
    assert wanted(load_config({"signals": text})) == read


@pytest.mark.parametrize("text", ["=DE", "uk=", "uk=13@", "uk, =x"])
def test_a_word_that_cannot_be_meant_is_named(text):
    with pytest.raises(UsageError, match=r"signals holds .*option.*Write providers with commas"):
        wanted(load_config({"signals": text}))


def test_a_slip_is_told_with_those_there_are():
    with pytest.raises(PluginError, match=f"no provider 'zebra' is installed. Choose from: {', '.join(OWN)}"):
        build("zebra", load_config())


def test_a_strangers_provider_comes_by_entry_point(tmp_path, monkeypatch):
    info = tmp_path / "wm_strange_signals-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wm_strange_signals\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nstrange = wm_strange_signals:Provider\n")
    (tmp_path / "wm_strange_signals.py").write_text("Provider = dict")
    monkeypatch.syspath_prepend(tmp_path)
    assert build("strange", load_config()) == {}
