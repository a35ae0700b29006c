"""What engines counted between one round of looks and the next: nothing is lost where a look is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.columns import Floats
from wattermark.values.served import EngineLook
from wattermark.values.units import S_PER_NS

Whose = tuple[str, str, str]
"""An engine, its upstream, and the model."""
MOST_MISSED = 3
"""So many rounds that an engine missed in a row make one long window; after more of them it was away."""
COUNTERS = ("prompt_tokens", "cached_tokens", "generated_tokens", "steps", "requests")
GAUGES = ("running", "kv_tokens")


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
    at = {name: shown_at(its, edge_ns, name) for name in (*COUNTERS, *GAUGES)}
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


def shown_at(its: Mapping[int, EngineLook], edge_ns: NDArray[np.int64], name: str) -> Floats:
    """What looks showed at some moments, shape (n,); nan where there was none, or it is not told.

    Parameters
    ----------
    its : mapping of EngineLook
        By their moment. [ns]
    edge_ns : ndarray, shape (n,)
        [ns]
    name : str
        Of the field.
    """
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
