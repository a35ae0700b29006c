"""Fit what a processor takes, by its TDP, to servers on a wall meter: ``python tools/fit_cpu.py``.

``tools/facts/load_curves.csv`` holds servers of one node each with their watts at the plug at full load and
at active idle (SPECpower_ssj2008). At either,

    server = board + memory x GB + k x chips x TDP

with the least relative errors, every model of a processor counting the same. Board and memory are left
out of ``k``, as memory is a part of its own with us; all that grows with the processors is in it: their
voltage regulators, the fans that cool them, what the power supply loses for them. ``k`` is told by the 5th,
50th and 95th percentile of what the servers leave for it. The errors are those of models that the fit did not
see, one left out at a time: of the server's watts, and ``coverage``, how many of their ``k`` the others' band
holds.

The same bytes each time.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from factor_build.common import FACTS, read_facts
from numpy.typing import NDArray
from scipy.optimize import nnls

from wattermark.factors.processors import tdp_of
from wattermark.factors.table import named
from wattermark.science.training_fit import Array, quantiles, share_of

TABLES = Path(__file__).parents[1] / "src" / "wattermark" / "factors" / "tables"
BAND = (0.05, 0.5, 0.95)
COLUMNS = (
    *("name", "low", "best", "high", "unit", "rows", "models"),
    *("median_error", "p90_error", "coverage", "data_sha256", "year", "basis", "source", "note"),
)
SAYS = {
    "full": "power at the plug that grows with the processors, over their TDP, at full load",
    "idle": "the same at active idle",
}


@dataclass(frozen=True, slots=True)
class Servers:
    """Servers at one load, shape (n,) each: watts at the plug, GB, chips times TDP; and their processors."""

    watts: Array
    memory_gb: Array
    tdp_w: Array
    models: Sequence[str]

    def but(self, model: str) -> Servers:
        """Without those of one model."""
        keep = np.array([one != model for one in self.models])
        models = [one for one in self.models if one != model]
        return Servers(self.watts[keep], self.memory_gb[keep], self.tdp_w[keep], models)


@dataclass(frozen=True, slots=True)
class Fit:
    """Board [W], memory [W/GB], and ``k`` [1] at its 5th, 50th and 95th percentile."""

    board_w: float
    memory_w_per_gb: float
    over_tdp: Array

    def left_for_cpu(self, servers: Servers) -> Array:
        """What each server takes for its processors, over their TDP. [1]"""
        rest = servers.watts - self.board_w - self.memory_w_per_gb * servers.memory_gb
        return np.asarray(rest / servers.tdp_w, float)

    def expected_w(self, servers: Servers) -> Array:
        """Of the whole server, at the median. [W]"""
        rest = self.board_w + self.memory_w_per_gb * servers.memory_gb
        return np.asarray(rest + self.over_tdp[1] * servers.tdp_w, float)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=TABLES, help="where the table goes (%(default)s)")
    args = parser.parse_args(argv)
    rows = [row for load in SAYS for row in fitted(load, servers_at(load))]
    with (args.out / "cpu_fit.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for line in (*report(rows), *beside_the_usual(), *by_kind()):
        print(line)
    return 0


def servers_at(load: str) -> Servers:
    """All servers of the table at ``full`` or ``idle``."""
    rows = read_facts("load_curves")
    models = [row["cpu"] for row in rows]
    chips = np.array([float(row["chips"]) for row in rows])
    return Servers(
        np.array([float(row[f"{load}_w"]) for row in rows]),
        np.array([float(row["memory_gb"]) for row in rows]),
        chips * np.array([tdp_of(model) or np.nan for model in models]),
        models,
    )


def fit(servers: Servers) -> Fit:
    """The plane with the least relative errors, none of its terms below zero; then the spread around it."""
    once = np.array([1 / servers.models.count(model) for model in servers.models])
    scale = np.sqrt(once) / servers.watts
    terms = np.stack([np.ones_like(servers.watts), servers.memory_gb, servers.tdp_w], axis=1)
    board_w, memory_w_per_gb, _ = nnls(terms * scale[:, None], servers.watts * scale)[0]
    plane = Fit(float(board_w), float(memory_w_per_gb), np.ones(3))
    spread = quantiles(plane.left_for_cpu(servers), servers.models, BAND)
    return Fit(plane.board_w, plane.memory_w_per_gb, spread)


def left_out(servers: Servers) -> tuple[Array, NDArray[np.bool_]]:
    """Of each server, by a fit without its processor: error of its watts, and whether the band holds."""
    found = {model: fit(servers.but(model)) for model in set(servers.models)}
    errors, inside = [], []
    for i, model in enumerate(servers.models):
        one = Servers(servers.watts[[i]], servers.memory_gb[[i]], servers.tdp_w[[i]], [model])
        others = found[model]
        errors.append(abs(others.expected_w(one)[0] / one.watts[0] - 1))
        low, _, high = others.over_tdp
        inside.append(low <= others.left_for_cpu(one)[0] <= high)
    return np.array(errors), np.array(inside, np.bool_)


def fitted(load: str, servers: Servers) -> Iterator[Mapping[str, object]]:
    """The rows of one load: what is the processors', and what is left out of it."""
    whole = fit(servers)
    errors, inside = left_out(servers)
    middle, most = quantiles(errors, servers.models, [0.5, 0.9])
    about = {
        "rows": len(servers.models), "models": len(set(servers.models)), "data_sha256": _digest(),
        "year": 2023, "basis": "at the plug", "source": "specpower+codecarbon+ours",
    }  # fmt: skip
    low, best, high = (f"{end:.3g}" for end in whole.over_tdp)
    yield {
        **about, "name": f"cpu_{load}_over_tdp", "low": low, "best": best, "high": high, "unit": 1,
        "median_error": f"{middle:.3f}", "p90_error": f"{most:.3f}",
        "coverage": f"{share_of(inside, servers.models):.3f}", "note": SAYS[load],
    }  # fmt: skip
    aside = {"board_w": (whole.board_w, "W"), "memory_w_per_gb": (whole.memory_w_per_gb, "W/GB")}
    for name, (value, unit) in aside.items():
        note = "taken off; not added to any run"
        yield {**about, "name": f"server_{load}_{name}", "best": f"{value:.3g}", "unit": unit, "note": note}


def report(rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """What was found, for people."""
    for row in rows:
        yield "  ".join(f"{row.get(name, '')}" for name in COLUMNS[:-5])


def beside_the_usual() -> Iterator[str]:
    """How much better that is than a usual logical CPU, as is taken where the processor is not known."""
    for load in SAYS:
        servers = servers_at(load)
        whole = fit(servers)
        cpu_w = whole.left_for_cpu(servers) * servers.tdp_w
        usual = named("defaults", f"cpu_{load}_w_per_logical_cpu").value
        errors = np.abs(usual.best * _logical_cpus() / cpu_w - 1)
        inside = (usual.low * _logical_cpus() <= cpu_w) & (cpu_w <= usual.high * _logical_cpus())
        by_tdp = np.abs(whole.over_tdp[1] * servers.tdp_w / cpu_w - 1)
        yield (
            f"{load}, of the processors': by TDP {np.median(by_tdp):.0%} (p90 {_p90(by_tdp):.0%}), as "
            f"usual {np.median(errors):.0%} (p90 {_p90(errors):.0%}), held by its band {inside.mean():.0%}"
        )


def by_kind() -> Iterator[str]:
    """Left out one at a time, by year and by size."""
    rows = read_facts("load_curves")
    kinds = {
        "2012-2014": [int(row["year"]) <= 2014 for row in rows],
        "2015-2019": [2014 < int(row["year"]) <= 2019 for row in rows],
        "2020-2023": [int(row["year"]) > 2019 for row in rows],
        "below 100 W": [float(row["full_w"]) < 100 for row in rows],
        "above 100 W": [float(row["full_w"]) >= 100 for row in rows],
    }
    for load in SAYS:
        errors, inside = left_out(servers_at(load))
        for kind, which in kinds.items():
            some = np.array(which)
            yield (
                f"{load}, {kind}: {some.sum()} servers, median {np.median(errors[some]):.0%}, "
                f"p90 {_p90(errors[some]):.0%}, held {inside[some].mean():.0%}"
            )


def _logical_cpus() -> Array:
    rows = read_facts("load_curves")
    return np.array([float(row["cores"]) * float(row["threads_per_core"]) for row in rows])


def _p90(errors: Array) -> float:
    return float(np.quantile(errors, 0.9))


def _digest() -> str:
    return hashlib.sha256((FACTS / "load_curves.csv").read_bytes()).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
