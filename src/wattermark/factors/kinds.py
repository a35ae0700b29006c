"""Every model of the tables, and which estimate knows one: a closed one is asked for as if it were open."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wattermark.factors.table import Row, table


def asked_elsewhere(name: str, kind: str) -> str:
    """What to ask instead, where a model is not of this kind; empty where nobody knows it.

    Parameters
    ----------
    name : str
        Of a model, as it was given.
    kind : str
        The estimate that does not know it: ``inference``, ``image``, ``video`` or ``api``.
    """
    plain = _plain(name)
    for other, model, row in all_models():
        if other != kind and plain in map(_plain, (model, *row["match"].split(";"))):
            return f"Ask for it with: wattermark estimate {other} --model {model}"
    return ""


def all_models() -> Iterator[tuple[str, str, Row]]:
    """Every model: the estimate that knows it, its id and its row."""
    yield from (("inference", row["id"], row) for row in table("models"))
    yield from ((row["task"].removeprefix("text-to-"), row["id"], row) for row in table("generation_models"))
    yield from (("api", row["model"], row) for row in table("api_models"))


def _plain(name: str) -> str:
    """A name without its owner, as it is compared."""
    return re.sub(r"[^a-z0-9]", "", name.lower().rpartition("/")[2])
