"""Our intensity of a generation mix against another's of the same mix, by zone.

Usage: ``python benchmarks/mix.py --traces DIR``, with CarbonCast's tables of 2020 and 2021 under
``DIR/carboncast/actual_2020_2021`` (Apache-2.0; https://github.com/carbonfirst/CarbonCast). Each has the
power of each fuel and the life-cycle intensity that its authors made of it. Two factors differ: solar, and
what has no name, which has none of ours. ``alike_pct`` is the difference with their two: the formula alone.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from wattermark.factors.mix import carbon_factors
from wattermark.science.mix import per_kwh
from wattermark.science.mix_ahead import DRIVEN, continued
from wattermark.values.mix import Fuel, Mix

FOLDER = Path("carboncast") / "actual_2020_2021"
FUELS = {
    "coal": Fuel.COAL,
    "nat_gas": Fuel.GAS,
    "oil": Fuel.OIL,
    "nuclear": Fuel.NUCLEAR,
    "hydro": Fuel.HYDRO,
    "wind": Fuel.WIND,
    "solar": Fuel.SOLAR,
    "biomass": Fuel.BIOENERGY,
    "geothermal": Fuel.GEOTHERMAL,
    "other": Fuel.OTHER,
    "unknown": Fuel.OTHER,
}
THEIRS = {Fuel.SOLAR: 45.0, Fuel.OTHER: 700.0}
"""By regression of their intensities on their shares. [g/kWh]"""
DAYS_BEFORE, HISTORY, AHEAD = 366 + 181, 28 * 24, 96
HEAD = (
    "zone",
    "hours",
    "ours",
    "theirs",
    "ratio",
    "mape_pct",
    "alike_pct",
    "rank_correlation",
    "gaps",
    "said",
)


def read(path: Path) -> tuple[Mix, np.ndarray]:
    """The mix of a table, and the intensity that its authors made of it. [MW], [g/kWh]"""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    power = {
        fuel: tuple(float(row[name]) if row[name] else None for row in rows)
        for name, fuel in FUELS.items()
        if name in rows[0]
    }
    edges = tuple(3600.0 * i for i in range(len(rows) + 1))  # the hours follow each other
    mix = Mix(place=path.stem.partition("_")[0], source="CarbonCast", edges_s=edges, power_mw=power)
    return mix, np.array([float(row["carbon_intensity"] or "nan") for row in rows])


def compare(mix: Mix, theirs: np.ndarray) -> dict[str, object]:
    """How far apart, and whether the hours rank alike."""
    factors = {fuel: one.value.best for fuel, one in carbon_factors().items()}
    told, alike = per_kwh(mix, factors), per_kwh(mix, {**factors, **THEIRS})
    both = np.isfinite(told.values) & (theirs > 0)
    ours, other = told.values[both], theirs[both]
    return {
        "zone": mix.place,
        "hours": int(both.sum()),
        "ours": round(float(ours.mean()), 1),
        "theirs": round(float(other.mean()), 1),
        "ratio": round(float(np.median(ours / other)), 3),
        "mape_pct": round(100 * float(np.mean(np.abs(ours / other - 1))), 1),
        "alike_pct": round(100 * float(np.median(np.abs(alike.values[both] / other - 1))), 2),
        "rank_correlation": round(float(np.corrcoef(_ranks(ours), _ranks(other))[0, 1]), 4),
        "gaps": int((~both).sum()),
        "said": "; ".join(told.flags),
    }


def _ranks(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(float)


def foretell(mix: Mix) -> dict[str, object]:
    """How well load, wind and sun, were they foretold without error, tell the intensity of four days.

    Every fifth day of the second half of 2021, with the 28 days before it; beside it, the same hours of the
    day before as they were.
    """
    factors = {fuel: one.value.best for fuel, one in carbon_factors().items()} | THEIRS
    load = tuple(np.sum([np.array(one, float) for one in mix.power_mw.values()], axis=0).tolist())
    told = per_kwh(mix, factors).values
    ours, same = [], []
    for first in range(DAYS_BEFORE * 24, mix.steps - AHEAD, 5 * 24):
        was = part(mix, load, slice(first - HISTORY, first))
        seen = part(mix, load, slice(first, first + AHEAD))
        weather = {fuel: power for fuel, power in seen.power_mw.items() if fuel in DRIVEN}
        ahead = per_kwh(continued(was, replace(seen, power_mw=weather)), factors).values
        came = told[first : first + AHEAD]
        ours.append(np.abs(ahead / came - 1))
        same.append(np.abs(np.resize(told[first - 24 : first], AHEAD) / came - 1))
    return {
        "zone": mix.place,
        "issues": len(ours),
        "mape_pct": round(100 * float(np.nanmean(ours)), 1),
        "day_before_pct": round(100 * float(np.nanmean(same)), 1),
    }


def part(mix: Mix, load: tuple[float, ...], hours: slice) -> Mix:
    """Some hours of it."""
    return replace(
        mix,
        edges_s=mix.edges_s[hours.start : hours.stop + 1],
        power_mw={fuel: power[hours] for fuel, power in mix.power_mw.items()},
        load_mw=load[hours],
    )


def show(head: Sequence[str], rows: Sequence[dict[str, object]]) -> None:
    """A table."""
    print(*head, sep="\t")
    for row in rows:
        print(*(row[name] for name in head), sep="\t")


def main(arguments: Sequence[str] | None = None) -> list[dict[str, object]]:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--traces", type=Path, required=True)
    folder = parser.parse_args(arguments).traces / FOLDER
    mixes = [read(path) for path in sorted(folder.glob("*_lifecycle_emissions.csv"))]
    found = [compare(mix, theirs) for mix, theirs in mixes]
    show(HEAD, found)
    ahead = [foretell(mix) for mix, _ in mixes]
    show(tuple(ahead[0]), ahead)
    return [*found, *ahead]


if __name__ == "__main__":
    main()
