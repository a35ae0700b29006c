"""An engine with continuous batching that never was: every step of it is known, for the tests as well.

It serves in the order of arrival, decodes all that run in each step, and fills the step up with pieces of
prompts. A step takes as long as the accelerator needs for its bytes and FLOPs, and as much energy as the
costs say, times a factor that wanders (clocks, temperature, kernels), over what it draws at rest.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.columns import Columns, Cost
from wattermark.science.sharing.steps import Steps, step_weights
from wattermark.science.sharing.windows import Windows

Floats = NDArray[np.float64]
BUDGET = 2048
"""Tokens of a step, at most."""


@dataclass(frozen=True)
class Asked:
    """What is asked of the engine: when [s], how many tokens [1], by which tenant, and as a stream or not."""

    at_s: Floats
    read: Floats
    cached: Floats
    written: Floats
    tenant: NDArray[np.int64]
    streamed: NDArray[np.bool_]


@dataclass(frozen=True)
class Engine:
    """Limits, and what it takes: ``step_s`` for a step by itself, a token more [s], ``idle_w`` [W]."""

    most: int
    step_s: float
    token_s: float
    kept_s: float
    idle_w: float


@dataclass(frozen=True)
class Happened:
    """All steps, when each began and ended, and the requests as somebody outside sees them."""

    steps: Steps
    begin_s: Floats
    end_s: Floats
    requests: Columns


def serve(asked: Asked, engine: Engine, cost: Cost) -> Happened:
    """Run the engine until everything is answered."""
    m = len(asked.at_s)
    left, done = asked.read.copy(), np.zeros(m)
    first, last = np.full(m, np.nan), np.full(m, np.nan)
    waiting = deque(np.argsort(asked.at_s, kind="stable").tolist())
    running: list[int] = []
    entries: list[tuple[NDArray[np.int64], Floats, Floats, Floats]] = []
    spans: list[tuple[float, float]] = []
    now = 0.0
    while waiting or running:
        if not running:
            now = max(now, float(asked.at_s[waiting[0]]))
        while waiting and len(running) < engine.most and asked.at_s[waiting[0]] <= now:
            running.append(waiting.popleft())
        who = np.array(running)
        decoding = left[who] <= 0
        read = np.zeros(len(who))
        room = BUDGET - float(decoding.sum())
        for i in np.flatnonzero(~decoding).tolist():
            read[i] = min(left[who[i]], room)
            room -= read[i]
        written = decoding.astype(float)
        context = asked.cached[who] + asked.read[who] - left[who] + done[who]
        took_s = engine.step_s + engine.token_s * (read.sum() + written.sum()) + engine.kept_s * context.sum()
        part = read + written > 0
        entries.append((who[part], read[part], written[part], context[part]))
        spans.append((now, now + took_s))
        now += took_s
        left[who] -= read
        ended = (read > 0) & (left[who] <= 0)
        first[who[ended]] = now
        done[who] += written + ended
        over = (left[who] <= 0) & (done[who] >= asked.written[who])
        last[who[over]] = now
        running = who[~over].tolist()
    begin_s, end_s = np.array(spans).T
    who, read, written, context = (np.concatenate(part) for part in zip(*entries, strict=True))
    many = [len(one[0]) for one in entries]
    steps = Steps(
        energy_j=np.zeros(len(many)),
        idle_j=engine.idle_w * (end_s - begin_s),
        model=np.zeros(len(many), np.int64),
        step=np.repeat(np.arange(len(many)), many),
        request=who,
        read_tokens=read,
        written_tokens=written,
        context_tokens=context,
    )
    requests = Columns(
        begin_s=asked.at_s,
        first_s=np.where(asked.streamed, first, np.nan),
        end_s=last,
        read_tokens=asked.read,
        cached_tokens=asked.cached,
        written_tokens=asked.written,
        passes=np.full(m, np.nan),
        model=np.zeros(m, np.int64),
    )
    return Happened(_metered(steps, cost), begin_s, end_s, requests)


def _metered(steps: Steps, cost: Cost) -> Steps:
    """The steps with their energy: at rest, and by the costs times a factor that wanders by 15 %."""
    weight_j, _ = step_weights(steps, [cost])
    n = len(steps.energy_j)
    wander = 1 + 0.15 * np.sin(np.arange(n) * 0.7) * np.cos(np.arange(n) * 0.013)
    energy_j = steps.idle_j + np.bincount(steps.step, weight_j, n) * wander
    return Steps(**{name: getattr(steps, name) for name in Steps.__slots__} | {"energy_j": energy_j})


def windows_of(happened: Happened, engine: Engine, length_s: float) -> Windows:
    """What a meter sees that is read each so many seconds."""
    edge_s = np.arange(0.0, happened.end_s[-1] + 2 * length_s, length_s)
    over_j = happened.steps.energy_j - happened.steps.idle_j
    at = np.column_stack([happened.begin_s, happened.end_s]).ravel()
    so_far = np.column_stack([np.cumsum(over_j) - over_j, np.cumsum(over_j)]).ravel()
    return Windows(
        edge_s=edge_s,
        energy_j=np.diff(np.interp(edge_s, at, so_far)) + engine.idle_w * length_s,
        idle_w=engine.idle_w,
    )
