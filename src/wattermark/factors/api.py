"""Closed models: what was published of their energy, as a line over tokens with a wide band."""

from __future__ import annotations

import re

from wattermark.errors import UsageError, nearest
from wattermark.factors.kinds import asked_elsewhere
from wattermark.factors.table import Row, number, table
from wattermark.values.factors import Factor
from wattermark.values.range import Range

DATE = re.compile(r"-(\d{4}-\d\d-\d\d|\d{8}|latest)$")
"""What providers put after the name of a model."""


def api_factors(model: str, provider: str | None) -> list[Factor]:
    """The anchored line of a closed model: energy of the facility for a request and for its tokens.

    Raises
    ------
    UsageError
        If nothing was published of it; it says what would help.
    """
    row = _row(model, provider)
    key = f"{row['provider']}:{row['model']}"
    token_j = number(row, "output_token_j")
    error = Range(number(row, "error_low"), 1.0, number(row, "error_high"))
    return [
        _one(row, key, "api_request_j", Range.exact(number(row, "request_j")), "J"),
        _one(row, key, "api_output_token_j", Range.exact(token_j), "J"),
        _one(row, key, "api_input_token_j", Range.exact(token_j * number(row, "input_over_output")), "J"),
        _one(row, key, "api_error", error, "1"),
    ]


def _one(row: Row, key: str, name: str, value: Range, unit: str) -> Factor:
    return Factor(
        name=name, value=value, unit=unit, key=key, year=int(row["year"]), basis=row["basis"],
        source=row["source"], note=row["note"],
    )  # fmt: skip


def _row(model: str, provider: str | None) -> Row:
    word = DATE.sub("", model.strip().lower().rpartition("/")[2])
    rows = table("api_models")
    providers = sorted({row["provider"] for row in rows})
    if provider is not None and provider.lower() not in providers:
        raise UsageError(
            f"of the provider {provider!r} nothing is known", fix=f"Known: {', '.join(providers)}"
        )
    mine = [row for row in rows if provider is None or row["provider"] == provider.lower()]
    for row in mine:
        if word in (row["model"], *row["match"].split(";")):
            return row
    if elsewhere := asked_elsewhere(model, "api"):
        raise UsageError(f"{model!r} is no closed model", fix=elsewhere)
    near = nearest(word, (row["model"] for row in mine))
    offer = f"Did you mean {' or '.join(near)}? " if near else ""
    raise UsageError(
        f"we hold no published energy of {model!r}, so there is no anchor for a line",
        fix=f"{offer}Known: {', '.join(row['model'] for row in mine)}. "
        "If you know its size, wattermark estimate inference takes --params and --active-params",
    )
