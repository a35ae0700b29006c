"""Build the small data set of real forecasts that the tests try plans on.

Usage: ``python tools/build_issues.py --traces DIR``

Nine grids, 181 daily issues of 96 hours (2021-07-01 to 12-28) with what came, and for six of them the hours
of the year before, all as lifecycle carbon intensity in tenths of a gram a kWh, as differences in 16 bits.
Source: CarbonCast (fork https://github.com/aamyli/CarbonCast, commit fb8fe4f, Apache-2.0), whose data come
from the US EIA (public domain), ENTSO-E and OpenNEM.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from factor_build.hours import FORECASTS, Array, read_issues
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests" / "data" / "traces" / "carboncast_2021H2.npz"
ACTUAL = "carboncast/actual_2020_2021"
PER_GRAM = 10
FIRST_HISTORY = 182 * 24  # hours of 2020 that are left out: what stays is the year before the first issue
BEGIN_S = 1625097600  # 2021-07-01, UTC


def packed(values: Array) -> NDArray[np.int16]:
    """Differences along the last axis, the first value itself; what does not fit would be seen at once."""
    tenths = np.rint(values * PER_GRAM).astype(np.int64)
    steps = np.diff(tenths, axis=-1, prepend=0)
    if np.abs(steps).max() > np.iinfo(np.int16).max:
        raise ValueError("a step is too large for 16 bits")
    return steps.astype(np.int16)


def read_history(path: Path) -> Array:
    """Hourly intensity, 2020 and 2021."""
    with path.open(encoding="utf-8", newline="") as handle:
        return np.array([float(row["carbon_intensity"]) for row in csv.DictReader(handle)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the build."""
    parser = argparse.ArgumentParser(description="Build the data set of real forecasts for the tests.")
    parser.add_argument("--traces", type=Path, required=True, help="folder with the raw traces")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    kept: dict[str, NDArray[np.generic]] = {"begin_s": np.array(BEGIN_S)}
    for path in sorted((options.traces / FORECASTS).glob("*_lifecycle.csv")):
        zone = path.name.removesuffix("_lifecycle.csv")
        actual, forecast = read_issues(path)
        day_after_day = np.concatenate((actual[:, :24].ravel(), actual[-1, 24:]))
        kept[f"{zone}_actual"], kept[f"{zone}_forecast"] = packed(day_after_day), packed(forecast)
        history = options.traces / ACTUAL / f"{zone}_lifecycle_emissions.csv"
        if history.exists():
            until = (366 + 181) * 24
            kept[f"{zone}_history"] = packed(read_history(history)[FIRST_HISTORY:until])
    if len(kept) == 1:
        print(f"error: no forecasts in {options.traces / FORECASTS}", file=sys.stderr)
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out, **kept)  # type: ignore[arg-type]
    print(f"{options.out}: {options.out.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
