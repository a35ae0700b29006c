"""How plans on forecasts would have fared."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fared:
    """How a way to plan fared: the saving of all jobs together against "start now", and the share of jobs
    that ended worse than that. [1]"""

    saving: float
    worse: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was said of plans, against what came; each by a past that it had no part in.

    ``covered`` is the share of realised savings within P10 to P90, ``below`` that under P10; ``worth`` the
    share of plans that were called worth waiting, ``worth_worse`` the share of these that ended worse than
    "start now" and ``kept`` how much of the saving of all plans they hold. None where nothing was judged.
    """

    plans: int
    covered: float | None
    below: float | None
    worth: float | None
    worth_worse: float | None
    kept: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What planning would have saved on a user's own past.

    ``forward`` judges by what was known at each moment, ``halved`` the second half by the first, ``crossed``
    each block of time by all others.
    """

    jobs: int
    left_out: int
    oracle: Fared
    static: Fared
    replanned: Fared
    forward: Judgement
    halved: Judgement
    crossed: Judgement
    error: float | None
    mape: float | None
    error_by_day: tuple[float | None, ...]
    flags: tuple[str, ...] = ()
