"""What engines counted between one round of looks and the next: nothing is lost where a look is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattermark.science.metered import Track
from wattermark.science.sharing.columns import Floats
from wattermark.values.kinds import Kind, Part
from wattermark.values.served import EngineLook
from wattermark.values.units import S_PER_NS

Whose = tuple[str, str, str]
"""An engine, its upstream, and the model."""
MOST_MISSED = 3
"""So many rounds that an engine missed in a row make one long window; after more of them it was away."""
COUNTERS = ("prompt_tokens", "cached_tokens", "generated_tokens", "steps", "requests")
GAUGES = ("running", "kv_tokens")
EDGE, EDGE_S = 0.02, 0.05
"""A window is seen where no more of it is not [1], and where the meters began and ended so near to it. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One model of one engine between n + 1 rounds: arrays of length n, nan where it is not known.

    ``read`` tokens had to be computed, ``cached`` had not, ``written`` were generated in so many ``steps``.
    ``running`` is the mean of both ends, ``runs_on`` whether any runs at the latter; ``context`` how many
    kept tokens all written ones looked at. [1]
    ``known`` says where the engine answered at both ends and did not start anew in between;
    ``untold`` what it never tells.
    """

    whose: Whose
    known: NDArray[np.bool_]
    read: Floats
    cached: Floats
    written: Floats
    steps: Floats
    requests: Floats
    running: Floats
    runs_on: NDArray[np.bool_]
    context: Floats
    restarts: int
    missed: int
    untold: tuple[str, ...]

    @property
    def counts(self) -> Floats:
        """Tokens of any kind; 0 where nobody knows. [1]"""
        return np.asarray(sum(map(np.nan_to_num, (self.read, self.cached, self.written))), np.float64)

    @property
    def busy(self) -> NDArray[np.bool_]:
        """Where a token was counted, or a request still ran at the end."""
        return np.asarray(self.known & ((self.counts > 0) | self.runs_on), bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """All engines between common moments: ``edge_ns`` has length n + 1."""

    edge_ns: NDArray[np.int64]
    engines: tuple[Counted, ...]

    @property
    def length_s(self) -> Floats:
        """How long each window is. [s]"""
        return np.asarray(np.diff(self.edge_ns) * S_PER_NS, np.float64)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where all engines are."""
        every = [one.known for one in self.engines]
        return np.all(every, axis=0) if every else np.zeros(max(len(self.edge_ns) - 1, 0), bool)

    @property
    def busy(self) -> NDArray[np.bool_]:
        """Where any of them was."""
        every = [one.busy for one in self.engines]
        return np.any(every, axis=0) if every else np.zeros(max(len(self.edge_ns) - 1, 0), bool)


def moment_of(began_ns: int, ended_ns: int) -> int:
    """When a page was true that was asked for and came: half-way. [ns]

    Parameters
    ----------
    began_ns, ended_ns : int
        [ns]
    """
    return (began_ns + ended_ns) // 2


def rounds_of(looks: Sequence[EngineLook]) -> Rounds:
    """Looks as windows that all engines share; the looks of one round have one moment.

    A round that an engine missed joins two windows, as its counters remember; where they fell, or
    after more than ``MOST_MISSED`` rounds, nothing is known of it until it has answered twice. Before its
    first answer it is taken to have done nothing.

    Parameters
    ----------
    looks : sequence of EngineLook
        Of any number of engines, in any order.

    Returns
    -------
    Rounds
        None of its windows is longer than what was missed makes it.
    """
    told: dict[Whose, dict[int, EngineLook]] = {}
    for look in looks:
        if look.prompt_tokens is not None or look.generated_tokens is not None or look.running is not None:
            told.setdefault((look.engine, look.upstream, look.model), {})[look.mono_ns] = look
    moments = np.array(sorted({look.mono_ns for look in looks}), np.int64)
    kept = _without_missed(moments, told.values())
    return Rounds(
        edge_ns=kept,
        engines=tuple(_counted(whose, its, kept, moments) for whose, its in sorted(told.items())),
    )


def _without_missed(
    moments: NDArray[np.int64], told: Collection[Mapping[int, EngineLook]]
) -> NDArray[np.int64]:
    keep = np.ones(len(moments), bool)
    for its in told:
        at = np.searchsorted(moments, sorted(its))
        for before, after in pairwise(at.tolist()):
            if after - before <= MOST_MISSED + 1:
                keep[before + 1 : after] = False
    return moments[keep]


def _counted(
    whose: Whose, its: Mapping[int, EngineLook], edge_ns: NDArray[np.int64], moments: NDArray[np.int64]
) -> Counted:
    at = {name: _values(its, edge_ns, name) for name in (*COUNTERS, *GAUGES)}
    answered = np.array([int(ns) in its for ns in edge_ns], bool)
    change = {name: np.diff(at[name]) for name in COUNTERS}
    fell = np.any([np.nan_to_num(one) < 0 for one in change.values()], axis=0)
    both = answered[1:] & answered[:-1]
    first = int(answered.argmax())
    away = np.arange(len(both)) < first - 1  # nothing of it was there yet
    known = (both & ~fell) | away
    change = {name: np.where(away, 0.0, np.where(known, one, np.nan)) for name, one in change.items()}
    running, kept = (_between(at[name]) for name in GAUGES)
    running = np.where(away, 0.0, running)
    seen = moments[(moments >= min(its)) & (moments <= max(its))]
    cached, prompt = change["cached_tokens"], change["prompt_tokens"]
    return _moved_back(
        Counted(
            whose=whose,
            known=known,
            read=np.where(np.isnan(cached), prompt, np.maximum(prompt - cached, 0)),
            cached=cached,
            written=change["generated_tokens"],
            steps=change["steps"],
            requests=change["requests"],
            running=running,
            runs_on=known & (np.nan_to_num(at["running"])[1:] > 0),
            context=change["generated_tokens"] * _over(kept, running),
            restarts=int((both & fell).sum()),
            missed=len(seen) - len(its),
            untold=tuple(name for name in (*COUNTERS, *GAUGES) if np.isnan(at[name]).all()),
        )
    )


def _values(its: Mapping[int, EngineLook], edge_ns: NDArray[np.int64], name: str) -> Floats:
    """What its looks showed at the edges; nan where there was none, or it does not tell."""
    shown = (getattr(its[int(ns)], name) if int(ns) in its else None for ns in edge_ns)
    return np.array([np.nan if one is None else one for one in shown], np.float64)


def _between(value: Floats) -> Floats:
    return np.asarray((value[1:] + value[:-1]) / 2, np.float64)


def _over(part: Floats, whole: Floats) -> Floats:
    out = np.where(np.isnan(part) | np.isnan(whole), np.nan, 0.0)
    return np.divide(part, whole, out=out, where=np.nan_to_num(whole) > 0)


def _moved_back(one: Counted) -> Counted:
    """Tokens that are counted late, over the windows in which they were worked on.

    Some engines count a prompt when all of it has been read, and some all tokens when a request ends: where
    requests ran and no token of any kind was counted, the next count is spread back, by the time.
    """
    counts = one.counts
    frozen = one.runs_on & (counts == 0)
    if not frozen.any():
        return one
    moves: dict[str, Any] = {
        name: np.array(getattr(one, name)) for name in ("read", "cached", "written", "context")
    }
    since = None
    for i in range(len(frozen)):
        if frozen[i]:
            since = i if since is None else since
            continue
        if since is not None and one.known[i] and counts[i] > 0:
            for values in moves.values():
                values[since : i + 1] = values[i] / (i + 1 - since)
        since = None
    return replace(one, **moves)


def meters_among(tracks: Sequence[Track], wanted: Sequence[str] = ()) -> tuple[list[Track], str]:
    """The meters of the server's energy among those of its machine, and how they are called together.

    Accelerators where there are any, as the engine's work is there; else all parts that are counted.

    Parameters
    ----------
    tracks : sequence of (Channel, Timeline or None)
        Each part once.
    wanted : sequence of str
        Names of channels, as ``gpu/0``; all that fit the rule above by default.
    """
    counted = [
        (channel, track)
        for channel, track in tracks
        if channel.counted and channel.kind is not Kind.GAUGE and channel.part is not Part.PLATFORM
    ]
    if wanted:
        found = [(channel, track) for channel, track in counted if channel.name in wanted]
    else:
        gpus = [(channel, track) for channel, track in counted if channel.part is Part.GPU]
        found = gpus or [(channel, track) for channel, track in counted if track is not None]
    return found, ", ".join(channel.name for channel, _ in found)


def energy_between(tracks: Sequence[Track], edge_ns: NDArray[np.int64], begin_ns: int) -> Floats:
    """What meters saw together between moments, shape (n,); nan where any of them has a gap. [J]

    Parameters
    ----------
    tracks : sequence of (Channel, Timeline or None)
        Each part once.
    edge_ns : ndarray, shape (n + 1,)
        On the steady clock. [ns]
    begin_ns : int
        Where the tracks begin on it. [ns]
    """
    edge_s = np.asarray((edge_ns - begin_ns) * S_PER_NS, np.float64)
    total = np.zeros(max(len(edge_s) - 1, 0)) if tracks else np.full(max(len(edge_s) - 1, 0), np.nan)
    for channel, track in tracks:
        if track is None:
            return np.full(len(total), np.nan)
        unseen = np.concatenate([[0.0], np.cumsum(np.where(track.known, 0.0, np.diff(track.edge_s)))])
        gap_s = np.diff(np.interp(edge_s, track.edge_s, unseen))
        inside = (edge_s[:-1] >= track.edge_s[0] - EDGE_S) & (edge_s[1:] <= track.edge_s[-1] + EDGE_S)
        seen = (gap_s <= EDGE * np.diff(edge_s)) & inside
        total += np.where(seen, channel.share * np.diff(track.until_j(edge_s)), np.nan)
    return total


def any_seen(energy_j: Floats) -> bool:
    """Whether anything is known of any window.

    Parameters
    ----------
    energy_j : ndarray, shape (n,)
        nan is a gap. [J]
    """
    return bool(np.isfinite(energy_j).any())


def energy_told(looks: Sequence[EngineLook], edge_ns: NDArray[np.int64]) -> Floats:
    """What engines say of their own energy, shape (n,); nan where one of them does not. [J]

    Parameters
    ----------
    looks : sequence of EngineLook
        Those without an energy are passed over.
    edge_ns : ndarray, shape (n + 1,)
        [ns]
    """
    told: dict[str, dict[int, EngineLook]] = {}
    for look in looks:
        if look.energy_j is not None:
            told.setdefault(look.upstream, {})[look.mono_ns] = look
    if not told:
        return np.full(max(len(edge_ns) - 1, 0), np.nan)
    each = [np.diff(_values(its, edge_ns, "energy_j")) for its in told.values()]
    return np.asarray(np.sum([np.where(one < 0, np.nan, one) for one in each], axis=0), np.float64)
