"""What ways to choose a time would have saved on a history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wattermark.values.trial import Trial

PERCENTS: Final = (5, 10, 25, 50, 75, 90, 95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """The job that is tried on a history, and when it arrives. [s]

    Its deadline is ``within_s`` after the arrival, and it arrives only where the history knows what comes
    until then. ``to_the_end`` counts as the published tables do: everywhere, and what lies beyond the
    history's end shortens the slack. ``expected_s`` is how long such jobs are thought to take, ``restart_s``
    what each start after a pause takes again; ``offset_s`` is how far the clock there is ahead of UTC.
    """

    duration_s: float
    within_s: float
    every_s: float | None = None
    interruptible: bool = False
    to_the_end: bool = False
    expected_s: float | None = None
    restart_s: float = 0.0
    offset_s: float = 0.0

    @property
    def slack_s(self) -> float:
        return self.within_s - self.duration_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What came of one policy, over all starts. Savings are against starting at once, as shares of that. [1]

    ``saving`` is the mean of each start's; ``saving_of_means`` that of the mean intensities. ``percentiles``
    are of the starts' savings, for ``PERCENTS``. ``wait_s`` is how much later it ends than if it had started
    at once, in the mean; None where it was not looked at.
    """

    policy: str
    intensity_g_per_kwh: float
    saving: float
    saving_of_means: float
    saving_g_per_kwh: float
    percentiles: tuple[float, ...]
    worse: float
    wait_s: float | None
    pauses: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """All policies at one place; ``left_out`` starts reach into a gap if they start at once.

    ``place`` is empty for the mean over all places at each start, as a user of all of them sees it.
    """

    place: str
    starts: int
    left_out: int
    now_g_per_kwh: float
    policies: tuple[Judged, ...]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """How plans by forecasts would have fared at a place, and whose forecasts these were."""

    place: str
    source: str
    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """A job, tried on histories of many places between two moments. [s since 1970]

    ``places`` know the history, ``foretold`` only what forecasts said of it.
    """

    trace: str
    job: Rehearsal
    begin_s: float
    end_s: float
    step_s: float
    every_s: float
    places: tuple[Rehearsed, ...]
    together: Rehearsed | None
    foretold: tuple[Foretold, ...] = ()
    flags: tuple[str, ...] = ()
