"""What the meters saw, each part once, as far as it can be believed."""

from __future__ import annotations

from dataclasses import dataclass

from wattermark.science.agreement import checked
from wattermark.science.metered import Track, tracks_of, twins_of
from wattermark.science.node import judged
from wattermark.science.witness import heard
from wattermark.values.factors import Factor
from wattermark.values.records import Recorded


@dataclass(frozen=True, slots=True)
class Believed:
    """One track a part; how far a part is in doubt, by its name; and what must be said."""

    tracks: list[Track]
    doubts: dict[str, Factor]
    flags: list[str]


def believed(recorded: Recorded) -> Believed:
    """Counters beside their witnesses, dies beside their mirrors, second meters beside the first.

    Parameters
    ----------
    recorded : Recorded
        The run as the ledger kept it.
    """
    tracks, flags = heard(tracks_of(recorded))
    twins = twins_of(recorded)
    if twins:
        flags.append(f"mirrored: {', '.join(sorted(twins))} show the counter of another die; counted once")
    both = checked((channel, track) for channel, track in tracks if channel.name not in twins)
    return Believed(judged(both.tracks), both.doubts, [*flags, *both.flags])
