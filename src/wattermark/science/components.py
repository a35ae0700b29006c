"""From a run's readings to the energy of each part of the machine: measured, modelled or missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from wattermark.science.load import load_of
from wattermark.science.metered import Track, metered, tracks_of, twins_of
from wattermark.science.modelled import modelled
from wattermark.science.parts import Parts
from wattermark.science.terms import Term
from wattermark.science.utilised import utilised
from wattermark.values.factors import Factor
from wattermark.values.kinds import Part, Quality, Scope
from wattermark.values.range import Range
from wattermark.values.records import Recorded
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
    load = load_of(recorded)
    flags = []
    if scope is Scope.PROCESS and load is None:
        scope = Scope.MACHINE
        flags.append("load-unknown: processor time was not seen, so the whole machine is charged")
    tracks = list(tracks_of(recorded))
    twins = twins_of(recorded)
    if twins:
        flags.append(f"mirrored: {', '.join(sorted(twins))} show the counter of another die; counted once")
    tracks = [(channel, track) for channel, track in tracks if channel.name not in twins]
    terms = [
        *metered(tracks, load, scope),
        *modelled(tracks, load, scope, duration_s, recorded),
        *utilised(tracks, known_gpus),
    ]
    terms.append(
        Term(
            name="rest of the machine",
            kind="other",
            quality=Quality.MISSING,
            run=None,
            how="board, disks, network, fans and power supply have no meter here",
        )
    )
    gaps = tuple(_gap(term) for term in terms if _has_gap(term, duration_s))
    with_gaps = tuple(_widened(term) if _has_gap(term, duration_s) else term for term in terms)
    return Parts(
        terms=with_gaps,
        duration_s=duration_s,
        scope=scope,
        load=load,
        gaps=gaps,
        flags=(*flags, *_flags(tracks, with_gaps, duration_s)),
        gpus=tuple(channel for channel, _ in tracks if channel.part is Part.GPU),
    )


def _has_gap(term: Term, duration_s: float) -> bool:
    return term.run is not None and term.seen_s > 0 and term.unseen_s > UNSEEN_WORTH_TELLING * duration_s


def _gap_name(term: Term) -> str:
    return f"gap in {term.name}"


def _gap(term: Term) -> Factor:
    """How much of a gap to fill with the mean power of what was seen: all of it, or none, or twice that."""
    return Factor(
        name=_gap_name(term),
        value=Range(0.0, 1.0, 2.0),
        unit="1",
        key="this run",
        year=0,
        basis="not seen",
        source="run",
        note=f"{term.unseen_s:.3g} s without a meter, as parts of the mean power of the rest",
    )


def _widened(term: Term) -> Term:
    assert term.run is not None
    seen, name, missing = term.run, _gap_name(term), term.unseen_s / term.seen_s
    return replace(term, run=lambda values: seen(values) * (1 + missing * values[name]))


def _flags(tracks: Iterable[Track], terms: Iterable[Term], duration_s: float) -> Iterator[str]:
    for term in terms:
        if _has_gap(term, duration_s):
            part = term.unseen_s / duration_s
            yield (
                f"gap: {term.name} was not seen for {term.unseen_s:.3g} s ({part:.0%}); "
                "that is filled at the mean power of the rest, with a wide interval"
            )
        if term.quality is Quality.MISSING and term.kind != "other":
            met = any(channel.name == term.name and track is None for channel, track in tracks)
            yield f"{'gap' if met else 'not-seen'}: {term.name}: {term.how}"
        if term.quality is Quality.MODELLED:
            yield f"modelled: {term.name} has no meter here; its energy is estimated with a wide interval"
    for channel, track in tracks:
        if track is not None and 0 < duration_s < channel.refresh_s:
            yield f"short: {channel.name} is renewed every {channel.refresh_s:g} s, longer than this run"
        if channel.note and channel.part is not Part.LOAD:
            yield f"note: {channel.name}: {channel.note}"
