"""Small helpers: rows, CSV files, rounding, ranges."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

Row = dict[str, str]
Cell = str | int | float | None
Table = tuple[Sequence[str], list[Row]]

FACTS = Path(__file__).resolve().parent.parent / "facts"

SOURCE_COLUMNS = ("id", "title", "publisher", "version", "licence", "ship", "attribution", "url_or_doi")

# A range is read as the 5-95 % interval of a lognormal: 1.645 standard deviations on each side.
Z95 = 1.645

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class BuildError(Exception):
    """A source file or a built table is not what this script expects."""


def read_csv(path: Path) -> list[Row]:
    """Read a CSV file with one header line."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return [
            {key.strip(): (value or "").strip() for key, value in row.items()}
            for row in csv.DictReader(handle)
        ]


def read_facts(name: str) -> list[Row]:
    """Read one hand-collected table from ``tools/facts``."""
    return read_csv(FACTS / f"{name}.csv")


def to_cell(value: Cell, digits: int = 5) -> str:
    """Write a value: floats with `digits` significant digits and no trailing zero, None as empty."""
    if value is None:
        return ""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BuildError(f"not a finite number: {value}")
        return f"{value:.{digits}g}" if abs(value) < 1e5 else f"{value:.0f}"
    return str(value).replace("\u200b", "").strip()


def make_row(columns: Sequence[str], values: Mapping[str, Cell]) -> Row:
    """Turn values into cells in the order of `columns`; a column without a value is empty."""
    extra = set(values) - set(columns)
    if extra:
        raise BuildError(f"no such column: {sorted(extra)}")
    return {column: to_cell(values.get(column)) for column in columns}


def copy_facts(name: str, columns: Sequence[str]) -> Table:
    """Take a table of facts as it is, without columns that are for the build only."""
    return columns, [make_row(columns, {key: fact[key] for key in columns}) for fact in read_facts(name)]


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a table as UTF-8 with LF line ends."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def to_float(text: str) -> float | None:
    """Read a number; an empty cell is None."""
    return float(text) if text else None


def need_float(text: str, what: str) -> float:
    """Read a number that has to be there."""
    if not text:
        raise BuildError(f"no number for {what}")
    return float(text)


def join_flags(*flags: str) -> str:
    """Join the flags that are not empty."""
    return ";".join(flag for flag in flags if flag)


def log_range(best: float, below: Iterable[float], above: Iterable[float]) -> tuple[float, float]:
    """Combine independent factors of uncertainty around `best`.

    Parameters
    ----------
    best
        Central value.
    below, above
        Factors (>= 1) by which the true value may lie below or above, each as a 5-95 % bound.

    Returns
    -------
    tuple of float
        Low and high, the factors combined as a root of the sum of squared logarithms.
    """
    down = math.sqrt(sum(math.log(factor) ** 2 for factor in below))
    up = math.sqrt(sum(math.log(factor) ** 2 for factor in above))
    return best * math.exp(-down), best * math.exp(up)


def gsd_bound(gsd: float) -> float:
    """Turn a geometric standard deviation into the factor to its 5 % or 95 % bound."""
    return float(gsd**Z95)


def weighted_percentile(pairs: Iterable[tuple[float, float]], fraction: float) -> float:
    """Return the value below which `fraction` of the weight lies; pairs are (value, weight)."""
    ordered = sorted(pairs)
    total = sum(weight for _, weight in ordered)
    reached = 0.0
    for value, weight in ordered:
        reached += weight
        if reached >= fraction * total:
            return value
    return ordered[-1][0]
