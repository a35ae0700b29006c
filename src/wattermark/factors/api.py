"""Closed models: what was published of their energy, as a line over tokens with a wide band."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from statistics import median

from wattermark.errors import UsageError, nearest
from wattermark.factors.kinds import asked_elsewhere
from wattermark.factors.table import Row, number, table
from wattermark.values.factors import Factor
from wattermark.values.range import Range

AFTER = re.compile(r"(-(\d{4}-\d\d-\d\d|\d{8}|latest)(-v\d+(:\d+)?)?|-v\d+:\d+|@\w+)$")
"""What providers put after the name of a model: its date, and how a cloud counts its versions."""
BEFORE = re.compile(r"^((us|eu|apac|global)\.)?(anthropic|amazon|meta|mistral|cohere|deepseek|openai)\.")
"""What Amazon Bedrock puts before it."""
TYPICAL_TOKENS = (100.0, 300.0)
"""Input and output of the request at which closed models are compared, as most of the anchors have them."""


def api_factors(model: str, provider: str | None) -> list[Factor]:
    """The anchored line of a closed model: energy of the facility for a request and for its tokens.

    Raises
    ------
    UsageError
        If nothing was published of it; it says what would help.
    """
    row = _row(model, provider)
    return _line(row, f"{row['provider']}:{row['model']}")


def typical_api_factors(model: str) -> list[Factor]:
    """The same for a closed model of which nothing was published: the middle of those that were, wide open.

    The band reaches from the least to the most that any published model may take for a short request.
    """
    line = [replace(one, key=f"any closed model, as {model}", basis="guessed") for one in _typical()]
    return [replace(one, note=f"nothing was published of {model}: {one.note}") for one in line]


@cache
def _typical() -> tuple[Factor, ...]:
    rows = table("api_models")
    read, written = TYPICAL_TOKENS

    def short_j(row: Row) -> float:
        token_j = number(row, "output_token_j")
        return number(row, "request_j") + token_j * (written + number(row, "input_over_output") * read)

    middle = min(rows, key=lambda row: abs(short_j(row) - median(map(short_j, rows))))
    least = min(short_j(row) * number(row, "error_low") for row in rows)
    most = max(short_j(row) * number(row, "error_high") for row in rows)
    error = Range(least / short_j(middle), 1.0, most / short_j(middle))
    note = f"the middle of {len(rows)} closed models, {middle['model']}, with a band that holds them all"
    return tuple(
        replace(one, note=note, value=error if one.name == "api_error" else one.value)
        for one in _line(middle, "any")
    )


def _line(row: Row, key: str) -> list[Factor]:
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
    word = BEFORE.sub("", AFTER.sub("", model.strip().lower().rpartition("/")[2]))
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
