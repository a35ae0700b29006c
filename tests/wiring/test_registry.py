"""Meters by name: ours are listed, a stranger's come by entry point, and one that cannot be had says why."""

import sys
import tomllib
from pathlib import Path

import pytest

from wattermark.errors import PluginError
from wattermark.readers.rapl import RaplReader
from wattermark.wiring.registry import GROUP, ONLY_ON, OWN, reader_openers

WEB = ("redfish", "prometheus")
NODE = ("ipmi", *WEB)
HERE = [name for name in OWN if ONLY_ON.get(name, sys.platform) == sys.platform]
PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def test_our_own_table_is_that_of_the_entry_points():
    assert PROJECT["entry-points"][GROUP] == OWN


@pytest.mark.parametrize(
    ("system", "there"),
    [
        pytest.param(
            "linux",
            ["perf", "rapl", "nvml", "amd", "gaudi", "hwmon", "level_zero", "battery", *NODE, "load"],
            id="Linux",
        ),
        pytest.param("darwin", ["nvml", "apple", *WEB, "load"], id="macOS"),
        pytest.param("win32", ["nvml", "emi", *WEB, "load"], id="Windows"),
        pytest.param("freebsd14", ["nvml", *WEB, "load"], id="another"),
    ],
)
def test_those_that_a_system_can_have_are_offered_in_order(monkeypatch, system, there):
    monkeypatch.setattr("sys.platform", system)
    assert list(reader_openers()) == there


def test_what_another_system_has_is_not_even_imported(program):
    done = program(
        "import sys, wattermark.verbs.meters as meters\n"
        "from wattermark.readers.choose import choose\n"
        "choose(meters.candidates())\n"
        "print([name for name in sys.modules if name.endswith(('.apple', '.ioreport', '.emi', '.windows'))])"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_an_opener_opens_with_what_it_is_given(tmp_path):
    from fakes.tree import powercap_tree

    root = powercap_tree(tmp_path, {"intel-rapl:0": ("package-0", 5, 100)})
    reader = reader_openers()["rapl"](root)
    assert isinstance(reader, RaplReader)
    reader.close()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package with entry points on the path."""

    def put(package, points, code=""):
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}\n")
        (tmp_path / f"{package}.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)

    return put


def test_a_strangers_reader_is_found_by_its_variable(monkeypatch, install):
    install("wm_strange_a", "strange_a = wm_strange_a:Reader", "Reader = dict")
    monkeypatch.setenv("WATTERMARK_READERS", " strange_a, rapl,, ")
    openers = reader_openers()
    assert list(openers) == [*HERE, "strange_a"]
    assert openers["strange_a"](a=1) == {"a": 1}


def test_an_unknown_reader_is_told_with_those_there_are():
    known = ", ".join(OWN)
    with pytest.raises(PluginError, match=rf"no reader 'zebra' is installed\. Choose from: {known}"):
        reader_openers(("zebra",))["zebra"]()


def test_two_packages_that_offer_the_same_are_told(install):
    install("wm_strange_b", "twice = wm_strange_b:Reader")
    install("wm_strange_c", "twice = wm_strange_c:Reader")
    with pytest.raises(PluginError, match="two packages offer a reader 'twice'"):
        reader_openers(("twice",))["twice"]()


@pytest.mark.parametrize(
    ("package", "code", "says"),
    [
        pytest.param("wm_strange_d", "import not_there_at", "pip install not_there_at", id="an import"),
        pytest.param("wm_strange_e", "Other = dict", "strange", id="a name that the package has not"),
    ],
)  # fmt: skip
def test_a_package_that_cannot_be_used_is_told(install, package, code, says):
    install(package, f"strange = {package}:Reader", code)
    with pytest.raises(PluginError, match=says):
        reader_openers(("strange",))["strange"]()
