"""Each part of the machine is metered once, and the reasons for the rest are kept."""

import pytest

from wattermark.errors import PluginError, ReaderUnavailable
from wattermark.readers.choose import choose
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel


class Meter:
    """A meter that covers what it is told to."""

    def __init__(self, *covers, counted=True):
        self.channels = [
            Channel(name=f"n/{i}", kind=Kind.COUNTER, part=Part.CPU, unit="uJ", covers=part, counted=counted)
            for i, part in enumerate(covers)
        ]
        self.closed = 0

    def read(self):
        return list(range(len(self.channels)))

    def period_s(self, interval_s):
        return interval_s

    def close(self):
        self.closed += 1


def refused():
    raise ReaderUnavailable("no meter", fix="Buy one")


def broken():
    raise PluginError("no such plug-in", fix="Install it")


@pytest.mark.parametrize(
    ("meters", "chosen", "reasons"),
    [
        pytest.param(
            {"a": lambda: Meter("cpu"), "b": lambda: Meter("gpu")}, ["a", "b"], {}, id="two kinds of hardware"
        ),
        pytest.param(
            {"a": lambda: Meter("cpu"), "b": lambda: Meter("cpu")},
            ["a"],
            {"b": "cpu is metered already"},
            id="the second one would count the CPU twice",
        ),
        pytest.param(
            {"a": lambda: Meter("cpu/package-0", "cpu/package-1"), "b": lambda: Meter("cpu")},
            ["a"],
            {"b": "cpu is metered already"},
            id="all packages, and then the CPU as a whole",
        ),
        pytest.param(
            {"a": lambda: Meter("cpu"), "b": lambda: Meter("cpu/package-0")},
            ["a"],
            {"b": "cpu/package-0 is metered already"},
            id="the CPU as a whole, and then a package",
        ),
        pytest.param(
            {"a": lambda: Meter("gpu/1"), "b": lambda: Meter("gpu/10")},
            ["a", "b"],
            {},
            id="names that begin alike",
        ),
        pytest.param(
            {"a": lambda: Meter("cpu"), "b": lambda: Meter("cpu", "gpu")},
            ["a", "b"],
            {},
            id="the second one adds the GPU",
        ),
        pytest.param(
            {"a": refused, "b": lambda: Meter("cpu")}, ["b"], {"a": "no meter"}, id="one that does not work"
        ),
        pytest.param(
            {"a": broken, "b": lambda: Meter("cpu")}, ["b"], {"a": "no such plug-in"}, id="no such plug-in"
        ),
        pytest.param(
            {"a": lambda: Meter("cpu"), "b": lambda: Meter("cpu", counted=False)},
            ["a", "b"],
            {},
            id="what is shown and not added takes no part",
        ),
        pytest.param({"a": lambda: Meter(""), "b": lambda: Meter("")}, ["a", "b"], {}, id="covering nothing"),
        pytest.param({}, [], {}, id="nothing at all"),
    ],
)
def test_each_part_once(meters, chosen, reasons):
    got = choose(meters)
    assert list(got.readers) == chosen
    assert {name: error.problem for name, error in got.skipped.items()} == reasons


def test_of_a_meter_only_what_no_other_meters_is_taken():
    whole = Meter("cpu", "gpu", "")
    rest = choose({"a": lambda: Meter("cpu"), "b": lambda: whole}).readers["b"]
    assert [channel.covers for channel in rest.channels] == ["gpu", ""]
    assert rest.read() == [1, 2]
    assert rest.period_s(5) == 5
    rest.close()
    assert whole.closed == 1


def test_the_one_that_is_not_needed_is_closed():
    second = Meter("cpu")
    choose({"a": lambda: Meter("cpu"), "b": lambda: second})
    assert second.closed == 1


@pytest.mark.parametrize(
    "fault", [OSError("no device"), RuntimeError("driver"), AttributeError("old driver")]
)
def test_a_strangers_reader_that_breaks_takes_no_other_along(fault):
    def breaks():
        raise fault

    got = choose({"strange": breaks, "own": lambda: Meter("cpu")})
    assert list(got.readers) == ["own"]
    assert str(fault) in got.skipped["strange"].problem
