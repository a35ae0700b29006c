"""The serving estimator against measurements of models that it never saw, EcoLogits' form beside it.

``python benchmarks/estimators.py`` prints the table of docs/accuracy.md and how fast an estimate is;
it needs scipy and takes seconds. The measurements are ``factors/tables/serving_measured.csv``.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("src", "tools", "benchmarks")]

import fit_generation  # noqa: E402
from peers import ecologits  # noqa: E402
from serving_data import ACCELERATORS, CHAT, measured_rows  # noqa: E402

import wattermark as wm  # noqa: E402
from wattermark.science.serving_fit import Array, Measured, leave_one_model_out  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
J_PER_WH = 3600.0
WHAT_IF_ROWS = 100_000


def ecologits_j(row: Measured, batch: float) -> float:
    """Energy per output token by EcoLogits' regression, on as many GPUs as were measured. [J]"""
    per_gpu_wh = ecologits.gpu_token_wh(row.model.active_params / 1e9, batch)
    return per_gpu_wh * J_PER_WH * float(row.requests.accelerators)


def solve(matrix: Array, vector: Array) -> Array:
    return np.asarray(nnls(matrix, vector)[0], np.float64)


def errors_of(gpu: str) -> list[dict[str, object]]:
    """Rows of the table: all tasks, chat alone, and each model."""
    pairs = measured_rows(gpu)
    rows = [row for row, _ in pairs]
    chat = np.array([task["task"] == CHAT for _, task in pairs])
    names = np.array([row.model.name.rpartition("/")[2] for row in rows])
    left_out = leave_one_model_out(rows, solve)
    measured = np.array([row.energy_per_token_j for row in rows])
    theirs = {
        "ecologits": np.array([ecologits_j(row, float(row.requests.batch)) for row in rows]) / measured,
        "ecologits_64": np.array([ecologits_j(row, ecologits.FIXED_BATCH) for row in rows]) / measured,
    }
    every = {
        "all": np.ones(len(rows), bool),
        "chat": chat,
        **{name: names == name for name in np.unique(names)},
    }
    found = []
    for name, which in every.items():
        told: dict[str, object] = {"gpu": gpu, "model": str(name), "rows": int(which.sum())}
        errors = {"ours": left_out.errors, **{who: np.abs(ratio - 1) for who, ratio in theirs.items()}}
        for who, error in errors.items():
            told[f"{who}_median"], told[f"{who}_p90"] = (
                float(q) for q in np.quantile(error[which], (0.5, 0.9))
            )
        told["coverage"] = left_out.coverage if name == "all" else None
        found.append(told)
    return found


def media_errors() -> list[dict[str, object]]:
    """Images and videos: what was left out, by what is known of its model."""
    _, rows = fit_generation.fit(fit_generation.TABLES / "generation_measured.csv")
    return [row for row in rows if row["name"].startswith("error_")]


def show_media(rows: list[dict[str, object]]) -> None:
    print("\n| GPU | of | left out, known by | rows | median | p90 | 90 % band | holds |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        known = {"measured": "itself, at other batches and GPUs", "listed": "its layers"}
        tier = row["name"].removeprefix("error_")
        cells = (row["gpu"], row["task"], known.get(tier, f"its {tier}"), row["rows"])
        errors = [f"{float(row[name]):.0%}" for name in ("unseen_median_error", "unseen_p90_error")]
        band = f"{float(row['low']):.2f} - {float(row['high']):.2f}"
        print("|", " | ".join((*cells, *errors, band, f"{float(row['coverage']):.0%}")), "|")


def best_of(work: Callable[[], object], times: int) -> float:
    """Seconds of the fastest of some calls."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def speed() -> dict[str, float]:
    """Milliseconds of an estimate from the shell and as a function, and seconds of rows of what-if."""
    job = wm.Inference(
        model="llama-3.1-70b", gpu="h100", count=4, batch=64, input_tokens=1500, output_tokens=400
    )
    training = wm.Training(params=7e9, tokens=2e12, gpu="h100")
    image = wm.Media(kind="image", model="flux.1-dev", gpu="h100")
    calls = wm.ApiCalls(model="gpt-4o", input_tokens=1000, output_tokens=500)
    site = wm.Site(place="deu")
    rng = np.random.default_rng(0)
    rows = {
        "gpu": rng.choice(["h100-sxm", "b200", "a100-sxm-80"], WHAT_IF_ROWS),
        "model": rng.choice(["llama-3.1-8b", "llama-3.1-70b", "qwen3-32b"], WHAT_IF_ROWS),
        "place": rng.choice(["deu", "swe", "aws:us-east-1"], WHAT_IF_ROWS),
        "batch": rng.integers(1, 256, WHAT_IF_ROWS),
        "input_tokens": rng.integers(10, 5000, WHAT_IF_ROWS),
        "output_tokens": rng.integers(10, 1000, WHAT_IF_ROWS),
    }
    one_row = {name: column[:1] for name, column in rows.items()}
    words = "estimate training --params 7e9 --tokens 2e12 --gpu h100 --place deu"
    command = [str(Path(sys.executable).with_name("wattermark")), *words.split()]

    def shell_ms(*what: str) -> float:
        taken = [best_of(lambda: subprocess.run(what, check=True, capture_output=True), 1) for _ in range(21)]
        return 1e3 * statistics.median(taken)

    return {
        "inference_function_ms": 1e3 * best_of(lambda: wm.estimate_inference(job, site), 200),
        "training_function_ms": 1e3 * best_of(lambda: wm.estimate_training(training, site), 200),
        "image_function_ms": 1e3 * best_of(lambda: wm.estimate_media(image, site), 200),
        "api_function_ms": 1e3 * best_of(lambda: wm.estimate_api(calls, site), 200),
        "best_values_function_ms": 1e3 * best_of(lambda: wm.what_if_inference(one_row), 200),
        "what_if_100000_rows_s": best_of(lambda: wm.what_if_inference(rows), 3),
        "shell_median_ms": shell_ms(*command),
        "shell_json_median_ms": shell_ms(*command, "--json"),
        "numpy_alone_median_ms": shell_ms(sys.executable, "-c", "import numpy"),
        "bare_python_median_ms": shell_ms(sys.executable, "-c", "pass"),
    }


def main() -> int:
    tables = [row for gpu in ACCELERATORS.values() for row in errors_of(gpu)]
    print("| GPU | model left out | rows | ours | p90 | EcoLogits' form | p90 | at its B = 64 |")
    print("|---|---|---|---|---|---|---|---|")
    for row in tables:
        figures = (
            row[name]
            for name in (
                "ours_median",
                "ours_p90",
                "ecologits_median",
                "ecologits_p90",
                "ecologits_64_median",
            )
        )
        cells = " | ".join(f"{figure:.0%}" for figure in figures)
        print(f"| {row['gpu']} | {row['model']} | {row['rows']} | {cells} |")
    for row in tables:
        if row["coverage"] is not None:
            print(f"coverage of the 90 % band, {row['gpu']}: {row['coverage']:.1%}")
    media = media_errors()
    show_media(media)
    timed = speed()
    for name, value in timed.items():
        print(f"{name}: {value:.3g}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "estimators.json").write_text(
        json.dumps({"errors": tables, "media": media, "speed": timed}, indent=1)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
