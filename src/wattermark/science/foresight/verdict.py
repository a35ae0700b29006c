"""Whether waiting is worth it, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wattermark.values.plan import Saving, Spread

LEAST_SAVING: Final = 0.01
"""Who asks for nothing else is not told to wait for less than this. [1]"""
MOST_WORSE: Final = 0.1
"""A plan that may end worse than "start now" with a higher chance is not worth its waiting."""
SAID: Final[Mapping[str, str]] = {
    "carbon-marginal": "marginal carbon",
    "water-thermal": "water if reservoirs are not counted",
}
"""Quantities in a sentence, where that is not their name."""


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
        What was planned for stands first; the others are told where they go the other way.
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
    worth = is_worth(first, least_saving)
    words = _yes(first, waits_s) if worth else _no(first, least_saving)
    return Verdict(worth, " ".join((words, *_but(first, others))))


def is_worth(saving: Saving, least_saving: float | None = None) -> bool:
    """The rule alone; where nobody knows how forecasts err, nothing is worth waiting.

    Parameters
    ----------
    saving : Saving
        Of what was planned for.
    least_saving : float, optional
        As of ``verdict``. [1]
    """
    least = LEAST_SAVING if least_saving is None else least_saving
    if saving.spread is None or saving.worse_chance is None:
        return False
    return saving.spread.p10 >= least and saving.worse_chance <= MOST_WORSE


def _yes(saving: Saving, waits_s: float) -> str:
    worth = "Worth waiting" if waits_s > 0 else "Worth a change of plans"
    later = f"ends {_duration(waits_s)} later and " if waits_s > 0 else ""
    sure = "" if saving.spread is None else f" ({_band(saving.spread)})"
    worse = _in_a_hundred(saving.worse_chance or 0.0)
    return (
        f"{worth}: it {later}saves {_percent(_middle(saving))} of the {_word(saving)}{sure}; "
        f"{worse} end worse than starting now."
    )


def _no(saving: Saving, least_saving: float | None) -> str:
    if saving.planned <= 0:
        return f"Not worth waiting: by the forecast no other hours save {_word(saving)}."
    promise = f"the forecast promises {_percent(saving.planned)} of the {_word(saving)}"
    return f"Not worth waiting: {promise}{_doubt(saving, least_saving)}."


def _doubt(saving: Saving, least_saving: float | None) -> str:
    if saving.spread is None or saving.worse_chance is None:
        return ", and nobody knows how such forecasts err"
    band = _band(saving.spread)
    if saving.planned < LEAST_SAVING:
        return f", hardly more than nothing ({band})"
    if least_saving and saving.spread.p10 > 0:
        return f", but {_percent(least_saving)} was asked for and is not sure ({band})"
    doubt = "which such forecasts hardly keep" if saving.spread.p50 < LEAST_SAVING else "which is not sure"
    return f", {doubt} ({band}); {_in_a_hundred(saving.worse_chance)} end worse than starting now"


def _but(first: Saving, others: Sequence[Saving]) -> list[str]:
    """Quantities that go the other way."""
    return [
        f"It takes {_percent(-_middle(other))} more {_word(other)}."
        for other in others
        if _middle(other) <= -LEAST_SAVING and _middle(first) > 0
    ]


def _word(saving: Saving) -> str:
    return SAID.get(saving.quantity, saving.quantity)


def _middle(saving: Saving) -> float:
    return saving.planned if saving.spread is None else saving.spread.p50


def _band(spread: Spread) -> str:
    return f"P10 to P90: {_percent(spread.p10)} to {_percent(spread.p90)}"


def _in_a_hundred(chance: float) -> str:
    return f"{round(100 * chance)} of 100 such plans"


def _percent(share: float) -> str:
    percent = 100 * share
    text = f"{percent:.1f}" if abs(percent) < 10 else f"{percent:.0f}"
    return f"{'0' if text == '-0.0' else text.removesuffix('.0')} %"


def _duration(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:.0f} h" if hours >= 10 else f"{hours:.1f} h" if hours >= 1 else f"{seconds / 60:.0f} min"
