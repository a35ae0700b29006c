"""The year's hours of a grid, and how forecasts have erred where nobody has any of their own."""

from __future__ import annotations

from functools import cache

from wattermark.factors.table import Row, number, rows_by, table, whole
from wattermark.values.year_shape import ErrorTable, YearShape

FLAT = "shape-flat: how the hours of {} differ is not known; one hour is taken to be like another"
BORROWED = "shape-borrowed: the hours of {} are told by those of {}"
PER_MILLE = 1000.0
ERROR_STEP_S = 10800.0


@cache
def shape_of(grid: str) -> YearShape:
    """How the hours of a grid differ over a year; those of what it lies in where only these are known.

    Parameters
    ----------
    grid : str
        A key of ``grids.csv``.
    """
    shapes = rows_by("shape_of_grids", "grid")
    at = grid
    while at and at not in shapes:
        at = rows_by("grids", "key")[at]["parent"]
    if not at:
        return YearShape(key="", flags=(FLAT.format(grid),))
    flags = () if at == grid else (BORROWED.format(grid, at),)
    return _shape(shapes[at]["shape"], flags)


def _shape(key: str, flags: tuple[str, ...]) -> YearShape:
    months = sorted(_months()[key], key=lambda row: whole(row, "month"))
    first = months[0]
    return YearShape(
        key=key,
        hours=tuple(tuple(number(row, f"h{h:02d}") / PER_MILLE for h in range(24)) for row in months),
        weekend=tuple(number(row, "weekend") for row in months),
        spread=tuple(number(row, "spread") for row in months),
        alike=number(first, "alike"),
        source=first["source"],
        year=whole(first, "year"),
        basis=first["basis"],
        flags=flags,
    )


@cache
def _months() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in table("intensity_shapes"):
        found.setdefault(row["shape"], []).append(row)
    return found


@cache
def usual_errors() -> ErrorTable:
    """Errors of published forecasts of nine grids, for those who have none of their own."""
    rows = table("forecast_errors")
    leads = [name for name in rows[0] if name[0] == "e" and name[1:].isdecimal()]
    return ErrorTable(
        step_s=ERROR_STEP_S,
        relative=tuple(tuple(number(row, lead) / PER_MILLE for lead in leads) for row in rows),
        variability=tuple(number(row, "variability") for row in rows),
        zones=tuple(row["zone"] for row in rows),
        source=rows[0]["source"],
    )
