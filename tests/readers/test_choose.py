"""Each part of the machine is metered once, and the reasons for the rest are kept."""

import pytest

from wattermark.errors import PluginError, ReaderUnavailable, UsageError
from wattermark.readers.choose import choose
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel


class Meter:
    """A meter that covers what it is told to."""

    def __init__(self, *covers, counted=True, kind=Kind.COUNTER):
        self.channels = [
            Channel(name=f"n/{i}", kind=kind, part=Part.CPU, unit="uJ", covers=part, counted=counted)
            for i, part in enumerate(covers)
        ]
        self.closed = 0

    def period_s(self, interval_s):
        return interval_s / 2

    def read(self):
        return [7 * (i + 1) for i, _ in enumerate(self.channels)]

    def close(self):
        self.closed += 1


def sampled(*covers):
    return Meter(*covers, kind=Kind.POWER)


def refused():
    raise ReaderUnavailable("no meter", fix="Buy one")


def misread():
    raise UsageError("an odd setting", fix="Mend it")


def broken():
    raise PluginError("no such plug-in", fix="Install it")


@pytest.mark.parametrize(
    ("meters", "chosen", "reasons"),
    [
        pytest.param(
            {"a": lambda: Meter("cpu"), "b": lambda: Meter("gpu")}, ["a", "b"], {}, id="two kinds of hardware"
        ),
        pytest.param(
            {"a": lambda: sampled("cpu", "gpu"), "b": lambda: sampled("gpu", "cpu")},
            ["a"],
            {"b": "cpu, gpu is metered already"},
            id="the second one would count both twice",
        ),
        pytest.param(
            {"a": lambda: sampled("cpu"), "b": lambda: sampled("cpu", "gpu"), "c": lambda: sampled("gpu")},
            ["a", "b"],
            {"c": "gpu is metered already"},
            id="the second one has a part of its own, which the third one would count again",
        ),
        pytest.param(
            {"a": lambda: Meter("gpu"), "b": lambda: sampled("gpu")},
            ["a", "b"],
            {},
            id="the power of what is counted is a witness",
        ),
        pytest.param(
            {"a": lambda: sampled("gpu"), "b": lambda: sampled("gpu")},
            ["a"],
            {"b": "gpu is metered already"},
            id="a power beside a power is none: two moments cannot be held against each other",
        ),
        pytest.param(
            {"a": lambda: Meter("cpu"), "b": lambda: Meter("cpu")},
            ["a", "b"],
            {},
            id="a second counter is held against the first",
        ),
        pytest.param(
            {"a": lambda: Meter("n/package-0"), "b": lambda: Meter("n/package-0-die-0", "n/package-0-die-1")},
            ["a"],
            {"b": "n/package-0-die-0, n/package-0-die-1 is metered already"},
            id="the second one would count the dies of a socket again",
        ),
        pytest.param(
            {"a": lambda: sampled("cpu"), "b": lambda: Meter("gpu"), "c": lambda: sampled("cpu")},
            ["a", "b"],
            {"c": "cpu is metered already"},
            id="another one between them",
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
            {"a": misread, "b": lambda: Meter("cpu")},
            ["b"],
            {"a": "an odd setting"},
            id="a setting that is odd",
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


def test_only_what_is_metered_already_is_left_out():
    second = Meter("cpu", "", "gpu")
    got = choose({"a": lambda: Meter("cpu"), "b": lambda: second}).readers["b"]
    assert [(c.name, c.covers, c.counted) for c in got.channels] == [
        ("n/0", "cpu", False),
        ("n/1", "", True),
        ("n/2", "gpu", True),
    ]
    assert (got.read(), got.period_s(3)) == ([7, 14, 21], 1.5)
    got.close()
    assert second.closed == 1


def test_what_is_not_added_takes_nothing_from_a_reader_after_it():
    got = choose({"a": lambda: Meter("gpu", counted=False), "b": lambda: Meter("gpu")})
    assert [[c.counted for c in reader.channels] for reader in got.readers.values()] == [[False], [True]]


@pytest.mark.parametrize(
    ("first", "second", "counted"),
    [
        pytest.param(Meter("cpu"), Meter("cpu"), [False], id="a second counter of one part"),
        pytest.param(Meter("cpu"), Meter("cpu", "dram"), [False, True], id="what only the second meters"),
        pytest.param(Meter("cpu"), sampled("gpu", "cpu"), [True, False], id="a power meter of a new part"),
        pytest.param(
            Meter("cpu/package-0"), Meter("cpu/package-0-die-1", "cpu/package-10"), [False, True],
            id="a die of the same socket, and another socket",
        ),
        pytest.param(
            Meter("n/package-0-die-0", "n/package-0-die-1"), Meter("n/package-0", "dram"), [False, True],
            id="the socket of two dies",
        ),
    ],
)  # fmt: skip
def test_what_is_metered_already_is_read_on_and_not_added(first, second, counted):
    reader = choose({"a": lambda: first, "b": lambda: second}).readers["b"]
    assert [channel.counted for channel in reader.channels] == counted
    assert [channel.covers for channel in reader.channels] == [channel.covers for channel in second.channels]
    reader.close()
    assert second.closed == 1


def test_the_one_that_is_not_needed_is_closed():
    second = sampled("cpu")
    choose({"a": lambda: sampled("cpu"), "b": lambda: second})
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
