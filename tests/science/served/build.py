"""Requests and windows made by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from wattermark.science.served.events import OUTCOMES, Events, Names, events_of
from wattermark.science.sharing.columns import Cost
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


def asked(begin_s: float, end_s: float, **more: Any) -> Served:
    usage = {
        name: more.pop(name)
        for name in ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "passes")
        if name in more
    }
    first_s = more.pop("first_s", None)
    return Served(
        begin_ns=round(begin_s * NS_PER_S),
        end_ns=round(end_s * NS_PER_S),
        first_ns=None if first_s is None else round(first_s * NS_PER_S),
        usage=Usage(**usage),
        **{"model": "m", "route": Route.CHAT, "streamed": first_s is not None, **more},
    )


def events(served: Sequence[Served], *, by: str = "tenant") -> Events:
    models: Names[tuple[str, str]] = Names()
    rows: Names[str] = Names()
    return events_of(served, begin_ns=0, models=models, rows=rows, row_of=lambda one: getattr(one, by))


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


__all__ = ["COST", "SMALL", "Outcome", "Route", "asked", "events", "schedules"]
