"""Many records of one run: its processes beside each other on a machine, and its parts in turn."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import fsum

import numpy as np

from wattermark.science.rank_loads import LOAD, loads_of, told_by
from wattermark.science.timeline import began_s, ended_s
from wattermark.values.kinds import Kind, Part, Scope, Status
from wattermark.values.records import Channel, ReaderLog, Recorded, SpanMark

_WORST = (Status.RUNNING, Status.INTERRUPTED, Status.FAILED, Status.OK)


def by_part(records: Iterable[Recorded]) -> list[list[Recorded]]:
    """The records of each part of a run, in turn; of each the lowest rank first.

    Parameters
    ----------
    records : iterable of Recorded
        Of one run.
    """
    parts: dict[int, list[Recorded]] = defaultdict(list)
    for record in sorted(records, key=_by_rank):
        parts[record.header.part].append(record)
    return [parts[number] for number in sorted(parts)]


def by_machine(part: Iterable[Recorded]) -> list[list[Recorded]]:
    """The records of each machine, in the order of their lowest ranks.

    Parameters
    ----------
    part : iterable of Recorded
        Of one part of a run.
    """
    machines: dict[str, list[Recorded]] = defaultdict(list)
    for record in sorted(part, key=_by_rank):
        machines[record.header.machine or record.header.host].append(record)
    return list(machines.values())


def missing_ranks(part: Sequence[Recorded]) -> tuple[int, ...]:
    """Ranks that left no record, of a part that says how many it has.

    Parameters
    ----------
    part : sequence of Recorded
        Of one part of a run.
    """
    world_size = max((record.header.world_size or 0 for record in part), default=0)
    return tuple(sorted(set(range(world_size)).difference(record.header.rank or 0 for record in part)))


def paused_s(parts: Sequence[Sequence[Recorded]]) -> float:
    """How long nothing was recorded between the parts of a run, in all. [s]

    Parameters
    ----------
    parts : sequence of sequence of Recorded
        In turn.
    """
    ends = [max(map(ended_s, part)) for part in parts[:-1]]
    begins = [min(map(began_s, part)) for part in parts[1:]]
    return sum(max(0.0, begin - end) for begin, end in zip(begins, ends, strict=True))


def worst_status(records: Iterable[Recorded]) -> Status:
    """Running while any is, then the worst.

    Parameters
    ----------
    records : iterable of Recorded
        Of one part of a run.
    """
    return min((record.status for record in records), key=_WORST.index)


def marks_on(lead: Recorded, machine: Recorded) -> tuple[SpanMark, ...]:
    """The spans of one process by the steady clock of another machine; the wall clocks join the two.

    Parameters
    ----------
    lead : Recorded
        Whose spans they are.
    machine : Recorded
        Whose clock is wanted.
    """
    step_ns = lead.header.booted_ns - machine.header.booted_ns
    if lead.header.machine == machine.header.machine:
        step_ns = 0  # one clock, whatever the wall clock did
    return tuple(
        replace(
            mark,
            begin_ns=mark.begin_ns + step_ns,
            end_ns=None if mark.end_ns is None else mark.end_ns + step_ns,
        )
        for mark in lead.spans
    )


def united(ranks: Sequence[Recorded]) -> Recorded:
    """What the processes of one machine saw, as if one had seen it: each meter once, their loads added.

    A meter is taken from the process that looked at it for the longest time.

    Parameters
    ----------
    ranks : sequence of Recorded
        Of one part of a run and one machine: one steady clock. One at least; the first lends its header.
    """
    if len(ranks) == 1:
        return ranks[0]
    first = ranks[0]
    ranks = _without_programs(ranks)
    longest = sorted(ranks, key=lambda one: one.begin_mono_ns - one.end_mono_ns)
    everything = any(one.header.scope is Scope.MACHINE for one in ranks)
    return replace(
        first,
        header=replace(first.header, scope=Scope.MACHINE if everything else first.header.scope),
        logs={**_meters(longest), **loads_of(longest)},
        status=worst_status(ranks),
        begin_mono_ns=min(one.begin_mono_ns for one in ranks),
        end_mono_ns=max(one.end_mono_ns for one in ranks),
        wall_step_s=max((one.wall_step_s for one in ranks), key=abs),
        torn_bytes=sum(one.torn_bytes for one in ranks),
        bad_lines=sum(one.bad_lines for one in ranks),
        lost_beats=sum(one.lost_beats for one in ranks),
        faults=tuple(dict.fromkeys(fault for one in ranks for fault in one.faults)),
    )


def _without_programs(ranks: Sequence[Recorded]) -> list[Recorded]:
    """Of a GPU that several ranks see none can tell who else uses it: to each, the others are strangers."""
    seen = Counter(uuid for one in ranks for uuid in {c.uuid for c in _programs(one)})
    shared = {uuid for uuid, ranks_of_it in seen.items() if ranks_of_it > 1}
    return [replace(one, logs=dict(_less(one.logs, shared))) for one in ranks]


def _programs(record: Recorded) -> Iterator[Channel]:
    for log in record.logs.values():
        yield from (channel for channel in log.channels if channel.part is Part.LOAD and channel.uuid)


def _less(logs: Mapping[str, ReaderLog], shared: set[str]) -> Iterator[tuple[str, ReaderLog]]:
    for name, log in logs.items():
        kept = [i for i, c in enumerate(log.channels) if c.part is not Part.LOAD or c.uuid not in shared]
        yield name, log if len(kept) == len(log.channels) else _columns(log, kept)


def _by_rank(record: Recorded) -> tuple[int, int]:
    return record.header.rank or 0, record.begin_mono_ns


def _meters(longest: Sequence[Recorded]) -> dict[str, ReaderLog]:
    """Each channel once, by what it covers or by its name."""
    found: dict[str, ReaderLog] = {}
    known: set[str] = set()
    for number, record in enumerate(longest):
        for name, log in record.logs.items():
            fresh = [i for i, channel in enumerate(log.channels) if _key(name, channel) not in known]
            if name in found and found[name].channels == log.channels:
                found[name] = _longer(found[name], log)
            if name == LOAD or not fresh:
                continue
            known.update(_key(name, log.channels[i]) for i in fresh)
            found[f"{name} {number}" if number else name] = _columns(log, fresh)
    return _told_apart(_less_hidden(_with_slices(found, longest)))


def _told_apart(logs: Mapping[str, ReaderLog]) -> dict[str, ReaderLog]:
    """Devices of one name, as each container calls its own the first, get a number behind it."""
    seen: Counter[str] = Counter()

    def told(channel: Channel) -> Channel:
        if not _is_gpu(channel):
            return channel
        seen[channel.name] += 1
        number = seen[channel.name]
        return channel if number == 1 else replace(channel, name=f"{channel.name}#{number}")

    return {name: replace(log, channels=tuple(map(told, log.channels))) for name, log in logs.items()}


def _with_slices(logs: Mapping[str, ReaderLog], ranks: Iterable[Recorded]) -> dict[str, ReaderLog]:
    """Of a device of which several ranks hold a part each, all these parts are the run's."""
    held: dict[str, dict[str, float]] = defaultdict(dict)
    whole: set[str] = set()
    for channel in (c for one in ranks for log in one.logs.values() for c in log.channels if _is_gpu(c)):
        held[_hardware(channel)].update(channel.slices)
        if channel.share == 1:
            whole.add(_hardware(channel))

    def told(channel: Channel) -> Channel:
        slices = held.get(_hardware(channel), {})
        share = 1.0 if _hardware(channel) in whole else min(1.0, fsum(slices.values()))
        if not channel.slices or share <= channel.share:
            return channel
        note = f"of several processes: {share:.0%} of the GPU's energy is taken" if share < 1 else ""
        return replace(channel, share=share, slices=slices, note=note)

    return {name: replace(log, channels=tuple(map(told, log.channels))) for name, log in logs.items()}


def _less_hidden(logs: Mapping[str, ReaderLog]) -> dict[str, ReaderLog]:
    """Devices that one rank could not see, and another one saw, are not hidden."""
    seen: dict[str, set[str]] = defaultdict(set)
    for name, log in logs.items():
        seen[_reader(name)].update(c.uuid or c.covers for c in log.channels if _is_gpu(c))

    def told(name: str, log: ReaderLog) -> ReaderLog:
        mine, all_ = sum(map(_is_gpu, log.channels)), len(seen[_reader(name)])
        channels = (replace(c, hidden=max(0, c.hidden + mine - all_)) for c in log.channels)
        return replace(log, channels=tuple(channels))

    return {name: told(name, log) for name, log in logs.items()}


def _reader(log_name: str) -> str:
    """Whose log it is, of whichever process."""
    return log_name.partition(" ")[0]


def _is_gpu(channel: Channel) -> bool:
    return channel.part is Part.GPU and channel.counted


def _key(reader: str, channel: Channel) -> str:
    """What is added is one for all readers; what is only shown, or a witness, may stand beside it."""
    hardware = _hardware(channel)
    return hardware if channel.counted else f"{reader} {channel.name} {hardware}"


def _hardware(channel: Channel) -> str:
    return channel.uuid or channel.covers or channel.name


def _longer(log: ReaderLog, other: ReaderLog) -> ReaderLog:
    """With what another process read of the same meters before and after; not of counters of its own."""
    if not log.mono_ns or not all(_one_counter(log, other, i) for i in range(len(log.channels))):
        return log
    before = bisect_left(other.mono_ns, log.mono_ns[0])
    after = bisect_right(other.mono_ns, log.mono_ns[-1])
    return replace(
        log,
        mono_ns=other.mono_ns[:before] + log.mono_ns + other.mono_ns[after:],
        values=other.values[:before] + log.values + other.values[after:],
    )


def _one_counter(log: ReaderLog, other: ReaderLog, i: int) -> bool:
    """Whether readings of the one lie between their neighbours of the other, as of one counter they do."""
    if log.channels[i].kind is not Kind.COUNTER:
        return True
    time_ns, value = told_by(log, i)
    at_ns, shown = told_by(other, i)
    after = np.searchsorted(time_ns, at_ns)
    between = (after > 0) & (after < len(time_ns))
    after, shown = after[between], shown[between]
    return bool(len(after) and ((value[after - 1] <= shown) & (shown <= value[after])).all())


def _columns(log: ReaderLog, wanted: Sequence[int]) -> ReaderLog:
    return ReaderLog(
        channels=tuple(log.channels[i] for i in wanted),
        mono_ns=log.mono_ns,
        values=[[values[i] for i in wanted] for values in log.values],
    )
