"""The meters of this process: found once, read by one beat, however many runs record."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial

from wattermark.errors import NamedMeterUnavailable
from wattermark.ledger.spool import line, reader_line
from wattermark.readers.choose import Chosen, choose
from wattermark.recorder.beat import Beat, Meters
from wattermark.values.ports import Reader
from wattermark.wiring.registry import reader_openers

_shared: dict[tuple[int, bool], Beat] = {}


def shared_beat(*, charge_self: bool = True) -> Beat:
    """The beat that all runs of this process share; a forked child gets its own.

    ``charge_self`` is False where this process only watches over another one.
    """
    key = (os.getpid(), charge_self)
    if key not in _shared:
        for stale in [other for other in _shared if other[0] != key[0]]:
            del _shared[stale]
        _shared[key] = Beat(partial(_open_all, charge_self), line)
    return _shared[key]


def own_beat(readers: Mapping[str, Reader]) -> Beat:
    """A beat for readers that the caller brings."""
    return Beat(lambda: _described(Chosen(dict(readers), {})), line)


def candidates(*, charge_self: bool = True) -> dict[str, Callable[[], Reader]]:
    """What opens each reader on this machine, in the order in which they may take hardware."""
    openers = reader_openers()
    return {**openers, "load": partial(openers["load"], with_root=charge_self)}


def _open_all(charge_self: bool) -> Meters:
    return _described(choose(candidates(charge_self=charge_self)))


def _described(chosen: Chosen) -> Meters:
    lines = [reader_line(name, reader.channels) for name, reader in chosen.readers.items()]
    lines += [
        line("skipped", name=name, problem=error.problem, fix=error.fix)
        for name, error in chosen.skipped.items()
    ]
    lines += [
        line("fault", error=f"{name}: {error.problem}")
        for name, error in chosen.skipped.items()
        if isinstance(error, NamedMeterUnavailable)
    ]
    return chosen.readers, "".join(lines)
