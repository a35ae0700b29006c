"""Requests and windows made by hand."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from wattermark.ledger.columns import RequestColumns, columns_of
from wattermark.ledger.requests import request_line, row_of
from wattermark.science.served.events import OUTCOMES, Events, Names, events_of, rows_named
from wattermark.science.served.events import columns_of as sharing_columns
from wattermark.science.sharing.columns import Columns, Cost
from wattermark.values.served import Outcome, Route, Served, Usage
from wattermark.values.units import NS_PER_S

_NOTHING = dict.fromkeys(("experts_j", "missed", "context_token_j", "pair_j"), 0.0)
COST = Cost(
    step_j=5.0,
    experts_j=2.0,
    missed=0.9,
    read_token_j=0.1,
    written_token_j=0.2,
    context_token_j=1e-4,
    pair_j=1e-6,
)
SMALL = Cost(step_j=1.0, read_token_j=0.02, written_token_j=0.04, **_NOTHING)


def _mono_ns(since_s: float) -> int:
    return round((ZERO_S + since_s) * NS_PER_S)


def asked(begin_s: float, end_s: float, **more: Any) -> Served:
    usage = {
        name: more.pop(name)
        for name in ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "passes")
        if name in more
    }
    first_s = more.pop("first_s", None)
    return Served(
        begin_ns=_mono_ns(begin_s),
        end_ns=_mono_ns(end_s),
        first_ns=None if first_s is None else _mono_ns(first_s),
        usage=Usage(**usage),
        **{"model": "m", "route": Route.CHAT, "streamed": first_s is not None, **more},
    )


ZERO_S = 100.0
"""When the run began; no clock shows less than zero."""


def table(served: Sequence[Served]) -> RequestColumns:
    """As the ledger reads them."""
    return columns_of(row_of(json.loads(request_line(one))) for one in served)


def events(served: Sequence[Served], *, by: str = "tenant") -> Events:
    requests, names = table(served), Names()
    return events_of(
        requests,
        begin_ns=round(ZERO_S * NS_PER_S),
        models=Names(),
        row=rows_named(requests, by, names, no_name="", quiet_name=None),
    )


def columns(served: Sequence[Served]) -> Columns:
    """What sharing needs of requests whose clock is at zero when the windows begin."""
    row = np.zeros(len(served), np.int64)
    return sharing_columns(events_of(table(served), begin_ns=0, models=Names(), row=row))


@st.composite
def schedules(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Events]:
    """Windows with any energy, and requests anywhere, also outside of them."""
    lengths = draw(st.lists(st.floats(0.05, 5.0), min_size=1, max_size=12))
    edge_s = np.concatenate([[0.0], np.cumsum(lengths)])
    millijoules = st.integers(0, 10**7)
    told = draw(st.lists(millijoules, min_size=len(lengths), max_size=len(lengths)))
    energy_j = np.array(told, float) / 1000
    whole_s = float(edge_s[-1])
    served = [
        asked(
            begin := draw(st.floats(-2.0, whole_s + 2.0)),
            begin + draw(st.floats(0.0, whole_s)),
            input_tokens=draw(st.none() | st.integers(0, 2000)),
            output_tokens=draw(st.none() | st.integers(0, 500)),
            cached_tokens=draw(st.none() | st.integers(0, 500)),
            outcome=draw(st.sampled_from(list(OUTCOMES))),
            model=draw(st.sampled_from(["m", "n"])),
            tenant=draw(st.sampled_from(["a", "b", "c"])),
        )
        for _ in range(draw(st.integers(0, 12)))
    ]
    return edge_s, energy_j, events(served)


__all__ = ["COST", "SMALL", "Outcome", "Route", "asked", "columns", "events", "schedules", "table"]
