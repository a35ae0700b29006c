"""A config.json as its author left it: read with care, every number looked at before it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from wattermark.errors import UsageError

MOST_BYTES = 4_000_000
MOST_LETTERS = 100
MOST = 10_000_000  # the largest vocabularies are below a million
INNER = ("text_config", "thinker_config", "llm_config", "language_config")
"""Where a model of several senses keeps its language model."""
OTHERWISE = "Give the size of the model with --params instead"

# Files leave out what the transformers library has as the default of a class.
TYPE_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "gemma3_text": {
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "vocab_size": 262_208,
        "sliding_window_pattern": 6,
    },
    "gemma3": {"vocab_size": 262_208},
}
SAME = {
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "hidden_size": ("n_embd", "n_embed", "d_model"),
    "num_attention_heads": ("n_head", "n_heads"),
    "num_key_value_heads": ("num_kv_heads", "n_head_kv"),
    "head_dim": ("attention_head_dim",),
    "intermediate_size": ("n_inner", "ffn_dim", "ffn_hidden_size"),
    "max_position_embeddings": ("n_positions",),
    "num_local_experts": ("num_experts", "n_routed_experts"),
    "num_experts_per_tok": ("experts_per_token",),
    "sliding_window_pattern": ("_sliding_window_pattern",),
}
"""One thing, and its other names in older files."""


@dataclass(frozen=True, slots=True)
class Config:
    """The language model of a config.json; ``whole`` is the file, for what stands above the model."""

    name: str
    values: Mapping[str, object]
    whole: Mapping[str, object] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The ``model_type``."""
        kind = self.values.get("model_type") or self.whole.get("model_type")
        if not isinstance(kind, str):
            raise self.lacks("model_type")
        return kind

    def lacks(self, key: str) -> UsageError:
        """The error of a key that is needed and not there."""
        return UsageError(f"{self.name} has no {key!r}", fix=OTHERWISE)

    def get(self, key: str) -> object:
        """A value by any of its names; what the library has for the type where the file is silent."""
        for one in (key, *SAME.get(key, ())):
            if self.values.get(one) is not None:
                return self.values[one]
        return TYPE_DEFAULTS.get(str(self.values.get("model_type")), {}).get(key)

    def number(self, key: str, default: int | None = None, *, least: int = 1) -> int:
        """A whole number, or ``default`` where there is none.

        Raises
        ------
        UsageError
            If it is needed and missing, or cannot be the size of anything.
        """
        value = self.get(key)
        if value is None:
            if default is None:
                raise self.lacks(key)
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MOST:
            raise UsageError(
                f"{key} of {self.name} is {short(value)}, not a whole number from {least} to {MOST}",
                fix=OTHERWISE,
            )
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false; of the language model, else of the file."""
        value = self.values.get(key, self.whole.get(key))
        if value is None:
            return default
        if not isinstance(value, bool):
            raise UsageError(f"{key} of {self.name} is {short(value)}, not true or false", fix=OTHERWISE)
        return value

    def words(self, key: str) -> list[str]:
        """A list of words; empty where there is none."""
        value = self.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise UsageError(f"{key} of {self.name} is not a list of words", fix=OTHERWISE)
        return value

    def outer(self, key: str) -> object:
        """A value that may stand with the language model or above it."""
        return self.values.get(key) or self.whole.get(key)


def load(path: Path) -> Config:
    """A config.json, or the one of a folder. Nothing of it is run, nothing is fetched.

    Raises
    ------
    UsageError
        If it cannot be read, is too large, or is not a JSON object.
    """
    file = path / "config.json" if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # a name may hold what no file can be called
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{file} cannot be read: {why}", fix="Give a config.json") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"{file} is larger than {MOST_BYTES} bytes", fix="Give a config.json")
    try:
        values = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not JSON", fix="Give the config.json of a model") from error
    if not isinstance(values, dict):
        raise UsageError(f"{file} holds no JSON object", fix="Give the config.json of a model")
    return Config(_name(file, values), _inner(values), values)


def _name(file: Path, values: Mapping[str, object]) -> str:
    told = values.get("_name_or_path")
    words = " ".join(told.split()) if isinstance(told, str) else ""
    own = "" if file.stem == "config" else file.stem
    return words[:MOST_LETTERS] or own or file.resolve().parent.name or file.name


def _inner(values: Mapping[str, object]) -> Mapping[str, object]:
    """The language model inside a model that sees or hears, however deep it lies."""
    while inner := [values[key] for key in INNER if isinstance(values.get(key), dict)]:
        values = cast("Mapping[str, object]", inner[0])
    return values


def short(value: object) -> str:
    """A value as it is told: on one line, and not the whole of it."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
