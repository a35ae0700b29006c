"""Build the tables of hours from raw traces: shapes of the year, and how forecasts have erred.

Usage: ``python tools/build_shapes.py --traces DIR``

The folder holds ``em2022/em_2022_hourly_123zones.csv`` (hourly 2022, Electricity Maps, ODbL 1.0: the 1-hour
jobs without slack of https://github.com/umassos/decarbonization-potential) and
``carboncast/forecast96h_2021H2/*_lifecycle.csv`` (https://github.com/aamyli/CarbonCast, Apache-2.0). Which
zones stand for which grid is in ``tools/facts/shape_zones.csv``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from factor_build import hours
from factor_build.common import SOURCE_COLUMNS, BuildError, copy_facts, write_csv
from factor_build.notice import make_notice

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "src" / "wattermark" / "factors" / "tables"
MOST_BYTES = 250_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the build; return 1 with a message if a file is missing or a table is too large."""
    parser = argparse.ArgumentParser(description="Build the tables of hours from raw traces.")
    parser.add_argument("--traces", type=Path, required=True, help="folder with the raw traces")
    parser.add_argument("--out", type=Path, default=TABLES, help="folder for the tables")
    parser.add_argument("--notice", type=Path, default=ROOT / "NOTICE", help="file for the notice")
    options = parser.parse_args(arguments)
    try:
        shapes, grids = hours.build_shapes(options.traces)
        sources = copy_facts("sources", SOURCE_COLUMNS)
        tables = {
            "intensity_shapes": (hours.SHAPE_COLUMNS, shapes),
            "shape_of_grids": (hours.GRID_COLUMNS, grids),
            "forecast_errors": (hours.ERROR_COLUMNS, hours.build_errors(options.traces)),
            "sources": sources,
        }
    except (BuildError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for name, (columns, rows) in tables.items():
        path = options.out / f"{name}.csv"
        write_csv(path, columns, rows)
        size = path.stat().st_size
        print(f"{name:22s} {len(rows):5d} rows {size / 1000:7.1f} kB")
        if size > MOST_BYTES:
            print(f"error: {name} takes more than {MOST_BYTES} bytes", file=sys.stderr)
            return 1
    options.notice.write_text(make_notice(sources[1]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
