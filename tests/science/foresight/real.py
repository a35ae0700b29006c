"""Real forecasts of nine grids, and what came: tests/data/traces/README.md."""

from functools import cache
from pathlib import Path

import numpy as np

from wattermark.science.foresight.grid_forecast import Issues
from wattermark.science.schedule.steps import Steps

FILE = Path(__file__).parents[2] / "data" / "traces" / "carboncast_2021H2.npz"
HOUR_S, DAY_S = 3600.0, 86400.0
WITHIN_S = 96 * HOUR_S
ZONES = ("AUS_QLD", "BPAT", "CISO", "DE", "ES", "FPL", "ISNE", "NYISO", "PL")
WITH_HISTORY = ("BPAT", "CISO", "DE", "ES", "ISNE", "PL")


@cache
def data():
    with np.load(FILE) as file:
        steps = {name: file[name].astype(np.int64) for name in file if name != "begin_s"}
        begin_s = float(file["begin_s"])
    return {**{name: np.cumsum(step, axis=-1) / 10 for name, step in steps.items()}, "begin_s": begin_s}


@cache
def issues(zone):
    """181 daily forecasts of 96 hours, as they were published."""
    actual, forecast = data()[f"{zone}_actual"], data()[f"{zone}_forecast"]
    came = np.lib.stride_tricks.sliding_window_view(actual, 96)[::24]
    return Issues(
        issued_s=data()["begin_s"] + np.arange(len(forecast)) * DAY_S,
        leads_s=np.arange(97) * HOUR_S,
        actual=came,
        forecast=forecast,
    )


@cache
def history(zone):
    """The hours of a zone, as far back as they are known."""
    actual = data()[f"{zone}_actual"]
    before = data().get(f"{zone}_history", np.empty(0))
    begin_s = data()["begin_s"] - len(before) * HOUR_S
    values = np.concatenate((before, actual))
    return Steps(begin_s + np.arange(len(values) + 1) * HOUR_S, values)


def steps(values, begin_s=0.0, step_s=HOUR_S):
    """A signal in even steps."""
    return Steps(begin_s + np.arange(len(values) + 1) * step_s, np.asarray(values, np.float64))
