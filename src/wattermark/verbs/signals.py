"""Which signals are set for a place: by whom, how fresh, how far they reach, and how good they were."""

from __future__ import annotations

from wattermark.factors.places import resolve
from wattermark.report.told import Overview
from wattermark.values.factors import Place
from wattermark.values.series import Signal
from wattermark.verbs.ambient import place_asked
from wattermark.verbs.heard import hear
from wattermark.verbs.place import place_recorded
from wattermark.wiring.config import Config
from wattermark.wiring.providers import wanted

BACK_S, AHEAD_S = 86_400.0, 259_200.0
"""A day that came, and three that will. [s]"""


def signals_at(asked: str | None, *, config: Config, now_s: float, anew: bool = False) -> Overview:
    """What is set for a place and what it says; where nobody is set, nobody is asked.

    Parameters
    ----------
    asked : str or None
        A place; by default where we are.
    config : Config
        Whom the user set.
    now_s : float
        [s since 1970]
    anew : bool
        Whether everybody is asked, though what they said is fresh.

    Raises
    ------
    UsageError
        If there is no such place, or a setting is missing or cannot be meant.
    """
    place = resolve(asked) if asked else _here(config)
    told = hear(place, list(Signal), now_s - BACK_S, now_s + AHEAD_S, config=config, now_s=now_s, anew=anew)
    return Overview(
        asked=asked,
        place=place,
        now_s=now_s,
        providers=tuple(one.name for one in wanted(config)),
        told=tuple(told),
    )


def _here(config: Config) -> Place:
    where = place_asked(config)
    return place_recorded(where.place, where.found)
