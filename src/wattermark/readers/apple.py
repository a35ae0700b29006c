"""Apple silicon by the counters of its power manager, through IOReport, which asks for no root.

They are the chip's own estimate, from what its blocks do, and count since it booted. Channels nest: ``CPU
Energy`` holds its clusters, their cores and memories, and ``GPU Energy`` the GPU's SRAM, so that only
totals are read, and of a block only the widest name: a die's channel is not added to the whole chip's.

CPU, neural engine and DRAM are published by the power manager together: every 0.4 to 2.2 s on most chips,
every half hour on one that was seen without a display. The GPU's own driver publishes at each look.
Between two publications a counter stands still though the chip draws power. So a look that finds nothing
new is no answer until the first publication, and again where none came for long: what was used is in the
next one.

References: macmon (``sources.rs``); zeus-apple-silicon (``apple_energy.hpp``, and the channels of M1 Max
to M4 Pro in its tests); all-smi (``ioreport/energy.rs``: channels and publications recorded on an M1
Ultra, an M5 Max and an M5 Ultra, where ``GPU0_0`` and ``GPU SRAM0_0`` add up to ``GPU Energy``).
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wattermark.errors import ReaderAbsent
from wattermark.readers.ioreport import EnergyModel
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel
from wattermark.values.units import WRAP_64

LIBRARIES = (
    "/usr/lib/libIOReport.dylib",
    "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation",
)
UNITS = ("nJ", "uJ", "mJ", "J")
MOST_W = 1000.0
STALE_S = 5.0  # longer than any usual publication takes


@dataclass(frozen=True, slots=True)
class _Block:
    """A part of the chip: names that its channels may have, the widest first."""

    part: Part
    names: tuple[str, ...]
    refresh_s: float = 2.2
    may_rest: bool = False  # a counter at zero was never used; else it is not kept


GPU = _Block(Part.GPU, (r"GPU Energy",), refresh_s=0.25)
BLOCKS = (
    _Block(Part.CPU, (r"CPU Energy", r"DIE_\d+_CPU Energy")),
    GPU,
    _Block(Part.GPU, (r"ANE", r"ANE\d+", r"ANE\d+_\d+"), may_rest=True),
    _Block(Part.DRAM, (r"DRAM", r"DRAM\d+", r"DRAM\d+_\d+")),
)


class AppleReader:
    """One counter for each total: CPU, GPU, neural engine, DRAM; of each die where dies are told apart.

    Parameters
    ----------
    libraries : tuple of str, optional
        IOReport and Core Foundation; those of macOS by default.
    clock : callable, optional
        The steady clock. [s]

    Raises
    ------
    ReaderUnavailable
        If this is no Mac, or its chip tells no energy (Intel's do not).
    """

    def __init__(
        self, libraries: tuple[str, str] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if libraries is None and sys.platform != "darwin":
            raise ReaderAbsent("this is no Mac", fix="Nothing to do")
        self._model = EnergyModel(libraries or LIBRARIES)
        units = self._model.subscribe(blocks_of)
        shown = self._model.values()
        self._blocks = {
            name: block
            for name, block in blocks_of(units).items()
            if block.may_rest or shown.get(name, 0) > 0
        }
        if all(block.may_rest for block in self._blocks.values()):
            self._model.close()
            raise ReaderAbsent(
                "this Mac's chip tells no energy", fix="Nothing to do: only Apple silicon does"
            )
        self.channels: Sequence[Channel] = [
            _channel(name, block, units[name]) for name, block in self._blocks.items()
        ]
        self._published = _Published(clock)

    def period_s(self, interval_s: float) -> float:
        """The user's interval: these are counters. [s]"""
        return interval_s

    def read(self) -> Sequence[int | None]:
        """What each counter shows, in its own unit; None where it told nothing new for long."""
        shown = self._model.values()
        fresh = self._published.at_a_look(
            tuple(shown.get(name) for name, block in self._blocks.items() if block is not GPU)
        )
        return [
            _folded(shown.get(name)) if fresh or block is GPU else None
            for name, block in self._blocks.items()
        ]

    def close(self) -> None:
        self._model.close()


class _Published:
    """Whether counters that are published together, now and then, tell something."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: tuple[int | None, ...] | None = None
        self._since_s: float | None = None

    def at_a_look(self, shown: tuple[int | None, ...]) -> bool:
        """At the first look, at each publication, and between publications that follow each other."""
        first, now_s = self._last is None, self._clock()
        if shown != self._last:
            self._last, self._since_s = shown, None if first else now_s
            return True
        return self._since_s is not None and now_s - self._since_s < STALE_S


def blocks_of(units: Mapping[str, str]) -> dict[str, _Block]:
    """The channels that are read, with what each is of: the widest names of each block.

    Parameters
    ----------
    units : mapping of str to str
        The unit of each channel, by its name.
    """
    chosen: dict[str, _Block] = {}
    for block in BLOCKS:
        matches = (
            [name for name in sorted(units) if re.fullmatch(pattern, name) and units[name] in UNITS]
            for pattern in block.names
        )
        chosen |= dict.fromkeys(next(filter(None, matches), []), block)
    return chosen


def _folded(value: int | None) -> int | None:
    """An invalid number is negative."""
    return None if value is None or value < 0 else value % WRAP_64


def _channel(name: str, block: _Block, unit: str) -> Channel:
    own_name = f"soc/{name.removesuffix(' Energy').lower()}"
    return Channel(
        name=own_name, kind=Kind.COUNTER, part=block.part, unit=unit, covers=own_name, wrap=WRAP_64,
        power_max_w=MOST_W, refresh_s=block.refresh_s, embedded=True, device="Apple silicon",
    )  # fmt: skip
