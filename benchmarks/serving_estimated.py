"""What requests took by their tokens alone, against what was measured.

``python benchmarks/serving_estimated.py --data DIR`` replays every configuration of the ML.ENERGY benchmark
(``mlenergy_v3_llm.csv`` in DIR: https://ml.energy/leaderboard, Apache-2.0) as requests of a run that has no
meter, and counts how many measured energies of the accelerators lie inside the 90 % band of the estimator:
with the batch known, and not. Input tokens are not in the data and are assumed, as they were for the fit. The
coefficients were fitted to most of these rows; how they do on models that were left out of the fit,
``estimators.py`` tells. Seconds.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("src", "tools", "benchmarks")]

from serving_data import ACCELERATORS, CHAT, INPUT_TOKENS  # noqa: E402
from telling import Target, show, show_targets  # noqa: E402

from wattermark.ledger.columns import columns_of  # noqa: E402
from wattermark.ledger.requests import request_line, row_of  # noqa: E402
from wattermark.science.served.bearers import Bearers, whole_requests  # noqa: E402
from wattermark.science.served.events import Names, events_of  # noqa: E402
from wattermark.science.served.work import WORKING  # noqa: E402
from wattermark.science.sharing.pools import joined  # noqa: E402
from wattermark.values.range import Range  # noqa: E402
from wattermark.values.served import Route, Served, Usage  # noqa: E402
from wattermark.verbs.serving.estimated import Model, Service, estimated  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
FILE = "mlenergy_v3_llm.csv"
REQUESTS = 8
PASSED_ON = {"fp8": "FP8", "mxfp4": ""}
"""What a served name tells of its weights, where the page of the model does not."""
ASKED = 0.9


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help=f"the folder that holds {FILE}")
    rows = list(replayed(parser.parse_args().data / FILE))
    table = [summary(rows, gpu, task) for gpu in (*ACCELERATORS.values(), "all") for task in ("all", CHAT)]
    show("measured energies of the accelerators in the 90 % band of usage alone", table)
    show_targets(
        Target(f"outside, {row['gpu']}, batch {word}", 1 - row[f"in the band, batch {word}"], 1 - ASKED, "1")
        for row in table
        if row["task"] == "all"
        for word in ("known", "not known")
    )
    RESULTS.mkdir(exist_ok=True)
    found = {"table": table, "rows": rows}
    (RESULTS / "serving_estimated.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def replayed(path: Path) -> Iterator[dict[str, Any]]:
    """Each configuration: what was measured, and the two bands."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["task"] in INPUT_TOKENS and row["data_parallel"] == "1":
                yield _replayed(row)


def _replayed(row: dict[str, str]) -> dict[str, Any]:
    gpu, batch = ACCELERATORS[row["gpu_model"]], max(1.0, float(row["avg_batch_size"]))
    output = round(float(row["avg_output_len"]))
    models: Names[Model] = Names()
    requests = _requests(_named(row), round(INPUT_TOKENS[row["task"]]), output, models)
    measured_j = float(row["energy_per_token_joules"]) * output * REQUESTS
    told: dict[str, Any] = {
        "gpu": gpu, "task": row["task"], "model": row["model_id"], "precision": row["weight_precision"],
        "gpus": int(row["num_gpus"]), "batch": batch, "measured_j": measured_j,
    }  # fmt: skip
    for word, known in (("known", batch), ("not known", None)):
        (found,) = estimated(requests, models.all, Service(gpu=gpu, batch=known))
        assert found.estimate is not None, f"{row['model_id']} is not in our table"
        told[word] = found.estimate.amounts[WORKING].ends
    return told


def _named(row: dict[str, str]) -> str:
    """The name that a server would tell: its page, with the format of the weights."""
    name, word = row["model_id"], PASSED_ON.get(row["weight_precision"], "")
    return name if not word or word.lower() in name.lower() else f"{name}-{word}"


def _requests(model: str, read: int, written: int, models: Names[Model]) -> Bearers:
    """So many requests alike, as a client would have noted them."""
    usage = Usage(input_tokens=read, output_tokens=written)
    served = [
        Served(begin_ns=i, end_ns=i + 10**9, usage=usage, model=model, route=Route.CHAT)
        for i in range(REQUESTS)
    ]
    table = columns_of(row_of(json.loads(request_line(one))) for one in served)
    events = events_of(table, begin_ns=0, models=models, row=np.zeros(REQUESTS, np.int64))
    nothing = np.full(REQUESTS, np.nan)
    join = joined(events.request, events.begin_s)
    return whole_requests(events, join, dynamic_j=nothing, active_idle_j=nothing)


def summary(rows: list[dict[str, Any]], gpu: str, task: str) -> dict[str, Any]:
    """One line: how many lie in the bands, how far off the best values are, how wide the bands."""
    mine = [row for row in rows if gpu in (row["gpu"], "all") and task in (row["task"], "all")]
    told: dict[str, Any] = {"gpu": gpu, "task": task, "rows": len(mine)}
    for word in ("known", "not known"):
        bands = [Range(*row[word]) for row in mine]
        pairs = list(zip(bands, (row["measured_j"] for row in mine), strict=True))
        told[f"in the band, batch {word}"] = float(np.mean([b.low <= j <= b.high for b, j in pairs]))
        told[f"median error, batch {word}"] = float(np.median([abs(b.best / j - 1) for b, j in pairs]))
        told[f"high / low, batch {word}"] = float(np.median([b.high / b.low for b in bands]))
        told[f"below, batch {word}"] = sum(j < b.low for b, j in pairs)
        told[f"above, batch {word}"] = sum(j > b.high for b, j in pairs)
    return told


if __name__ == "__main__":
    sys.exit(main())
