"""Histories that the tests of schedules share: drawn ones, and the hours of 2022."""

import json
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from wattermark.science.schedule.steps import Steps

FOLDER = Path(__file__).parents[2] / "data" / "em2022"
BEGIN_S = 1_640_995_200.0  # 2022-01-01
MINUTES = (5, 15, 30, 60)


@st.composite
def steps(draw, most=14, values=None):
    """Steps of 5 to 60 minutes, mixed, with gaps; equal values are frequent."""
    lengths = draw(st.lists(st.sampled_from(MINUTES), min_size=1, max_size=most))
    if values is None:
        values = st.one_of(st.integers(0, 4).map(float), st.floats(-5, 900), st.just(np.nan))
    drawn = draw(st.lists(values, min_size=len(lengths), max_size=len(lengths)))
    edges = BEGIN_S + 60.0 * np.concatenate(([0], np.cumsum(lengths)))
    return Steps(edges, np.array(drawn, float))


@cache
def published():
    """The published tables."""
    return json.loads((FOLDER / "published.json").read_text(encoding="utf-8"))


@cache
def hours(name="hours"):
    """The hours of 2022, or a published file of starts; shape (rows, columns)."""
    with np.load(FOLDER / "hours.npz") as file:
        planes = file[name].astype(np.int64)
    return (planes[0] + 256 * planes[1] + 65536 * planes[2]).T / 100


@cache
def zones():
    with np.load(FOLDER / "hours.npz") as file:
        return file["zones"].tolist()


def group(name):
    """The columns of a continent, or of all."""
    names = zones() if name == "Global" else published()["groups"][name]
    return [zones().index(zone) for zone in names]
