"""Which other estimate knows a model: people ask for a closed one as if it were open."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wattermark.factors.table import table


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
    for other, model, names in _all():
        if other != kind and plain in map(_plain, names):
            return f"Ask for it with: wattermark estimate {other} --model {model}"
    return ""


def _all() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Kind, id and names of every model."""
    for row in table("models"):
        yield "inference", row["id"], (row["id"], *row["match"].split(";"))
    for row in table("generation_models"):
        yield row["task"].removeprefix("text-to-"), row["id"], (row["id"], *row["match"].split(";"))
    for row in table("api_models"):
        yield "api", row["model"], (row["model"], *row["match"].split(";"))


def _plain(name: str) -> str:
    """A name without its owner, as it is compared."""
    return re.sub(r"[^a-z0-9]", "", name.lower().rpartition("/")[2])
