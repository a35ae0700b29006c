"""Language models that people serve, by the names that people use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from wattermark.errors import UsageError, nearest
from wattermark.factors.kinds import asked_elsewhere
from wattermark.factors.shapes.shape import Experts, Shape, architecture
from wattermark.factors.table import Row, number, table, whole
from wattermark.values.workload import Architecture

PRECISIONS = {
    **{"fp8": "fp8", "int8": "int8", "w8a8": "int8", "bf16": "bf16", "fp16": "fp16"},
    **{"awq": "int4", "gptq": "int4", "int4": "int4", "4bit": "int4", "mxfp4": "mxfp4", "nvfp4": "fp4"},
}
"""What a word of a name says about its weights."""
STAGES = frozenset(
    ["instruct", "it", "chat", "base", "hf", "latest", "thinking", "preview", "pretrain", "pt"]
)
"""Words of a name that say how a model was trained, which changes neither shape nor size."""
RELEASE = re.compile(r"v\d(\.\d)?|\d{4}")


def architecture_named(name: str) -> Architecture:
    """A model by its id (``llama-3.1-8b``), its page (``Qwen/Qwen3-8B-FP8``) or a nickname (``r1``).

    Case and punctuation do not matter. A word of the name that tells the format of the weights
    (``fp8``, ``awq``) changes the precision, and nothing else.

    Raises
    ------
    UsageError
        If no model has that name; it offers the nearest ones.
    """
    words, precision = _words_and_precision(name)
    short = [word for word in words if word not in STAGES]
    shorter = [word for word in short if not RELEASE.fullmatch(word)]
    for text in (name, name.rpartition("/")[2], "".join(words), "".join(short), "".join(shorter)):
        row = _names().get(_plain(text))
        if row is not None:
            found = _architecture(row)
            return replace(found, precision=precision) if precision else found
    fix = asked_elsewhere(name, "inference") or _nearest("".join(shorter))
    raise UsageError(f"the model {name!r} is not known", fix=fix)


def all_models() -> Iterator[Architecture]:
    """Every model of the table."""
    return map(_architecture, table("models"))


def _words_and_precision(name: str) -> tuple[list[str], str]:
    """The words of a name without its owner, and the precision that one of them tells."""
    words = [word for word in re.split(r"[\s_:-]+", name.strip().lower().rpartition("/")[2]) if word]
    told = [PRECISIONS[word] for word in words if word in PRECISIONS]
    return [word for word in words if word not in PRECISIONS], told[0] if told else ""


def _plain(text: str) -> str:
    """A name as it is compared; the plus of ``command-r+`` is a word of its own."""
    return re.sub(r"[^a-z0-9]", "", text.lower().replace("+", "plus"))


@cache
def _names() -> dict[str, Row]:
    rows = table("models")
    pages = {_plain(match): row for row in rows for match in row["match"].split(";") if match}
    short = {
        _plain(match.rpartition("/")[2]): row for row in rows for match in row["match"].split(";") if match
    }
    return {**short, **pages, **{_plain(row["id"]): row for row in rows}}


def _architecture(row: Row) -> Architecture:
    layers, full = whole(row, "layers"), whole(row, "full_layers")
    shape = Shape(
        layers=layers,
        full_layers=full,
        heads=whole(row, "heads"),
        kv_heads=whole(row, "kv_heads"),
        head_dim=number(row, "head_dim"),
        window_layers=layers - full if row["kv_kind"] == "window" else 0,
        window_tokens=whole(row, "window_tokens") if row["window_tokens"] else 0,
        latent=whole(row, "latent_rank_plus_rope") if row["latent_rank_plus_rope"] else 0,
    )
    return architecture(
        row["id"],
        params=(number(row, "params"), number(row, "active_params")),
        shape=shape,
        experts=Experts(routed=whole(row, "experts"), per_token=whole(row, "experts_per_token")),
        precision=row["precision"],
        source=row["source"],
    )


def _nearest(name: str) -> str:
    near = nearest(_plain(name), _names())
    ids = dict.fromkeys(_names()[one]["id"] for one in near)
    otherwise = "see wattermark models, give its size with --params, or its config.json with --config"
    return f"Did you mean {' or '.join(ids)}? Else {otherwise}" if ids else otherwise.capitalize()
