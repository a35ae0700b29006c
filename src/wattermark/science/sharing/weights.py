"""What each request weighs, stretch by stretch: reading its prompt, then writing its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.arrays import part_of, summed
from wattermark.science.sharing.columns import Columns, Cost, Floats, Places, by_place
from wattermark.science.sharing.concurrency import reading_share_j, together

Number = Any
"""A float, or an array of them: the same formulas hold for one request and for many."""
SLOWEST = 0.02
"""Part of a window in which answers are written at least, if any are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What each request weighs by itself, (m,), or one of them. [J of the prior]

    ``read_j`` for its prompt. For its answer ``write_j``, and a part that grows with the context, by
    ``growth_j`` from its begin to its end; ``window_j`` for each token that is in the sight of layers that
    see ``window_tokens`` at most. The context is ``ahead`` tokens, and in the end ``more``. It takes part
    in ``passes``. ``again_j`` is for what was computed a second time.
    """

    read_j: Number
    write_j: Number
    growth_j: Number
    window_j: Number
    window_tokens: Number
    ahead: Number
    more: Number
    passes: Number
    again_j: Number

    def written_j(self, part: Number, middle: Number) -> Number:
        """Of a part of the answer that lies around the middle [1 of its length], all but steps."""
        sight = np.minimum(self.ahead + self.more * middle, self.window_tokens)
        return part * (self.write_j + self.growth_j * middle + self.window_j * sight)

    def of(self, request: Places) -> Own:
        """Of some requests."""
        return Own(**{name: getattr(self, name)[request] for name in self.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Of m requests, when they read (until ``first_s``) and wrote [s], and what that weighs.

    All that one without any length in time weighs lies in ``own.read_j``. A request bears so much of the
    steps of a stretch as ``borne`` grows in it (``Together``), ``steps_per_s`` times: ``borne_edge`` is by
    model and edge. ``begin_window`` is where it began, -1 outside.
    """

    begin_s: Floats
    first_s: Floats
    end_s: Floats
    begin_window: Places
    model: Places
    own: Own
    written_s: Floats
    pace: Floats
    borne_first: Floats
    borne_end: Floats
    borne_edge: Floats

    @property
    def whole_s(self) -> Floats:
        """How long each was there. [s]"""
        return self.end_s - self.begin_s

    @property
    def is_nothing(self) -> NDArray[np.bool_]:
        """Which had no time and weigh nothing."""
        return np.asarray((self.whole_s <= 0) & (self.own.read_j <= 0), bool)


def work_of(requests: Columns, costs: list[Cost], edge_s: Floats) -> Work:
    """What requests weigh, and when.

    The step that reads a prompt writes the first token, too; all others are written in passes. Where
    nobody saw when the answer began, its time is split as the whole steps that it takes weigh.

    Parameters
    ----------
    requests : Columns
        Tokens are known. Clocks that disagree are made to agree: nothing ends before it begins.
    costs : list of Cost
        By the requests' ``model``.
    edge_s : ndarray
        Where the windows begin and end. [s]

    Returns
    -------
    Work
    """
    own, alone_j = _own(requests, costs)
    begin_s, end_s = requests.begin_s, np.maximum(requests.end_s, requests.begin_s)
    writes = (own.passes > 0) & (end_s > begin_s)
    first_s = np.clip(np.nan_to_num(requests.first_s, nan=np.inf), begin_s, end_s)
    seen = writes & (first_s < end_s)
    pass_s = _mean_pass_s(
        requests.model, np.where(seen, end_s - first_s, 0.0), np.where(seen, own.passes, 0.0)
    )
    reading_j, writing_j = own.read_j + alone_j, own.written_j(1.0, 0.5) + own.passes * alone_j
    by_weight_s = (end_s - begin_s) * part_of(writing_j, reading_j + writing_j)
    writing_s = np.fmin(by_weight_s, pass_s * own.passes)
    first_s = np.where(writes & ~seen, end_s - writing_s, first_s)
    writes &= first_s < end_s
    first_s = np.where(writes, first_s, end_s)
    borne_first, borne_end = np.zeros(len(begin_s)), np.zeros(len(begin_s))
    borne_edge, step_j = np.zeros((len(costs), len(edge_s))), np.zeros(len(begin_s))
    for place, cost in enumerate(costs):
        mine = requests.model == place
        runs = together(first_s[mine & writes], end_s[mine & writes], cost)
        borne_first[mine], borne_end[mine] = runs.until(first_s[mine]), runs.until(end_s[mine])
        borne_edge[place] = runs.until(edge_s)
        others = np.maximum(runs.at(first_s[mine]) - writes[mine], 0)
        step_j[mine] = reading_share_j(requests.read_tokens[mine], others, cost)
    at_once_j = np.where(writes, 0.0, own.written_j(1.0, 0.5) + own.passes * alone_j)
    anything = own.ahead + own.more > 0
    return Work(
        begin_s=begin_s,
        first_s=first_s,
        end_s=end_s,
        begin_window=_window(edge_s, begin_s),
        model=requests.model,
        own=replace(own, read_j=np.where(anything, own.read_j + step_j + at_once_j, 0.0)),
        written_s=end_s - first_s,
        pace=np.ones(max(len(edge_s) - 1, 0)),
        borne_first=borne_first,
        borne_end=borne_end,
        borne_edge=borne_edge,
    )


def paced(work: Work, edge_s: Floats, read_j: Floats, written_j: Floats) -> Work:
    """The same work, at the pace of the engine: while it reads prompts all that write wait.

    Parameters
    ----------
    work : Work
        At a pace that is even.
    edge_s : ndarray, shape (n + 1,)
        Of the windows. [s]
    read_j, written_j : ndarray, shape (n,)
        What reading and writing weigh in each, at that pace. [J of the prior]

    Returns
    -------
    Work
        Of which ``pace`` is the part of each window in which answers were written.
    """
    whole_j = read_j + written_j
    mean = float(part_of(written_j.sum(keepdims=True), whole_j.sum(keepdims=True), empty=1.0)[0])
    pace = np.maximum(part_of(written_j, whole_j, empty=mean), SLOWEST)
    so_far = np.concatenate([[0.0], np.cumsum(pace * np.diff(edge_s))])

    def until(time_s: Floats) -> Floats:
        outside_s = time_s - np.clip(time_s, edge_s[0], edge_s[-1])
        return np.asarray(np.interp(time_s, edge_s, so_far) + max(mean, SLOWEST) * outside_s, np.float64)

    return replace(work, pace=pace, written_s=until(work.end_s) - until(work.first_s))


def weigh(work: Work, edge_s: Floats, request: Places, window: Places) -> tuple[Floats, ...]:
    """What requests weigh in windows, and how long they were there.

    Parameters
    ----------
    work : Work
        Of the requests.
    edge_s : ndarray
        Of the windows. [s]
    request, window : ndarray, shape (p,)
        Pairs: each request with each window that it touches.

    Returns
    -------
    tuple of ndarray, shape (p,)
        Weight, of it what was read and what was computed a second time [J of the prior]; time [s].
    """
    own = work.own.of(request)
    from_s = np.maximum(work.begin_s[request], edge_s[window])
    until_s = np.minimum(work.end_s[request], edge_s[window + 1])
    first_s, end_s, model = work.first_s[request], work.end_s[request], work.model[request]
    reading_s = np.maximum(np.minimum(until_s, first_s) - from_s, 0.0)
    whole_s = first_s - work.begin_s[request]
    at_once = (whole_s <= 0) & (window == work.begin_window[request])
    read = np.where(whole_s > 0, part_of(reading_s, whole_s), at_once)
    start_s = np.maximum(from_s, first_s)
    paced = part_of(work.pace[window], work.written_s[request])
    written = np.maximum(until_s - start_s, 0.0) * paced
    middle = part_of((start_s + until_s) / 2 - first_s, end_s - first_s)
    borne = np.minimum(work.borne_edge[model, window + 1], work.borne_end[request]) - np.maximum(
        work.borne_edge[model, window], work.borne_first[request]
    )
    again_j = own.again_j * np.where(end_s > first_s, written, read)
    steps_j = own.passes * paced * np.maximum(borne, 0.0)
    written_j = np.where(written > 0, own.written_j(written, middle), 0.0)
    read_j = own.read_j * read
    return read_j + written_j + steps_j + again_j, read_j, again_j, np.maximum(until_s - from_s, 0.0)


def _own(requests: Columns, costs: list[Cost]) -> tuple[Own, Floats]:
    """What is each request's own, and what a step weighs that it has for itself."""
    of = by_place(costs, requests.model)
    again = np.zeros(len(of("missed"))) if requests.again_tokens is None else requests.again_tokens
    tokens = Tokens(
        read=requests.read_tokens,
        cached=requests.cached_tokens,
        written=requests.written_tokens,
        passes=requests.passes,
        again=np.nan_to_num(again),
    )
    return own_of(of, tokens), of("step_j") + of("experts_j") * (1 - of("missed"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tokens of requests, all of them known: arrays (m,), or numbers of one request. [1]"""

    read: Number
    cached: Number
    written: Number
    passes: Number
    again: Number = 0.0


def own_of(of: Callable[[str], Any], tokens: Tokens) -> Own:
    """What requests weigh by themselves, or what one does.

    Parameters
    ----------
    of : callable
        From the name of a cost to its values, shape (m,), or to its value. [J of the prior]
    tokens : Tokens
        Of them.
    """
    read, cached, written, again = tokens.read, tokens.cached, tokens.written, tokens.again
    ahead, passes = read + cached, np.maximum(tokens.passes - 1, 0.0)
    more = np.maximum(written - 1, 0.0)
    checked = np.where(passes > 0, np.maximum(more, passes * (1 + of("drafted"))), 0.0)
    by_context_j = passes * of("context_token_j") + 2 * checked * of("pair_j")
    sight = np.minimum(cached, of("window_tokens"))
    return Own(
        read_j=read * (of("read_token_j") + of("pair_j") * (ahead + cached))
        + cached * of("context_token_j")
        + sight * of("window_token_j"),
        write_j=checked * of("written_token_j") + by_context_j * ahead,
        growth_j=by_context_j * more,
        window_j=passes * of("window_token_j"),
        window_tokens=of("window_tokens"),
        ahead=ahead,
        more=written,
        passes=passes,
        again_j=again * (of("read_token_j") + of("pair_j") * np.minimum(again, ahead + written)),
    )


def _mean_pass_s(model: Places, seen_s: Floats, passes: Floats) -> Floats:
    """How long a pass of each request's model takes, by those that were seen; nan where none was. [s]"""
    models = int(model.max(initial=0)) + 1
    each = part_of(summed(model, seen_s, models), summed(model, passes, models), empty=np.nan)
    return np.asarray(each[model], np.float64)


def _window(edge_s: Floats, time_s: Floats) -> Places:
    """In which window a moment lies; -1 outside of all of them."""
    place = np.clip(np.searchsorted(edge_s, time_s, "right") - 1, 0, len(edge_s) - 2)
    return np.where((time_s >= edge_s[0]) & (time_s <= edge_s[-1]), place, -1)
