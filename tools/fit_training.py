"""Fit how much of the peak trainings reach: ``python tools/fit_training.py [--out FOLDER]``.

``training_runs.csv`` holds published runs: their parameters, tokens, accelerators and hours, each with
its paper and the table in it. Left out are encoder-decoders, distilled and pruned models, fine-tunings,
and hours that somebody assumed (GPT-3). Each run's MFU from end to end is its model FLOPs (6 x active
parameters x tokens) over the dense peak of its accelerator at its precision, times its hours.

``training_fit.csv`` gets their 5th, 50th and 95th percentiles; every paper counts the same, however many
sizes it tells of. Where there are fewer than ten papers (mixtures of experts, eight bits), the ends come
from the spread of the dense runs in 16 bit, around the geometric mean of the few. The errors are those of
papers that the fit did not see, one left out at a time: ``median_error`` of the hours, ``within_two`` the
share that is right within a factor of two, ``coverage`` the share inside of the others' band.

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

from wattermark.factors.accelerators import accelerator_named, peak_flops
from wattermark.factors.table import Row, number, table
from wattermark.factors.training import generation_of
from wattermark.science.training import implied_mfu, training_flops
from wattermark.science.training_fit import (
    Array,
    leave_one_paper_out,
    percentiles,
    quantiles,
    share_of,
    spread,
    times_off,
)

TABLES = Path(__file__).parents[1] / "src" / "wattermark" / "factors" / "tables"
EIGHT_BITS = "fp8"
COLUMNS = (
    *("name", "low", "best", "high", "unit", "rows", "papers"),
    *("median_error", "within_two", "coverage", "data_sha256", "year", "basis", "source", "note"),
)
FITTED = (
    *("training_mfu", "training_mfu_ampere", "training_mfu_hopper"),
    *("training_mfu_mixture", "training_mfu_8bit"),
)
SAYS = {
    "training_mfu": "dense models in 16 bit, on any accelerator",
    "training_mfu_ampere": "dense models in 16 bit on A100 and A800",
    "training_mfu_hopper": "dense models in 16 bit on H100, H800 and their kin",
    "training_mfu_mixture": "mixtures of experts in 16 bit, by active parameters; as wide as the dense",
    "training_mfu_8bit": "of the 8-bit peak: mixtures of experts, by active parameters; ends as of mixtures",
    "training_mfu_8bit_dense": "of the 8-bit peak: Hopper in 16 bit, times from no gain to that of mixtures",
    "training_mfu_8bit_of_16bit_peak": "the same runs by the 16-bit peak: what eight bits bring",
    "training_run_over_step": "MFU from end to end over that of a step, where a step's was told",
}


@dataclass(frozen=True, slots=True)
class Run:
    """A published run, and the share of the peak that it reached."""

    row: Row
    mfu: float

    @property
    def kind(self) -> str:
        """The factor that it belongs to."""
        if self.row["precision"] == EIGHT_BITS:
            return "training_mfu_8bit"
        sparse = number(self.row, "active_params") < number(self.row, "params")
        return "training_mfu_mixture" if sparse else "training_mfu"

    @property
    def factor(self) -> str:
        """The one that an estimate of it takes."""
        generation = generation_of(self.row["accelerator"])
        return f"{self.kind}_{generation}" if self.kind == "training_mfu" and generation else self.kind


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=TABLES, help="where the table goes (%(default)s)")
    args = parser.parse_args(argv)
    runs = published()
    rows = list(fitted(runs))
    with (args.out / "training_fit.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for line in report(runs, rows):
        print(line)
    return 0


def published() -> list[Run]:
    """All runs of the table."""
    return [Run(row, mfu_of(row)) for row in table("training_runs")]


def mfu_of(row: Row, precision: str = "") -> float:
    """MFU of a run from end to end, of the peak at its own precision unless another is named."""
    peak = peak_flops(accelerator_named(row["accelerator"]), precision or row["precision"])
    flops = training_flops(number(row, "active_params"), number(row, "tokens"))
    hours = number(row, "accelerator_hours")
    return float(implied_mfu(flops, peak_flops=peak, accelerator_hours=hours))


def fitted(runs: Sequence[Run]) -> Iterator[Mapping[str, object]]:
    """The rows of the fit."""
    dense = [run for run in runs if run.kind == "training_mfu"]
    usual = spread(_values(dense), _papers(dense))
    found: dict[str, Mapping[str, object]] = {}
    for name in FITTED:
        some = [run for run in runs if name in (run.kind, run.factor)]
        found[name] = _row(name, some, _values(some), usual)
    yield from found.values()
    yield _dense_in_eight_bits(found)
    eight = [run for run in runs if run.kind == "training_mfu_8bit"]
    yield _row(
        "training_mfu_8bit_of_16bit_peak", eight, np.array([mfu_of(run.row, "bf16") for run in eight]), usual
    )
    told = [run for run in runs if run.row["step_mfu"]]
    ratios = np.array([run.mfu / number(run.row, "step_mfu") for run in told])
    yield _row("training_run_over_step", told, ratios, spread(ratios, _papers(told)))


def _dense_in_eight_bits(found: Mapping[str, Mapping[str, object]]) -> Mapping[str, object]:
    """Nobody told the hours of a dense model in eight bits: between no gain and what mixtures gained.

    No gain is half of the share of a peak that is twice as high.
    """
    best = {name: float(str(row["best"])) for name, row in found.items()}
    most = best["training_mfu_8bit"] / best["training_mfu_mixture"]
    gains = {"low": 0.5, "best": float(np.sqrt(0.5 * most)), "high": most}
    hopper = found["training_mfu_hopper"]
    ends = {name: f"{float(str(hopper[name])) * gain:.3g}" for name, gain in gains.items()}
    unknown = dict.fromkeys(("rows", "papers", "median_error", "within_two", "coverage"), "")
    name = "training_mfu_8bit_dense"
    return {**hopper, **ends, **unknown, "name": name, "basis": "guessed", "note": SAYS[name]}


def _row(name: str, runs: Sequence[Run], values: Array, usual: float) -> Mapping[str, object]:
    papers = _papers(runs)
    low, best, high = percentiles(values, papers, usual_spread=usual)
    left = leave_one_paper_out(values, papers, usual_spread=usual)
    errors = np.abs(values / left.expected - 1)
    return {
        "name": name, "low": f"{low:.3g}", "best": f"{best:.3g}", "high": f"{high:.3g}", "unit": 1,
        "rows": len(runs), "papers": len(set(papers)),
        "median_error": f"{quantiles(errors, papers, [0.5])[0]:.3f}",
        "within_two": f"{share_of(times_off(values, left.expected) <= 2, papers):.3f}",
        "coverage": f"{share_of(left.inside, papers):.3f}", "data_sha256": _digest(),
        "year": 2025, "basis": "end to end", "source": "training_reports+ours", "note": SAYS[name],
    }  # fmt: skip


def report(runs: Sequence[Run], rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """What was found, for people: the fit, and every run beside it."""
    best = {str(row["name"]): float(str(row["best"])) for row in rows}
    for row in rows:
        yield "  ".join(f"{row[name]}" for name in COLUMNS[:-5])
    for run in sorted(runs, key=lambda one: one.mfu):
        off = float(times_off(np.array([run.mfu]), best[run.factor])[0])
        yield f"{run.row['name']:20s} {run.factor:22s} {run.mfu:.3f} x{off:.2f}"
    shares = [f"{run.row['name']} {run.row['power_share']}" for run in runs if run.row["power_share"]]
    yield f"measured power over TDP: {', '.join(shares)}"


def _values(runs: Sequence[Run]) -> Array:
    return np.array([run.mfu for run in runs])


def _papers(runs: Sequence[Run]) -> list[str]:
    return [run.row["paper"] for run in runs]


def _digest() -> str:
    return hashlib.sha256((TABLES / "training_runs.csv").read_bytes()).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
