"""Fit the serving model: ``python tools/fit_serving.py [--raw FOLDER]``.

With ``--raw`` the measurements are taken from ML.ENERGY's extract (``mlenergy_v3_llm.csv``) and our
compact table of them is written anew; without it, the fit is made from that table. Both write
``serving_fit.csv``, the same bytes each time.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import nnls
from serving_data import ACCELERATORS, CHAT, INPUT_TOKENS, measured_rows

from wattermark.factors.accelerators import accelerator_named
from wattermark.factors.table import Row
from wattermark.science.serving_fit import (
    COEFFICIENTS,
    Array,
    LeftOut,
    Measured,
    band,
    fit,
    leave_one_model_out,
    model_weights,
    power_at,
    terms_of,
)

TABLES = Path(__file__).parents[1] / "src" / "wattermark" / "factors" / "tables"
RAW = "mlenergy_v3_llm.csv"
PRECISIONS = {"bfloat16": "bf16", "fp8": "fp8", "mxfp4": "mxfp4"}
MEASURED = (
    *("gpu", "task", "model", "precision", "gpus", "data_parallel"),
    *("batch", "output_tokens", "energy_j", "power_w"),
)
FITTED = (
    *("gpu", "name", "low", "best", "high", "unit", "rows"),
    *("median_error", "p90_error", "chat_median_error", "chat_p90_error", "coverage", "data_sha256"),
)
RAW_FIGURES = ("avg_batch_size", "avg_output_len", "energy_per_token_joules", "avg_power_watts")
PAPERS = ("year", "basis", "source", "note")
KNOTS = (8, 16, 32, 64, 128, 256)
UNITS = dict(zip(COEFFICIENTS, ("J/B", "J/FLOP", "J", "J"), strict=True))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw", type=Path, help=f"the folder that holds {RAW}")
    args = parser.parse_args(argv)
    if args.raw:
        _write("serving_measured.csv", (*MEASURED, *PAPERS), _compact(args.raw / RAW))
    _write("serving_fit.csv", (*FITTED, *PAPERS), list(_fitted()))
    return 0


def _compact(path: Path) -> list[list[object]]:
    """The columns that we use, five digits each."""
    with path.open(encoding="utf-8", newline="") as file:
        found = [_cells(row) for row in csv.DictReader(file) if row["task"] in INPUT_TOKENS]
    return sorted(found, key=lambda row: [str(cell) for cell in row])


def _cells(row: Row) -> list[object]:
    return [
        ACCELERATORS[row["gpu_model"]],
        row["task"],
        row["model_id"],
        PRECISIONS[row["weight_precision"]],
        row["num_gpus"],
        row["data_parallel"],
        *(f"{float(row[name]):.5g}" for name in RAW_FIGURES),
        *(2025, "measured", "mlenergy3", ""),
    ]


def _fitted() -> Iterable[list[object]]:
    digest = hashlib.sha256((TABLES / "serving_measured.csv").read_bytes()).hexdigest()[:16]
    shape: dict[str, Array] = {}
    for gpu in ACCELERATORS.values():
        rows = measured_rows(gpu)
        left_out = leave_one_model_out([row for row, _ in rows], nnls_solve)
        tasks = [str(task["task"]) for _, task in rows]
        found = _coefficients([row for row, _ in rows])
        shape[gpu] = found
        told = [len(rows), *_errors(left_out, tasks), f"{left_out.coverage:.3f}", digest]
        papers = (2025, "fit", "mlenergy3+ours")
        for name, value in zip(COEFFICIENTS, found, strict=True):
            cell = f"{value:.4g}"
            yield [gpu, name, cell, cell, cell, UNITS[name], *told, *papers, "leave-one-model-out errors"]
        low, high = band(left_out.ratios, left_out.models)
        cells = [f"{low:.3g}", "1", f"{high:.3g}"]
        yield [gpu, "serving_error", *cells, "1", *told, *papers, "measured over predicted, model left out"]
        yield from _power(gpu, rows, [*told, *papers])
    yield from _transfer(shape, digest)


def nnls_solve(matrix: Array, vector: Array) -> Array:
    return np.asarray(nnls(matrix, vector)[0], np.float64)


def _coefficients(rows: list[Measured]) -> Array:
    energy_j = np.array([row.energy_per_token_j for row in rows])
    return fit(terms_of(rows), energy_j, model_weights([row.model.name for row in rows]), nnls_solve)


def _errors(left_out: LeftOut, tasks: list[str]) -> list[str]:
    errors, chat = left_out.errors, left_out.errors[np.array(tasks) == CHAT]
    return [f"{np.quantile(one, q):.3f}" for one in (errors, chat) for q in (0.5, 0.9)]


def _power(gpu: str, rows: Sequence[tuple[Measured, Row]], papers: list[object]) -> Iterable[list[object]]:
    tdp_w = accelerator_named(gpu).tdp_w
    batch = np.array([float(row.requests.batch) for row, _ in rows])
    drawn = np.array([float(told["power_w"]) / float(told["gpus"]) / tdp_w for _, told in rows])
    for knot, fractions in zip(KNOTS, power_at(batch, drawn, KNOTS), strict=True):
        cells = [f"{one:.3g}" for one in fractions]
        yield [gpu, f"power_fraction_{knot}", *cells, "1", *papers, f"mean power over TDP at batch {knot}"]


def _transfer(shape: dict[str, Array], digest: str) -> Iterable[list[object]]:
    """Coefficients over what the data sheets tell: for accelerators without measurements."""
    sheets = [accelerator_named(gpu) for gpu in shape]
    scale = np.array(
        [
            [a.tdp_w / a.bandwidth_bytes_per_s, a.tdp_w / a.peak_flops["bf16"], a.tdp_w, a.tdp_w]
            for a in sheets
        ]
    )
    per_sheet = np.array(list(shape.values())) / scale
    told = ["", "", "", "", "", "", digest, 2025, "fit", "mlenergy3+ours"]
    for name, values in zip(COEFFICIENTS, per_sheet.T, strict=True):
        cell = f"{np.exp(np.mean(np.log(values))):.4g}"
        note = "times TDP / bandwidth, / peak FLOP/s, or TDP; geometric mean of the measured accelerators"
        yield ["any", name, cell, cell, cell, "1", *told, note]
    yield ["any", "serving_error", "0.4", "1", "2.5", "1", *told, "wide: another accelerator than measured"]


def _write(name: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with (TABLES / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    print(f"wrote {name}")


if __name__ == "__main__":
    sys.exit(main())
