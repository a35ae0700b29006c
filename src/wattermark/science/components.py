"""From a run's readings to the energy of each part of the machine: measured, modelled or missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from wattermark.science.agreement import checked
from wattermark.science.load import GpuLoad, gpu_loads_of, load_of
from wattermark.science.metered import Track, metered, tracks_of, twins_of
from wattermark.science.modelled import modelled
from wattermark.science.parts import Parts
from wattermark.science.short import with_renewals
from wattermark.science.terms import Term
from wattermark.science.witness import heard
from wattermark.values.factors import Factor
from wattermark.values.kinds import Part, Quality, Scope
from wattermark.values.range import Range
from wattermark.values.records import Channel, Recorded
from wattermark.values.units import S_PER_NS

UNSEEN_WORTH_TELLING = 0.005  # of the run's time


def parts_of(recorded: Recorded, scope: Scope) -> Parts:
    """The energy of each part of the machine during a run.

    Parameters
    ----------
    recorded : Recorded
        The run as the ledger kept it.
    scope : Scope
        ``process`` charges the tracked processes with their share of CPU and memory;
        ``machine`` charges them with all that the meters saw.
    """
    duration_s = (recorded.end_mono_ns - recorded.begin_mono_ns) * S_PER_NS
    load = load_of(recorded)
    flags = []
    if scope is Scope.PROCESS and load is None:
        scope = Scope.MACHINE
        flags.append("load-unknown: processor time was not seen, so the whole machine is charged")
    tracks, doubts = heard(tracks_of(recorded))
    flags += doubts
    twins = twins_of(recorded)
    if twins:
        flags.append(f"mirrored: {', '.join(sorted(twins))} show the counter of another die; counted once")
    both = checked((channel, track) for channel, track in tracks if channel.name not in twins)
    tracks = list(both.tracks)
    flags.extend(both.flags)
    gpu_loads = gpu_loads_of(recorded)
    if scope is Scope.PROCESS:
        flags += [_charged_whole(channel) for channel, _ in tracks if _is_charged_whole(channel, gpu_loads)]
    terms = [*metered(tracks, load, scope, gpu_loads), *modelled(tracks, load, scope, duration_s, recorded)]
    terms.append(
        Term(
            name="rest of the machine",
            kind="other",
            quality=Quality.MISSING,
            run=None,
            how="board, disks, network, fans and power supply have no meter here",
        )
    )
    terms, renewals = with_renewals((channel for channel, _ in tracks), terms, duration_s)
    gaps = tuple(_gap(term) for term in terms if _has_gap(term, duration_s))
    with_gaps = tuple(_filled(term) if _has_gap(term, duration_s) else term for term in terms)
    doubted = tuple(
        _more(term, 1.0, both.doubts[term.name]) if term.name in both.doubts else term for term in with_gaps
    )
    return Parts(
        terms=doubted,
        duration_s=duration_s,
        scope=scope,
        load=load,
        gaps=(*gaps, *renewals, *both.doubts.values()),
        flags=(*flags, *_flags(tracks, with_gaps, duration_s)),
        gpus=tuple(c for c, _ in tracks if c.part is Part.GPU and not c.embedded),
    )


def _is_charged_whole(channel: Channel, gpu_loads: Mapping[str, GpuLoad]) -> bool:
    gpu = channel.part is Part.GPU and channel.counted
    return gpu and channel.share == 1 and channel.uuid not in gpu_loads


def _charged_whole(channel: Channel) -> str:
    return f"whole: {channel.name} is charged whole, as nothing tells which programs used it"


def _has_gap(term: Term, duration_s: float) -> bool:
    return term.run is not None and term.seen_s > 0 and term.unseen_s > UNSEEN_WORTH_TELLING * duration_s


def _gap(term: Term) -> Factor:
    """How much of a gap to fill with the mean power of what was seen: all of it, or none, or twice that."""
    return Factor(
        name=f"gap in {term.name}",
        value=Range(0.0, 1.0, 2.0),
        unit="1",
        key="this run",
        year=0,
        basis="not seen",
        source="run",
        note=f"{term.unseen_s:.3g} s without a meter, as parts of the mean power of the rest",
    )


def _filled(term: Term) -> Term:
    return _more(term, term.unseen_s / term.seen_s, _gap(term))


def _more(term: Term, part: float, factor: Factor) -> Term:
    """A term and so much of it again, as often as a factor of the run's own says."""
    assert term.run is not None
    seen, name = term.run, factor.name
    return replace(term, run=lambda values: seen(values) * (1 + part * values[name]))


def _flags(tracks: Iterable[Track], terms: Iterable[Term], duration_s: float) -> Iterator[str]:
    for term in terms:
        if _has_gap(term, duration_s):
            part = term.unseen_s / duration_s
            yield (
                f"gap: {term.name} was not seen for {term.unseen_s:.3g} s ({part:.0%}); "
                "that is filled at the mean power of the rest, with a wide interval"
            )
        if term.quality is Quality.MISSING and term.kind != "other":
            met = any(channel.name == term.name for channel, _ in tracks)
            yield f"{'gap' if met else 'not-seen'}: {term.name}: {term.how}"
        if term.quality is Quality.MODELLED:
            yield f"modelled: {term.name} has no meter here; its energy is estimated with a wide interval"
    for channel, track in tracks:
        if track is not None and 0 < duration_s < channel.refresh_s:
            yield f"short: {channel.name} is renewed every {channel.refresh_s:g} s, longer than this run"
        if channel.note and channel.part is not Part.LOAD:
            yield f"note: {channel.name}: {channel.note}"
