"""What each tool leaves on the disk, whatever became of its process."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fakes.meters import Bench
from wattermark.errors import WattermarkError
from wattermark.ledger.runs import runs
from wattermark.verbs.look import show as show_run

J_PER_KWH = 3.6e6
OVERLAP = ("inside:", "holds:", "beside:", "overlap")


@dataclass(frozen=True)
class Kept:
    """What lies on the disk afterwards."""

    ids: list[str]
    energies_j: list[float]
    states: list[str]
    said: list[str]


def spools(meters: Bench) -> list[Path]:
    """Of ours."""
    return [place.spool for place in runs(_ledger(meters))]


def _ledger(meters: Bench) -> Path:
    """Where a program keeps its runs by default, or where ``trackers.py`` lets it."""
    home = meters.folder / "home"
    named = home / "ledger"
    return named if named.exists() else home / ".local" / "share" / "wattermark" / "runs"


def _kept_by_wattermark(meters: Bench) -> Kept:
    """As ``wattermark show`` tells each run; CPU and GPUs."""
    kept = Kept([], [], [], [])
    for place in runs(_ledger(meters)):
        try:
            one = show_run(_ledger(meters), place.run)
        except WattermarkError as error:
            kept.states.append(f"unreadable: {error.problem}")
            continue
        parts = [p for p in one.footprint.components if p.counted and p.kind in ("cpu", "gpu")]
        kept.ids.append(place.run)
        kept.energies_j.append(sum(part.energy_j.best for part in parts if part.energy_j is not None))
        kept.states.append(one.recorded.status.value)
        kept.said.extend(flag for flag in one.footprint.flags if flag.startswith(OVERLAP))
    return kept


def _kept_by_codecarbon(meters: Bench) -> Kept:
    path = meters.folder / "home" / "emissions.csv"
    if not path.exists():
        return Kept([], [], [], [])
    with path.open() as file:
        rows = list(csv.DictReader(file))
    energies = [(float(row["cpu_energy"]) + float(row["gpu_energy"])) * J_PER_KWH for row in rows]
    ids = [row["run_id"] for row in rows]
    return Kept(ids, energies, [f"row of {one[:4]}" for one in ids], [])


def _kept_by_eco2ai(meters: Bench) -> Kept:
    """Its file has one sum of CPU, GPUs and memory."""
    path = meters.folder / "home" / "emission.csv"
    if not path.exists():
        return Kept([], [], [], [])
    with path.open() as file:
        rows = list(csv.DictReader(file))
    energies = [float(row["power_consumption(kWh)"]) * J_PER_KWH for row in rows]
    return Kept([row["id"] for row in rows], energies, ["row"] * len(rows), [])


KEPT: dict[str, Callable[[Bench], Kept]] = {
    "wattermark": _kept_by_wattermark,
    "codecarbon": _kept_by_codecarbon,
    "eco2ai": _kept_by_eco2ai,
}


def kept_by(tool: str, meters: Bench) -> Kept:
    """What a tool left on the disk; the others leave no energy there before their stop."""
    return KEPT[tool](meters) if tool in KEPT else Kept([], [], [], [])
