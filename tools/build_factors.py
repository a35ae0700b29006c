"""Build the factor tables and NOTICE from raw source files.

Usage: ``python tools/build_factors.py --raw DIR``

The raw files stay outside the project; without them the script says which it needs and where they are
published. Facts that were collected by hand, each with its source, are in ``tools/facts``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from factor_build import cloud, grids, hardware, scarcity, water
from factor_build.checks import check_tables
from factor_build.common import SOURCE_COLUMNS, BuildError, Table, copy_facts, write_csv
from factor_build.notice import make_notice
from factor_build.raw import ALL, RawFolder

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "src" / "wattermark" / "factors" / "tables"
MOST_BYTES = 500_000

FACTOR_COLUMNS = ("name", "low", "best", "high", "unit", "year", "basis", "source", "note")
CARBON_COLUMNS = ("technology", "low", "best", "high", "unit", "year", "basis", "source", "note")
COOLING_COLUMNS = (
    *("size", "cooling", "pue_low", "pue", "pue_high", "wue_low", "wue", "wue_high"),
    *("year", "basis", "source"),
)

COORDINATE_COLUMNS = ("key", "latitude", "longitude", "city", "year", "basis", "source")


def build_tables(raw: RawFolder) -> dict[str, Table]:
    """Build every table: name -> (columns, rows)."""
    scarce = scarcity.build_scarcity(raw)
    aware_keys = {row["key"] for row in scarce}
    return {
        "sources": copy_facts("sources", SOURCE_COLUMNS),
        "grids": (grids.COLUMNS, grids.GridBuilder(raw, aware_keys).build()),
        "grid_history": (grids.HISTORY_COLUMNS, grids.build_history(raw)),
        "scarcity": (scarcity.COLUMNS, scarce),
        "coordinates": copy_facts("coordinates", COORDINATE_COLUMNS),
        "cloud_regions": (cloud.COLUMNS, cloud.build_regions(aware_keys)),
        "provider_pue_wue": (cloud.PROVIDER_COLUMNS, cloud.build_disclosures()),
        "google_region_carbon": (cloud.GOOGLE_COLUMNS, cloud.build_google(raw)),
        "water_technology": (water.TECHNOLOGY_COLUMNS, water.build_technology()),
        "cooling_shares": (water.SHARE_COLUMNS, water.build_shares()),
        "cooling_regions": (water.REGION_COLUMNS, water.build_regions()),
        "mix_water": (water.FUEL_COLUMNS, water.build_fuels()),
        "carbon_technology": copy_facts("carbon_technology", CARBON_COLUMNS),
        "accelerators": (hardware.ACCELERATOR_COLUMNS, hardware.build_accelerators()),
        "cpu_tdp": (hardware.CPU_COLUMNS, hardware.build_cpus(raw)),
        "embodied": copy_facts("embodied", FACTOR_COLUMNS),
        "wue_by_cooling": copy_facts("wue_by_cooling", COOLING_COLUMNS),
        "defaults": copy_facts("defaults", FACTOR_COLUMNS),
    }


def write_tables(tables: dict[str, Table], folder: Path, say: Callable[[str], None]) -> None:
    """Write the tables and say how large each is."""
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for name, (columns, rows) in tables.items():
        path = folder / f"{name}.csv"
        write_csv(path, columns, rows)
        size = path.stat().st_size
        total += size
        say(f"{name:22s} {len(rows):5d} rows {size / 1000:7.1f} kB")
    say(f"{'total':22s} {'':10s} {total / 1000:7.1f} kB")
    if total > MOST_BYTES:
        raise BuildError(f"the tables take {total} bytes, more than {MOST_BYTES}")


def list_raw_files() -> str:
    """Describe the raw files for the help text."""
    lines = [
        f"  {item.name}\n    {item.publisher}\n    {item.where}\n    sha256 {item.sha256}" for item in ALL
    ]
    return "raw files:\n" + "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the build; return 1 with a message if a file is missing or a check fails."""
    parser = argparse.ArgumentParser(
        description="Build the factor tables and NOTICE from raw source files.",
        epilog=list_raw_files(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--raw", type=Path, required=True, help="folder with the raw files")
    parser.add_argument("--out", type=Path, default=TABLES, help="folder for the tables")
    parser.add_argument("--notice", type=Path, default=ROOT / "NOTICE", help="file for the notice")
    options = parser.parse_args(arguments)
    raw = RawFolder(options.raw)
    try:
        raw.check()
        tables = build_tables(raw)
        check_tables({name: rows for name, (_, rows) in tables.items()})
        write_tables(tables, options.out, print)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    options.notice.write_text(make_notice(tables["sources"][1]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
