"""How good forecasts have been: what was said of an hour before it came, against what came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from wattermark.values.series import Series
from wattermark.values.told import LeadError
from wattermark.values.units import S_PER_HOUR

DAY_S: Final = 24 * S_PER_HOUR
LEAST_ISSUES: Final = 3
LEAST_S: Final = 12 * S_PER_HOUR
"""What fewer issues, or fewer hours, were off by is chance."""

Step = tuple[float, float]


def errors_by_lead(issues: Sequence[Series]) -> tuple[LeadError, ...]:
    """The error of forecasts by day of lead.

    The mean absolute error over the mean of what came, so that hours near to nothing do not weigh without
    end, as they do in a mean of relative errors (Hyndman and Koehler 2006,
    doi:10.1016/j.ijforecast.2006.03.001).

    Parameters
    ----------
    issues : sequence of Series
        All that one provider ever said of one signal at one place, the oldest first: what came, then from
        ``forecast_from_s`` on what it expected. A step that was revised counts as it was told last.

    Returns
    -------
    errors : tuple of LeadError
        For each day ahead that any issue told of, in order.
    """
    came = _came(issues)
    off: dict[int, list[tuple[float, float, float]]] = defaultdict(list)
    told_by: dict[int, set[float]] = defaultdict(set)
    for made_s, issue in _once_each(issues).items():
        for (begin_s, end_s), value in _forecast(issue):
            day = 1 + int((begin_s - made_s) // DAY_S)
            told_by[max(day, 1)]
            if (true := came.get((begin_s, end_s))) is not None:
                off[max(day, 1)].append((abs(value - true), abs(true), end_s - begin_s))
                told_by[max(day, 1)].add(made_s)
    return tuple(_lead(day, off[day], len(told_by[day])) for day in sorted(told_by))


def mean_error(errors: Sequence[LeadError]) -> float | None:
    """The error over all days ahead that are known, each as often as it was compared. [1]

    Parameters
    ----------
    errors : sequence of LeadError
        By day of lead.
    """
    known = [(one.error, one.compared_s) for one in errors if one.error is not None]
    total_s = sum(compared_s for _, compared_s in known)
    return sum(error * compared_s for error, compared_s in known) / total_s if total_s else None


def _came(issues: Sequence[Series]) -> Mapping[Step, float]:
    """What came in each step, as it was told last."""
    found: dict[Step, float] = {}
    for issue in issues:
        until_s = issue.end_s if issue.forecast_from_s is None else issue.forecast_from_s
        found.update((step, value) for step, value in _steps(issue) if step[1] <= until_s)
    return found


def _once_each(issues: Sequence[Series]) -> Mapping[float, Series]:
    """Forecasts by when they were made; one that was fetched twice counts once."""
    made: dict[float, Series] = {}
    for issue in issues:
        made_s = issue.issued_s if issue.issued_s is not None else issue.fetched_s
        if issue.forecast_from_s is not None and made_s is not None:
            made[made_s] = issue
    return made


def _forecast(issue: Series) -> Iterator[tuple[Step, float]]:
    since_s = issue.forecast_from_s
    return ((step, value) for step, value in _steps(issue) if since_s is not None and step[0] >= since_s)


def _steps(issue: Series) -> Iterator[tuple[Step, float]]:
    pairs = zip(pairwise(issue.edges_s), issue.values, strict=True)
    return ((step, value) for step, value in pairs if value is not None)


def _lead(day: int, off: Sequence[tuple[float, float, float]], issues: int) -> LeadError:
    compared_s = sum(length_s for _, _, length_s in off)
    size = sum(true * length_s for _, true, length_s in off)
    enough = issues >= LEAST_ISSUES and compared_s >= LEAST_S and size > 0
    error = sum(wrong * length_s for wrong, _, length_s in off) / size if enough else None
    return LeadError(day=day, error=error, issues=issues, compared_s=compared_s)
