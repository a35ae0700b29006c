"""How busy the processes of one run kept their machine, together: each of them saw only its own tree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from wattermark.science.load import CGROUP
from wattermark.values.kinds import Kind
from wattermark.values.records import Channel, ReaderLog, Recorded

LOAD = "load"
OF_RUN = "/run_"
"""In the name of a load that is of the run alone, so that those of several processes add up."""


def loads_of(ranks: Sequence[Recorded]) -> dict[str, ReaderLog]:
    """One load of all: what is the machine's is one for all of them, what is the run's adds up.

    Parameters
    ----------
    ranks : sequence of Recorded
        Of one machine.
    """
    logs = {record.header.pid: record.logs[LOAD] for record in ranks if LOAD in record.logs}
    if not logs:
        return {}
    channels = next(iter(logs.values())).channels
    alike = {pid: log for pid, log in logs.items() if log.channels == channels}
    apart = [log for pid, log in alike.items() if pid not in _inside(ranks)]
    looks = np.array(sorted({t for log in alike.values() for t in log.mono_ns}), np.int64)
    columns = [_column(channel, i, list(alike.values()), apart, looks) for i, channel in enumerate(channels)]
    values = [list(row) for row in zip(*columns, strict=True)]
    return {LOAD: ReaderLog(channels=channels, mono_ns=looks.tolist(), values=values)}


def _column(
    channel: Channel, i: int, all_: Sequence[ReaderLog], apart: Sequence[ReaderLog], looks: NDArray[np.int64]
) -> list[int | None]:
    """One channel of the load of all processes.

    A control group tells of the run only where each of them had one to itself all the time: of one that
    two of them share, neither knows its part.
    """
    if OF_RUN not in channel.name:
        told = [log for log in all_ if _tells(log, i)]
        return _together(told, i, looks, rises=channel.kind is Kind.COUNTER) if told else [None] * len(looks)
    shared = channel.name == CGROUP and any(_is_shared(values, i) for log in apart for values in log.values)
    if shared or not all(_tells(log, i) for log in apart):
        return [None] * len(looks)
    return [int(value) for value in np.sum([_alone(log, i, looks) for log in apart], axis=0)]


def _is_shared(values: Sequence[int | None], i: int) -> bool:
    """Whether a look that was answered found others in the group."""
    return values[i] is None and any(value is not None for value in values)


def _tells(log: ReaderLog, i: int) -> bool:
    return any(values[i] is not None for values in log.values)


def _inside(ranks: Sequence[Recorded]) -> set[int]:
    """Processes that lie below another one of these: what they take is in its load."""
    above = {f"{one.header.pid}@{one.header.pid_started}" for one in ranks}
    return {one.header.pid for one in ranks if above & set(one.header.ancestors[1:])}


def _alone(log: ReaderLog, i: int, looks: NDArray[np.int64]) -> NDArray[np.float64]:
    """A load of one process at the looks of all: a counter rises from 0, a gauge is 0 outside its looks."""
    time_ns, value = told_by(log, i)
    rises = log.channels[i].kind is Kind.COUNTER
    left, right = (None, None) if rises else (0.0, 0.0)
    shown: NDArray[np.float64] = np.interp(
        looks, time_ns, value - value[0] if rises else value, left=left, right=right
    )
    return shown.round()


def _together(
    logs: Iterable[ReaderLog], i: int, looks: NDArray[np.int64], *, rises: bool
) -> list[int | None]:
    """A load of the machine, by whoever looked at it; None before and after all looks that it answered."""
    told = [told_by(log, i) for log in logs]
    time_ns, value = (np.concatenate(parts) for parts in zip(*told, strict=True))
    order = np.argsort(time_ns, kind="stable")
    ordered = np.maximum.accumulate(value[order]) if rises else value[order]
    shown = np.interp(looks, time_ns[order], ordered).round()
    answered = (looks >= time_ns.min()) & (looks <= time_ns.max())
    return [int(value) if known else None for value, known in zip(shown, answered, strict=True)]


def told_by(log: ReaderLog, i: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When a channel answered, and what.

    Parameters
    ----------
    log : ReaderLog
        Times in ns.
    i : int
        Which of its channels.
    """
    looks = zip(log.mono_ns, log.values, strict=True)
    pairs = [(t, values[i]) for t, values in looks if values[i] is not None]
    time_ns, value = np.array(pairs, np.int64).reshape(-1, 2).T
    return time_ns, value
