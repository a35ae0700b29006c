"""The measurements that the serving model is fitted to, from our compact table of them."""

from __future__ import annotations

from dataclasses import replace

from wattermark.factors.shapes.models import architecture_named
from wattermark.factors.table import Row, table
from wattermark.science.serving_fit import Measured
from wattermark.values.workload import Requests

ACCELERATORS = {"H100": "h100-sxm", "B200": "b200"}
CHAT = "lm-arena-chat"
INPUT_TOKENS = {CHAT: 150.0, "gpqa": 250.0, "sourcegraph-fim": 2500.0}
"""Tasks of text, and their input tokens: the data do not tell them, so these are assumed."""


def measured_rows(gpu: str) -> list[tuple[Measured, Row]]:
    """Rows of an accelerator that the model is for: no data-parallel attention, which is another regime."""
    rows = [row for row in table("serving_measured") if row["gpu"] == gpu and row["data_parallel"] == "1"]
    return [(measured(row), row) for row in rows]


def measured(row: Row) -> Measured:
    """One row as a value; two releases of one model count as two."""
    requests = Requests(
        batch=float(row["batch"]),
        input_tokens=INPUT_TOKENS[row["task"]],
        output_tokens=float(row["output_tokens"]),
        accelerators=float(row["gpus"]),
        precision=row["precision"],
    )
    model = replace(architecture_named(row["model"]), name=row["model"])
    return Measured(model=model, requests=requests, energy_per_token_j=float(row["energy_j"]))
