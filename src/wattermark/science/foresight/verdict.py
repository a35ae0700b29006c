"""Whether waiting is worth it, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wattermark.values.plan import Saving

LEAST_SAVING: Final = 0.01
"""Who asks for nothing else is not told to wait for less than this. [1]"""
MOST_WORSE: Final = 0.1
"""A plan that may end worse than "start now" with a higher chance is not worth its waiting."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is worth waiting, and why."""

    worth_it: bool
    sentence: str


def verdict(savings: Sequence[Saving], *, waits_s: float, least_saving: float | None = None) -> Verdict:
    """Whether a plan is worth its waiting: nine of ten such plans must save what was asked for.

    Parameters
    ----------
    savings : sequence of Saving
        What was planned for stands first; the others are told where they disagree.
    waits_s : float
        By how much later than now it ends. [s]
    least_saving : float, optional
        What nine of ten such plans must save (P10); a hundredth where nothing is asked for. [1]

    Raises
    ------
    ValueError
        If nothing is saved or lost, as there is nothing to judge.
    """
    if not savings:
        raise ValueError("a verdict needs a saving")
    first, *others = savings
    if waits_s <= 0 and first.planned <= 0:
        return Verdict(False, f"Start now: no other way to run saves {first.quantity}.")
    worth = is_worth(first, least_saving)
    words = _yes(first, waits_s) if worth else _no(first, least_saving)
    return Verdict(worth, " ".join((words, *_but(first, others))))


def is_worth(saving: Saving, least_saving: float | None = None) -> bool:
    """The rule alone, as of ``verdict``."""
    least = LEAST_SAVING if least_saving is None else least_saving
    return saving.spread.p10 >= least and saving.worse_chance <= MOST_WORSE


def _yes(saving: Saving, waits_s: float) -> str:
    later = f"ends {_duration(waits_s)} later and " if waits_s > 0 else ""
    return (
        f"Worth waiting: it {later}saves {_percent(saving.spread.p50)} of the {saving.quantity} "
        f"({_band(saving)}); {_in_a_hundred(saving)} end worse than starting now."
    )


def _no(saving: Saving, least_saving: float | None) -> str:
    if saving.planned <= 0:
        return f"Not worth waiting: by the forecast no other hours save {saving.quantity}."
    promise = f"the forecast promises {_percent(saving.planned)} of the {saving.quantity}"
    return f"Not worth waiting: {promise}{_doubt(saving, least_saving)}."


def _doubt(saving: Saving, least_saving: float | None) -> str:
    worse = f"{_in_a_hundred(saving)} end worse than starting now"
    if saving.planned < LEAST_SAVING:
        return f", hardly more than nothing ({_band(saving)})"
    if least_saving and saving.spread.p10 > 0:
        return f", but {_percent(least_saving)} was asked for and is not sure ({_band(saving)})"
    if saving.spread.p50 < LEAST_SAVING:
        return f", which such forecasts hardly keep ({_band(saving)}); {worse}"
    return f", which is not sure ({_band(saving)}); {worse}"


def _but(first: Saving, others: Sequence[Saving]) -> list[str]:
    """Quantities that move the other way."""
    return [
        f"It takes {_percent(-other.spread.p50)} more {other.quantity}."
        for other in others
        if other.spread.p50 <= -LEAST_SAVING and first.spread.p50 > 0
    ]


def _band(saving: Saving) -> str:
    return f"P10 to P90: {_percent(saving.spread.p10)} to {_percent(saving.spread.p90)}"


def _in_a_hundred(saving: Saving) -> str:
    return f"{max(round(100 * saving.worse_chance), 0)} of 100 such plans"


def _percent(share: float) -> str:
    percent = 100 * share
    text = f"{percent:.1f}" if abs(percent) < 10 else f"{percent:.0f}"
    return f"{'0' if text == '-0.0' else text.removesuffix('.0')} %"


def _duration(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:.0f} h" if hours >= 10 else f"{hours:.1f} h" if hours >= 1 else f"{seconds / 60:.0f} min"
