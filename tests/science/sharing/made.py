"""Requests, windows and steps, made for tests: what is not told is as plain as can be."""

from dataclasses import replace

import numpy as np

from wattermark.science.sharing.columns import Columns, Cost
from wattermark.science.sharing.steps import Steps
from wattermark.science.sharing.windows import Windows

DENSE = Cost(
    step_j=2.5,
    experts_j=0.0,
    missed=0.0,
    read_token_j=0.016,
    written_token_j=0.046,
    context_token_j=1.8e-5,
    pair_j=1e-7,
)
MIXTURE = replace(DENSE, step_j=0.8, experts_j=8.0, missed=1 - 8 / 128)
GAP = np.nan


def requests(*rows, model=None, again=None, chunks=None):
    """Rows of begin, first, end [s], read, cached, written tokens, passes; tokens may be left out: none."""
    full = [(*row, *(0, 0, 0, GAP)[len(row) - 3 :]) for row in rows]
    begin, first, end, read, cached, written, passes = np.array(full, float).reshape(-1, 7).T
    return Columns(
        begin_s=begin,
        first_s=first,
        end_s=end,
        read_tokens=read,
        cached_tokens=cached,
        written_tokens=written,
        passes=passes,
        model=np.array(model if model is not None else np.zeros(len(begin)), np.int64),
        again_tokens=None if again is None else np.array(again, float),
        chunks=None if chunks is None else np.array(chunks, float),
    )


def windows(*energy_j, idle_w=0.0, edge_s=None):
    """Windows of a second each, from 0 s."""
    edges = np.arange(len(energy_j) + 1.0) if edge_s is None else np.array(edge_s, float)
    return Windows(edge_s=edges, energy_j=np.array(energy_j, float), idle_w=idle_w)


def steps(energy_j, *entries, idle_j=0.0, **more):
    """Entries of step, request, read, written, context tokens."""
    step, request, read, written, context = np.array(entries, float).reshape(-1, 5).T
    energy = np.array(energy_j, float)
    return Steps(
        energy_j=energy,
        idle_j=np.zeros(len(energy)) + idle_j,
        model=np.zeros(len(energy), np.int64),
        step=step.astype(np.int64),
        request=request.astype(np.int64),
        read_tokens=read,
        written_tokens=written,
        context_tokens=context,
        **more,
    )


def schedule(seed):
    """A random schedule: windows (some empty, some without length), requests that reach outside of them."""
    dice = np.random.default_rng(seed)
    n, m, models = dice.integers(1, 12), dice.integers(0, 9), 2
    edge_s = np.cumsum(dice.choice([0.0, 0.3, 1.0, 5.0], n + 1, p=[0.1, 0.3, 0.4, 0.2]))
    begin_s = dice.uniform(edge_s[0] - 2, edge_s[-1] + 1, m)
    begin_s = np.where(dice.random(m) < 0.2, dice.choice(edge_s, m), begin_s)
    first_s = begin_s + dice.exponential(0.5, m) * (dice.random(m) < 0.8)
    end_s = first_s + dice.exponential(2.0, m) * (dice.random(m) < 0.8)
    read, cached, written = (dice.integers(0, 500, m) * (dice.random(m) < 0.8) for _ in range(3))
    unknown = [np.where(dice.random(m) < 0.1, GAP, 0.0) for _ in range(3)]
    rows = np.column_stack(
        [begin_s, first_s + unknown[0], end_s, read + unknown[1], cached, written + unknown[2]]
    )
    made = requests(*rows.tolist(), model=dice.integers(0, models, m), again=dice.integers(0, 2, m) * 30)
    return windows(*dice.exponential(300, n), idle_w=dice.choice([0.0, 40.0, 500.0]), edge_s=edge_s), made
