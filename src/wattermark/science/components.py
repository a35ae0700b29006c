"""From a run's readings to the energy of each part of the machine: measured, modelled or missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from wattermark.science.believed import believed
from wattermark.science.load import GpuLoad, gpu_loads_of, load_of
from wattermark.science.metered import Track, metered
from wattermark.science.modelled import modelled
from wattermark.science.node import Wall, rest_of, said_of, walls_of
from wattermark.science.parts import Parts
from wattermark.science.short import with_renewals
from wattermark.science.terms import Energy, Term
from wattermark.science.utilised import utilised
from wattermark.values.factors import Factor, of_this_run
from wattermark.values.kinds import Part, Quality, Scope
from wattermark.values.range import Range
from wattermark.values.records import Channel, Recorded
from wattermark.values.units import S_PER_NS

UNSEEN_WORTH_TELLING = 0.005  # of the run's time


def parts_of(recorded: Recorded, scope: Scope, *, known_gpus: Collection[str] = ()) -> Parts:
    """The energy of each part of the machine during a run.

    Parameters
    ----------
    recorded : Recorded
        The run as the ledger kept it.
    scope : Scope
        ``process`` charges the tracked processes with their share of CPU and memory;
        ``machine`` charges them with all that the meters saw.
    known_gpus : collection of str
        Names of GPUs of which the factor ``tdp_name`` is known, so that their utilisation tells an energy.
    """
    duration_s = (recorded.end_mono_ns - recorded.begin_mono_ns) * S_PER_NS
    load, gpu_loads, told = load_of(recorded), gpu_loads_of(recorded), believed(recorded)
    flags = [*told.flags]
    if scope is Scope.PROCESS and load is None:
        scope = Scope.MACHINE
        flags.append("load-unknown: processor time was not seen, so the whole machine is charged")
    terms = [
        *metered(told.tracks, load, scope, gpu_loads),
        *modelled(told.tracks, load, scope, duration_s, recorded),
        *utilised(told.tracks, known_gpus),
    ]
    terms, renewals = with_renewals((channel for channel, _ in told.tracks), terms, duration_s)
    gaps = [_gap(term) for term in terms if _has_gap(term, duration_s)]
    filled = [_doubted(_filled(term, duration_s), told.doubts) for term in terms]
    walls = walls_of(told.tracks, duration_s)
    rest = rest_of(walls, filled, told.tracks, scope)
    flags += _whole_gpus(told.tracks, gpu_loads) if scope is Scope.PROCESS else ()
    return Parts(
        terms=(*filled, rest),
        duration_s=duration_s,
        scope=scope,
        load=load,
        gaps=(*gaps, *renewals, *told.doubts.values()),
        flags=(*flags, *_flags(told.tracks, filled, duration_s), *_of_walls(walls, rest)),
        gpus=tuple(c for c, _ in told.tracks if c.part is Part.GPU and not c.embedded),
        wall=walls[0][0].name if walls and rest.run is not None else "",
    )


def _whole_gpus(tracks: Iterable[Track], gpu_loads: Mapping[str, GpuLoad]) -> Iterator[str]:
    for channel, _ in tracks:
        if _is_charged_whole(channel) and channel.uuid not in gpu_loads:
            yield f"whole: {channel.name} is charged whole, as nothing tells which programs used it"


def _is_charged_whole(channel: Channel) -> bool:
    return channel.part is Part.GPU and channel.counted and channel.share == 1


def _of_walls(walls: Sequence[Wall], rest: Term) -> Iterator[str]:
    if rest.run is not None:
        yield from said_of(walls)
    elif walls:
        yield f"not-seen: {rest.name}: {rest.how}"


def _has_gap(term: Term, duration_s: float) -> bool:
    return term.run is not None and term.seen_s > 0 and term.unseen_s > UNSEEN_WORTH_TELLING * duration_s


def _gap(term: Term) -> Factor:
    """How much of a gap to fill with the mean power of what was seen: all of it, or none, or twice that."""
    return of_this_run(
        f"gap in {term.name}",
        Range(0.0, 1.0, 2.0),
        basis="not seen",
        note=f"{term.unseen_s:.3g} s without a meter, as parts of the mean power of the rest",
    )


def _filled(term: Term, duration_s: float) -> Term:
    return _more(term, term.unseen_s / term.seen_s, _gap(term)) if _has_gap(term, duration_s) else term


def _doubted(term: Term, doubts: Mapping[str, Factor]) -> Term:
    return _more(term, 1.0, doubts[term.name]) if term.name in doubts and term.run is not None else term


def _more(term: Term, part: float, factor: Factor) -> Term:
    """A term and so much of it again, as often as a factor of the run's own says.

    Whosever energy it is: the parts still add up to the machine's.
    """

    def more(seen: Energy | None) -> Energy | None:
        return None if seen is None else lambda values: seen(values) * (1 + part * values[factor.name])

    return replace(
        term, run=more(term.run), others=more(term.others), idle=more(term.idle), machine=more(term.machine)
    )


def _flags(tracks: Iterable[Track], terms: Iterable[Term], duration_s: float) -> Iterator[str]:
    for term in terms:
        if _has_gap(term, duration_s):
            part = term.unseen_s / duration_s
            yield (
                f"gap: {term.name} was not seen for {term.unseen_s:.3g} s ({part:.0%}); "
                "that is filled at the mean power of the rest, with a wide interval"
            )
        if term.quality is Quality.MISSING:
            met = any(channel.name == term.name and track is None for channel, track in tracks)
            yield f"{'gap' if met else 'not-seen'}: {term.name}: {term.how}"
        if term.quality is Quality.MODELLED:
            yield f"modelled: {term.name} has no meter here; its energy is estimated with a wide interval"
    for channel, track in tracks:
        if track is not None and 0 < duration_s < channel.refresh_s:
            yield f"short: {channel.name} is renewed every {channel.refresh_s:g} s, longer than this run"
        if channel.note and channel.part is not Part.LOAD:
            yield f"note: {channel.name}: {channel.note}"
