"""How the carbon intensity of grids goes with hour, month and weekend, and how forecasts of it have erred."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .common import BuildError, Cell, Row, make_row, read_facts

Array = NDArray[np.float64]

SHAPE_COLUMNS = (
    *("shape", "month", "weekend", "spread"),
    *(f"h{hour:02d}" for hour in range(24)),
    *("alike", "year", "basis", "source"),
)
GRID_COLUMNS = ("grid", "shape", "note", "year", "basis", "source")
LEADS = 32  # of three hours
ERROR_COLUMNS = (
    *("zone", "issue", "variability"),
    *(f"e{3 * lead:02d}" for lead in range(LEADS)),
    *("year", "basis", "source"),
)
EM_2022 = "em2022/em_2022_hourly_123zones.csv"
FORECASTS = "carboncast/forecast96h_2021H2"
EVERY = 9  # days between issues whose errors are kept: their 96 hours do not overlap
FOR_ALL = 1000  # per mille


def build_shapes(traces: Path) -> tuple[list[Row], list[Row]]:
    """Shapes of the year, and which grid has which; grids of the same zones share one."""
    zones, when = read_zones(traces / EM_2022)
    shapes: dict[str, list[Row]] = {}
    grids = []
    for fact in read_facts("shape_zones"):
        name = fact["zones"]
        missing = [zone for zone in name.split("+") if zone not in zones]
        if missing:
            raise BuildError(f"shape_zones: no zone {missing[0]} in {EM_2022}")
        if name not in shapes:
            shapes[name] = list(_months(name, np.mean([zones[z] for z in name.split("+")], axis=0), when))
        papers: dict[str, Cell] = {"year": 2022, "basis": "lifecycle", "source": "em2022"}
        grids.append(
            make_row(GRID_COLUMNS, {"grid": fact["grid"], "shape": name, "note": fact["note"], **papers})
        )
    return [row for rows in shapes.values() for row in rows], grids


def read_zones(path: Path) -> tuple[dict[str, Array], list[datetime]]:
    """Hourly intensity of each zone, and the hours, UTC."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    when = [_time(row["datetime_utc"]) for row in rows]
    names = [name for name in rows[0] if name != "datetime_utc"]
    return {name: np.array([float(row[name]) for row in rows]) for name in names}, when


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "")).replace(tzinfo=UTC)


def _months(name: str, values: Array, when: list[datetime]) -> Iterator[Row]:
    relative = values / values.mean()
    month = np.array([one.month for one in when])
    hour = np.array([one.hour for one in when])
    weekend = np.array([one.weekday() >= 5 for one in when])
    shaped = np.empty_like(relative)
    rows: list[dict[str, Cell]] = []
    for one in range(1, 13):
        mine = month == one
        ratio = float(relative[mine & weekend].mean() / relative[mine & ~weekend].mean())
        hours = np.array([relative[mine & (hour == h)].mean() for h in range(24)])
        usual = hours[hour[mine]]
        level = np.where(weekend[mine], ratio, 1.0)
        shaped[mine] = usual * level / level.mean()
        off = relative[mine] / shaped[mine] - 1
        cells: dict[str, Cell] = {f"h{h:02d}": round(FOR_ALL * float(hours[h])) for h in range(24)}
        about: dict[str, Cell] = {"shape": name, "month": one, "weekend": round(ratio, 3)}
        rows.append({**about, "spread": round(float(off.std()), 3), **cells})
    off = relative / shaped - 1
    alike = float(np.corrcoef(off[:-24], off[24:])[0, 1]) if off.std() > 0 else 0.0
    papers: dict[str, Cell] = {"alike": round(max(alike, 0.0), 2)}
    papers |= {"year": 2022, "basis": "lifecycle", "source": "em2022"}
    for row in rows:
        yield make_row(SHAPE_COLUMNS, {**row, **papers})


def build_errors(traces: Path) -> list[Row]:
    """Relative errors of published forecasts, three hours at a time, of issues that do not overlap."""
    rows = []
    for path in sorted((traces / FORECASTS).glob("*_lifecycle.csv")):
        actual, forecast = read_issues(path)
        for issue in range(0, len(actual), EVERY):
            came, said = (one[issue].reshape(LEADS, 3).mean(axis=1) for one in (actual, forecast))
            off = came / said - 1
            cells: dict[str, Cell] = {f"e{3 * i:02d}": round(FOR_ALL * float(off[i])) for i in range(LEADS)}
            about: dict[str, Cell] = {
                "zone": path.name.removesuffix("_lifecycle.csv"),
                "issue": issue,
                "variability": round(float(forecast[issue].std() / forecast[issue].mean()), 3),
            }
            papers: dict[str, Cell] = {"year": 2021, "basis": "lifecycle", "source": "carboncast"}
            rows.append(make_row(ERROR_COLUMNS, {**about, **cells, **papers}))
    if not rows:
        raise BuildError(f"no forecasts in {traces / FORECASTS}")
    return rows


def read_issues(path: Path) -> tuple[Array, Array]:
    """What came and what was forecast, shape (issues, 96); labels of hours repeat and are not read."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    names = ("actual_carbon_intensity_lifecycle", "forecasted_carbon_intensity_lifecycle")
    actual, forecast = (
        np.array([float(row[name]) if row[name] else np.nan for row in rows]).reshape(-1, 96)
        for name in names
    )
    return actual, forecast
