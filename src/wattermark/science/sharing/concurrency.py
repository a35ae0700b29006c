"""How many requests ran at the same time, and what each bore of the steps that they shared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wattermark.science.sharing.columns import Cost, Floats, Places

STEP_TOKENS = 2048
"""Of a prompt, that an engine reads in a step: what engines that read in pieces do by default."""


@dataclass(frozen=True, slots=True)
class Together:
    """What a stream of steps cost each of those that took part, added up over time.

    Between two of ``time_s`` as many took part: ``running`` [1], and each bore a constant part of every
    step; ``borne`` is its integral from the beginning. [J s of the prior a step]
    """

    time_s: Floats
    running: Places
    borne: Floats

    def until(self, time_s: Floats) -> Floats:
        """``borne`` at any time."""
        if not len(self.time_s):
            return np.zeros(np.shape(time_s))
        return np.asarray(np.interp(time_s, self.time_s, self.borne), np.float64)

    def at(self, time_s: Floats) -> Places:
        """How many took part at any time. [1]"""
        running = np.concatenate([[0], self.running])
        return np.asarray(running[np.searchsorted(self.time_s, time_s, "right")], np.int64)


def together(begin_s: Floats, end_s: Floats, cost: Cost) -> Together:
    """Follow how many decoded at the same time, and what a step cost each.

    All of them are alike in a step but for what is their own, so they bear its shared cost equally.

    Parameters
    ----------
    begin_s, end_s : ndarray, shape (m,)
        When each decoded. [s]
    cost : Cost
        Of the model that all of them asked.

    Returns
    -------
    Together
    """
    events = np.concatenate([begin_s, end_s])
    order = np.argsort(events, kind="stable")
    change = np.where(order < len(begin_s), 1, -1)
    time_s, running = events[order], np.cumsum(change)
    share = step_share_j(running, cost)
    borne = np.concatenate([[0.0], np.cumsum(np.diff(time_s) * share[:-1])]) if len(time_s) else time_s
    return Together(time_s, running, borne)


def step_share_j(running: Places | float, cost: Cost) -> Floats:
    """What a step costs each that takes part, but for its own tokens. [J of the prior]

    Parameters
    ----------
    running : ndarray
        How many take part, with a token each. [1]
    cost : Cost
        Of the model.
    """
    step_j = cost.step_j + cost.experts_j * (1 - cost.missed**running)
    return np.asarray(np.where(running > 0, step_j / np.maximum(running, 1), 0.0), np.float64)


def reading_share_j(read_tokens: Floats | float, others: Places | float, cost: Cost) -> Floats:
    """What the steps that read a prompt cost the request, but for its own tokens. [J of the prior]

    With many tokens it hits most experts, and bears each with those of the others that hit it: a decode
    does with chance h, so beside k others it bears the mean of 1 / (1 + hits), which is
    (1 - (1 - h)^(k + 1)) / (h (k + 1)).

    Parameters
    ----------
    read_tokens : ndarray, shape (m,)
        Computed, so many of ``STEP_TOKENS`` in a step at most. [1]
    others : ndarray, shape (m,)
        How many take part beside it, with a token each. [1]
    cost : Cost
        Of the model.
    """
    steps = np.maximum(np.ceil(read_tokens / STEP_TOKENS), 1.0)
    hit = 1 - cost.missed ** np.maximum(read_tokens / steps, 1.0)
    with_others = (1 - cost.missed ** (others + 1)) / (1 - cost.missed)
    step_j = cost.step_j + cost.experts_j * hit * with_others
    return np.asarray(steps * step_j / (others + 1), np.float64)


def busy_s(edge_s: Floats, begin_s: Floats, end_s: Floats) -> Floats:
    """How long anybody ran in each window.

    Parameters
    ----------
    edge_s : ndarray, shape (n + 1,)
        Ends of the windows. [s]
    begin_s, end_s : ndarray, shape (m,)
        Of the requests. [s]

    Returns
    -------
    ndarray, shape (n,)
        [s]
    """
    if not len(begin_s):
        return np.zeros(max(len(edge_s) - 1, 0))
    order = np.argsort(begin_s, kind="stable")
    begin, end = begin_s[order], np.maximum.accumulate(end_s[order])
    new = np.concatenate([[True], begin[1:] > end[:-1]])
    begins, ends = begin[new], end[np.concatenate([new[1:], [True]])]
    before = np.concatenate([[0.0], np.cumsum(ends - begins)])
    at = np.searchsorted(begins, edge_s, "right")
    over = np.where(at > 0, np.maximum(ends[np.maximum(at - 1, 0)] - edge_s, 0), 0)
    return np.clip(np.diff(before[at] - over), 0, np.diff(edge_s))
