"""Fit the model of image and video generation: ``python tools/fit_generation.py [--raw FOLDER]``.

With ``--raw`` the measurements are taken from ML.ENERGY's extracts and our compact table of them is
written anew; without it, the fit is made from that table. Both write ``generation_models.csv`` and
``generation_fit.csv``, the same bytes each time. What is known of each model is in
``tools/facts/diffusion_models.csv``.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from factor_build.common import Cell, Row, make_row, read_csv, read_facts, write_csv
from generation_fitting import (
    Array,
    Measured,
    Shared,
    band,
    fit_shared,
    fit_work,
    geometric_mean,
    inside,
    leave_one_configuration_out,
    leave_one_model_out,
    power_laws,
    scales,
    typical,
)

from wattermark.factors.accelerators import accelerator_named, peak_flops
from wattermark.factors.generation import (
    ANY,
    IMAGE,
    MEASURED_GPUS,
    OF_TASK,
    POOLED,
    VIDEO,
    DiffusionModel,
    model_of,
)
from wattermark.science.generation import Generation

TABLES = Path(__file__).parents[1] / "src" / "wattermark" / "factors" / "tables"
RAW = {IMAGE: "mlenergy_v3_text-to-image.csv", VIDEO: "mlenergy_v3_text-to-video.csv"}
GPUS = dict(zip(("H100", "B200"), MEASURED_GPUS, strict=True))
PAPERS = ("year", "basis", "source", "note")
ASKED = ("batch", "height_px", "width_px", "steps", "frames", "gpus", "ring")
MEASURED = ("task", "model", "gpu", *ASKED, "energy_j", "power_w", *PAPERS)
MODELS = (
    *("id", "match", "family", "task", "params", "token_params", "layers_width", "attention_width", "layers"),
    *("pixels_per_token", "frames_per_latent", "latents_per_token", "text_tokens", "passes"),
    *("steps", "height_px", "width_px", "frames"),
    *(f"{name}_{gpu}" for gpu in MEASURED_GPUS for name in ("scale", "busy_share")),
    *PAPERS,
)
ERRORS = ("rows", "unseen", "unseen_median_error", "unseen_p90_error", "coverage")
FITTED = ("gpu", "task", "name", "low", "best", "high", "unit", *ERRORS, "data_sha256", *PAPERS)
FIT_PAPERS: dict[str, Cell] = {"year": 2025, "basis": "fit", "source": "mlenergy3+ours"}
SAYS = {
    "measured": "measured over predicted, each batch and number of GPUs left out in turn",
    "listed": "measured over predicted, model left out, by its layers",
    "family": "measured over predicted, model left out, by the nearest of its family",
    "params": "measured over predicted, model left out, by its parameters alone",
}
TRANSFER = (0.4, 1.0, 2.5)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw", type=Path, help=f"the folder that holds {' and '.join(RAW.values())}")
    parser.add_argument("--out", type=Path, default=TABLES, help="where the tables go (%(default)s)")
    args = parser.parse_args(argv)
    if args.raw:
        write_csv(args.out / "generation_measured.csv", MEASURED, compact(args.raw))
    models, fitted = fit(args.out / "generation_measured.csv")
    write_csv(args.out / "generation_models.csv", MODELS, models)
    write_csv(args.out / "generation_fit.csv", FITTED, fitted)
    return 0


# -- the measurements ------------------------------------------------------------------


def compact(raw: Path) -> list[Row]:
    """The columns that we use, five digits each."""
    pages = {page: fact["id"] for fact in read_facts("diffusion_models") for page in fact["match"].split(";")}
    found = [
        make_row(MEASURED, _cells(row, task, pages))
        for task, name in RAW.items()
        for row in read_csv(raw / name)
    ]
    return sorted(found, key=_place)


def _place(row: Row) -> tuple[str | float, ...]:
    return (*(row[key] for key in MEASURED[:3]), *(float(row[key]) for key in ASKED))


def _cells(row: Row, task: str, pages: Mapping[str, str]) -> dict[str, Cell]:
    item = task.removeprefix("text-to-")
    return {
        "task": task,
        "model": pages[row["model_id"]],
        "gpu": GPUS[row["gpu_model"]],
        "batch": row["batch_size"],
        "height_px": row[f"{item}_height"],
        "width_px": row[f"{item}_width"],
        "steps": row["inference_steps"],
        "frames": row.get("num_frames", "1"),
        "gpus": row["num_gpus"],
        "ring": row["ring_degree"],
        "energy_j": f"{float(row[f'energy_per_{item}_joules']):.5g}",
        "power_w": f"{float(row['avg_power_watts']):.5g}",
        **{"year": 2025, "basis": "measured", "source": "mlenergy3"},
    }


def measured(path: Path, gpu: str) -> list[Measured]:
    """The measurements on one GPU, images and videos."""
    every = [row for row in read_csv(path) if row["gpu"] == gpu]
    found = []
    for task in RAW:
        rows = [row for row in every if row["task"] == task]
        names = (*ASKED, "energy_j", "power_w")
        column = {name: np.array([float(row[name]) for row in rows]) for name in names}
        found.append(
            Measured(
                task=task,
                tdp_w=accelerator_named(gpu).tdp_w,
                models=tuple(row["model"] for row in rows),
                asked=Generation(**{name: column[name] for name in ASKED}),
                energy_j=column["energy_j"],
                gpu_s=column["energy_j"] / column["power_w"] * column["gpus"],
            )
        )
    return found


# -- the tables ------------------------------------------------------------------------


def fit(path: Path) -> tuple[list[Row], list[Row]]:
    """Rows of ``generation_models`` and of ``generation_fit``, from the measured table."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    facts = read_facts("diffusion_models")
    known = {fact["id"]: model_of(fact) for fact in facts}
    own: dict[str, dict[str, Cell]] = {}
    fitted: list[dict[str, Cell]] = []
    seen: set[str] = set()
    for gpu in MEASURED_GPUS:
        tasks = measured(path, gpu)
        seen = {name for rows in tasks for name in rows.models}
        models = {name: known[name] for name in sorted(seen)}
        shared = [fit_shared(rows, models) for rows in tasks]
        asked = {name: one for rows in tasks for name, one in typical(rows).items()}
        work = fit_work({k: j for one in shared for k, j in one.alone_j.items()}, asked, models)
        for one in shared:
            for name, scale in scales(work, one, asked, models).items():
                told: dict[str, Cell] = {f"scale_{gpu}": scale, f"busy_share_{gpu}": one.busy_share[name]}
                own.setdefault(name, {}).update(told)
        fitted += ({"gpu": gpu, **row} for row in _of_gpu(tasks, shared, work, models))
    fitted += _of_none([known[name] for name in sorted(seen)])
    fitted += _of_speed(path)
    papers = {**FIT_PAPERS, "data_sha256": digest}
    return _models(facts, own), [make_row(FITTED, {**papers, **row}) for row in fitted]


def _models(facts: Sequence[Row], own: Mapping[str, Mapping[str, Cell]]) -> list[Row]:
    """The facts, and what the measured ones and their twins were measured at."""
    found = []
    for fact in facts:
        told = {name: fact[name] for name in MODELS if name in fact}
        fitted = own.get(fact["id"]) or own.get(fact["like"], {})
        basis = "measured" if fact["id"] in own else "listed"
        found.append(make_row(MODELS, {**told, **fitted, "basis": basis}))
    return found


def _of_gpu(
    tasks: Sequence[Measured], shared: Sequence[Shared], work: Array, models: Mapping[str, DiffusionModel]
) -> Iterator[dict[str, Cell]]:
    without = leave_one_model_out(tasks, models)
    listed = _told(without["listed"].energy, *band(without["listed"].energy, without["listed"].models))
    for (name, unit), value in zip(POOLED.items(), work.tolist(), strict=True):
        yield {"task": ANY, **_exact(name, value, unit), **listed, "unseen": "models"}
    for tier, left in without.items():
        yield {"task": ANY, **_band(f"error_{tier}", left.energy, left.models), "note": SAYS[tier]}
    yield {"task": ANY, **_band("time_unmeasured", without["listed"].time, without["listed"].models)}
    for rows, one in zip(tasks, shared, strict=True):
        left = leave_one_configuration_out(rows, work, models)
        values = {"gpu_exponent": one.gpu_exponent, "ring_exponent": one.ring_exponent}
        values |= {"stall_j": one.stall_j, "stall_s": one.stall_s}
        told = _told(left.energy, *band(left.energy, left.models))
        for name, unit in OF_TASK.items():
            yield {"task": rows.task, **_exact(name, values[name], unit), **told, "unseen": "configurations"}
        usual = _exact("busy_share", geometric_mean(one.busy_share.values()), "1")
        yield {"task": rows.task, **usual, "note": "of TDP, the mean of models"}
        errors = _band("error_measured", left.energy, left.models, "configurations")
        yield {"task": rows.task, **errors, "note": SAYS["measured"]}
        yield {"task": rows.task, **_band("time_measured", left.time, left.models, "configurations")}


def _of_none(models: Sequence[DiffusionModel]) -> Iterator[dict[str, Cell]]:
    """What belongs to no GPU."""
    for name, value in power_laws(models).items():
        row = {"gpu": ANY, "task": ANY, **_exact(name, value, "1"), "rows": len(models)}
        yield {**row, "basis": "power law", "source": "model_configs+ours"}
    low, best, high = TRANSFER
    row = {"gpu": ANY, "task": ANY, "name": "transfer", "low": low, "best": best, "high": high, "unit": "1"}
    yield {**row, "basis": "guessed", "source": "ours", "note": "on GPUs that nobody measured"}


def _of_speed(path: Path) -> Iterator[dict[str, Cell]]:
    """How the time of a model grows as the peak of the GPU falls; each source counts the same."""
    facts = read_facts("generation_timings")
    told: dict[str, list[float]] = {}
    for fact in facts:
        slow, fast = (fact["gpu"], float(fact["time_s"])), (fact["beside_gpu"], float(fact["beside_time_s"]))
        told.setdefault(fact["model"].partition("-")[0], []).append(_power_of_peak(*slow, *fast))
    seen = {gpu: _seconds(path, gpu) for gpu in MEASURED_GPUS}
    both = seen[MEASURED_GPUS[0]].keys() & seen[MEASURED_GPUS[1]].keys()
    pairs = ([(gpu, seen[gpu][one]) for gpu in MEASURED_GPUS] for one in sorted(both))
    told["mlenergy3"] = [_power_of_peak(*first, *second) for first, second in pairs]
    means = [float(np.mean(powers)) for powers in told.values()]
    ends: dict[str, Cell] = {"low": min(means), "best": float(np.mean(means)), "high": max(means)}
    row: dict[str, Cell] = {"gpu": ANY, "task": ANY, "name": "speed_exponent", "unit": "1"}
    says = "of peaks of 16 bit: two GPUs of ML.ENERGY, and published seconds"
    yield {**row, **ends, "rows": len(means), "source": "mlenergy3+generation_reports+ours", "note": says}


def _power_of_peak(gpu: str, time_s: float, beside: str, beside_s: float) -> float:
    peaks = [peak_flops(accelerator_named(name), "bf16") for name in (gpu, beside)]
    return float(np.log(time_s / beside_s) / np.log(peaks[1] / peaks[0]))


def _seconds(path: Path, gpu: str) -> dict[tuple[str, ...], float]:
    """Seconds of one accelerator for an item, by model and request."""
    alone = (row for row in read_csv(path) if row["gpu"] == gpu and row["gpus"] == "1")
    return {
        tuple(row[name] for name in ("model", *ASKED)): float(row["energy_j"]) / float(row["power_w"])
        for row in alone
    }


def _exact(name: str, value: float, unit: str) -> dict[str, Cell]:
    return {"name": name, "low": value, "best": value, "high": value, "unit": unit}


def _band(name: str, ratios: Array, models: Sequence[str], unseen: str = "models") -> dict[str, Cell]:
    low, high = (float(f"{end:.5g}") for end in band(ratios, models))
    told: dict[str, Cell] = {"name": name, "low": low, "best": 1.0, "high": high, "unit": "1"}
    return {**told, **_told(ratios, low, high), "unseen": unseen}


def _told(ratios: Array, low: float, high: float) -> dict[str, Cell]:
    """Errors of what is left out: relative to the measured value, as a reader of a prediction has them."""
    errors = np.abs(1 / ratios - 1)
    return {
        "rows": ratios.size,
        "unseen_median_error": float(np.median(errors)),
        "unseen_p90_error": float(np.quantile(errors, 0.9)),
        "coverage": inside(ratios, low, high),
    }


if __name__ == "__main__":
    sys.exit(main())
