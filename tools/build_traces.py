"""Build ``tests/data/em2022`` from the published hours of 2022 and the tables computed from them.

    python tools/build_traces.py --traces DIR

DIR holds ``em_2022_hourly_123zones.csv`` (``datetime_utc`` and a column a zone, g/kWh with two decimals),
``zone_groups.csv`` and ``golden/`` with the tables and ``per_start/`` as umassos/decarbonization-potential
publishes them (commit 3493a63). Values become whole hundredths, exactly, as three planes of bytes, which
pack to a quarter of the text.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
OUT = ROOT / "tests" / "data" / "em2022"
GROUPS = ("Asia", "Americas", "Europe", "Oceania")
TABLES = (
    "combined_pct_slack_24",
    "combined_pct_slack_8760",
    "defer_abs_slack_24",
    "defer_abs_slack_8760",
    "interrupt_abs_slack_24",
    "interrupt_abs_slack_8760",
    "vary_slack",
    "mean_and_cv_2022",
    "spatial_one_inf",
)
PER_START = ("AU-SA_job168_slack8760", "FR_job12_slack24", "US-CAL-CISO_job6_slack168")


def planes(values: Sequence[Sequence[str]]) -> NDArray[np.uint8]:
    """Columns of numbers as whole hundredths, in bytes of rising weight: shape (3, columns, rows)."""
    numbers = np.array([[float(cell) for cell in row] for row in values])
    hundredths = np.rint(numbers * 100).astype("<u4").T.copy()
    if np.abs(hundredths.T / 100 - numbers).max() > 1e-8 or hundredths.max() >= 2**24:
        raise SystemExit("error: a value has more than two decimals, or is too large")
    of_each: NDArray[np.uint8] = hundredths.view(np.uint8).reshape(*hundredths.shape, 4)
    return np.ascontiguousarray(np.moveaxis(of_each, -1, 0)[:3])


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def table(path: Path) -> dict[str, dict[str, float]]:
    """A published table, by row and column."""
    header, *rows = rows_of(path)
    return {row[0]: dict(zip(header[1:], map(float, row[1:]), strict=True)) for row in rows}


def groups(path: Path, zones: Sequence[str]) -> dict[str, list[str]]:
    """The zones of each continent, as the published tables count them."""
    header, *rows = rows_of(path)
    at = {name: header.index(name) for name in GROUPS}
    known = [row for row in rows if row[0] in zones]
    return {name: [row[0] for row in known if row[i] == "1"] for name, i in at.items()}


def build(traces: Path, out: Path) -> None:
    """Write the hours, and beside them what was published of them."""
    header, *rows = rows_of(traces / "em_2022_hourly_123zones.csv")
    zones = header[1:]
    arrays: dict[str, Any] = {
        "zones": np.array(zones),
        "begin": np.array(rows[0][0]),
        "hours": planes([row[1:] for row in rows]),
    }
    for name in PER_START:
        arrays[name] = planes(rows_of(traces / "golden" / "per_start" / f"{name}.csv")[1:])
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out / "hours.npz", **arrays)
    published = {name: table(traces / "golden" / f"{name}.csv") for name in TABLES}
    document = {"groups": groups(traces / "zone_groups.csv", zones), **published}
    (out / "published.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--traces", type=Path, required=True, help="folder with the published files")
    parser.add_argument("--out", type=Path, default=OUT, help="(%(default)s)")
    given = parser.parse_args()
    build(given.traces, given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
