"""The rest of the machine: what a meter of the whole node saw besides the parts.

Such a meter is never added to the parts. It says what board, disks, network, fans and power supplies
took: all that it saw, minus the parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from wattermark.science.metered import Track, tracks_of
from wattermark.science.sharing.devices import share_alike
from wattermark.science.terms import Energy, Term
from wattermark.science.timeline import Timeline
from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number
from wattermark.values.footprint import Component
from wattermark.values.kinds import Kind, Node, Part, Quality, Scope
from wattermark.values.records import Channel, Recorded
from wattermark.values.units import BASE_PER_RAW

REST = "rest of the machine"
REST_KIND = "other"
MOST_UNSEEN = 0.5
"""Of the run's time: a meter that saw less of it says nothing of the rest."""
FEWEST_STEPS = 20
"""A counter that moved by fewer of its own steps (kWh with two decimals) is too coarse for the run."""

J_PER_UJ = BASE_PER_RAW["uJ"]

Wall = tuple[Channel, Timeline]
Taken = tuple[Number, Number, Number]
"""Of the run, of others, idle. [J]"""


def judged(tracks: Iterable[Track]) -> list[Track]:
    """All tracks, those of meters of the whole node only as far as they say something of this run.

    A counter that moved by too few of its steps says nothing; a meter that says nothing is not told of,
    where another one spoke.

    Parameters
    ----------
    tracks : iterable of (Channel, Timeline or None)
        What the meters saw. [J]
    """
    told = [(c, None if track is not None and _is_too_coarse(c, track) else track) for c, track in tracks]
    spoken = any(channel.node and track is not None for channel, track in told)
    return [(c, track) for c, track in told if track is not None or not (c.node and spoken)]


def _is_too_coarse(channel: Channel, track: Timeline) -> bool:
    """By the largest step that all rises of a counter are made of."""
    if not _counts(channel):
        return False
    risen = np.rint(track.energy_j / J_PER_UJ).astype(np.int64)
    return not risen.any() or bool(risen.sum() < FEWEST_STEPS * np.gcd.reduce(risen))


def may_speak_later(recorded: Recorded) -> bool:
    """Whether a counter of the whole node moved by too few steps yet to say anything of a run that goes on.

    Parameters
    ----------
    recorded : Recorded
        The run as it stands.
    """
    if not any(_counts(channel) for log in recorded.logs.values() for channel in log.channels):
        return False
    return any(track is None or _is_too_coarse(c, track) for c, track in tracks_of(recorded) if _counts(c))


def _counts(channel: Channel) -> bool:
    return bool(channel.node) and channel.kind is Kind.COUNTER


def walls_of(tracks: Iterable[Track], duration_s: float) -> list[Wall]:
    """Meters that saw the whole node, the best one first.

    An energy counter before samples of power; what the power supplies take before what they give; then
    the one that saw more, and is renewed more often.

    Parameters
    ----------
    tracks : iterable of (Channel, Timeline or None)
        What the meters saw, as of ``judged``. [J]
    duration_s : float
        Of the run. [s]
    """
    walls = [
        (channel, track)
        for channel, track in tracks
        if channel.node and track is not None and track.unseen_s <= MOST_UNSEEN * duration_s
    ]
    return sorted(walls, key=_preference)


def _preference(wall: Wall) -> tuple[bool, bool, float, float, str]:
    channel, track = wall
    is_power = channel.kind is not Kind.COUNTER
    return is_power, channel.node is not Node.INPUT, track.unseen_s, channel.refresh_s, channel.name


def rest_of(walls: Sequence[Wall], terms: Sequence[Term], tracks: Iterable[Track], scope: Scope) -> Term:
    """What the best meter of the whole node saw besides the parts; missing where there is none.

    It is never below zero. A process is charged with it as it is with the parts: with the same share of
    it, so that run, others and idle of all terms add up to what that meter saw.

    Parameters
    ----------
    walls : sequence of (Channel, Timeline)
        As of ``walls_of``.
    terms : sequence of Term
        The parts, and what each meter of the node saw, gaps filled. [J]
    tracks : iterable of (Channel, Timeline or None)
        What the meters saw: of GPUs that the run may not see, it could be charged with the energy.
    scope : Scope
        ``machine`` is charged with all of it.
    """
    if not walls:
        seen = "none that saw enough of the run" if any(c.node for c, _ in tracks) else "no meter here"
        return _missing(f"board, disks, network, fans and power supply have {seen}")
    (channel, track), hidden = walls[0], _hidden(tracks)
    if scope is Scope.PROCESS and hidden:
        return _missing(
            f"{hidden} accelerators or more that the run may not see are in what {channel.name} saw"
        )
    node = next(term.run for term in terms if term.track is track)
    assert node is not None
    parts = [term for term in terms if term.counted and term.run is not None]
    shares = [_share(node, parts, scope, i) for i in range(3)]
    return Term(
        name=REST,
        kind=REST_KIND,
        quality=Quality.MEASURED,
        run=shares[0],
        others=shares[1],
        idle=shares[2],
        machine=lambda values: _left(node, _taken(parts, values), values),
        how=f"what {channel.name} saw, minus the parts above"
        + (", shared as these are" if scope is Scope.PROCESS else ""),
    )


def _missing(why: str) -> Term:
    return Term(name=REST, kind=REST_KIND, quality=Quality.MISSING, run=None, how=why)


def _hidden(tracks: Iterable[Track]) -> int:
    """Accelerators of the machine that the run may not see, by what their readers told, at least."""
    return max((c.hidden for c, _ in tracks if c.part is Part.GPU), default=0)


def _share(node: Energy, parts: Sequence[Term], scope: Scope, i: int) -> Energy:
    """The run's share of the rest, that of others, or what is idle."""

    def share(values: Values) -> Number:
        taken = _taken(parts, values)
        left = _left(node, taken, values)
        if scope is Scope.MACHINE:
            return left if i == 0 else 0.0 * left
        return share_alike(left, taken)[i]

    return share


def _left(node: Energy, taken: Taken, values: Values) -> Number:
    left: Number = np.maximum(node(values) - sum(taken), 0.0)
    return left


def _taken(parts: Iterable[Term], values: Values) -> Taken:
    """What all parts took, by whose it is."""
    run: Number = 0.0
    others: Number = 0.0
    idle: Number = 0.0
    for term in parts:
        run = run + _at(term.run, values)
        others = others + _at(term.others, values)
        idle = idle + _at(term.idle, values)
    return run, others, idle


def _at(energy: Energy | None, values: Values) -> Number:
    return 0.0 if energy is None else energy(values)


def said_of(walls: Sequence[Wall]) -> Iterator[str]:
    """What is to be said of the meters of the whole node.

    Parameters
    ----------
    walls : sequence of (Channel, Timeline)
        As of ``walls_of``.
    """
    for channel, _ in walls[:1]:
        yield f"whole-node: the rest of the machine is in IT energy, by what {channel.name} saw"
    for channel, track in walls[1:]:
        yield f"whole-node: {channel.name} saw {track.total_j:.4g} J meanwhile, and is not used"


def disagreement(components: Iterable[Component], wall: str) -> Iterator[str]:
    """A meter of the whole node that saw less than the parts took.

    Parameters
    ----------
    components : iterable of Component
        At the best values. [J]
    wall : str
        The name of the meter; empty if none was used.
    """
    told = list(components)
    node_j = next((one.machine_energy_j for one in told if one.name == wall and not one.counted), None)
    known = [one.machine_energy_j for one in told if one.counted and one.machine_energy_j is not None]
    parts_j = sum(known)
    if node_j is None:
        return
    if parts_j > node_j * (1 + 1e-9):
        yield (
            f"disagree: {wall} saw {node_j:.4g} J, less than the {parts_j:.4g} J of the parts; "
            "nothing is taken for the rest of the machine"
        )
