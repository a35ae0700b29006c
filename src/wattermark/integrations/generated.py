"""What a call of ``generate`` asks for and what comes back, in tokens: without padding, up to the end.

References
----------
.. [1] transformers 4.44 to 5.24, ``generation/utils.py``: inputs are repeated for each beam and each answer;
   an answer that is over is filled up with the padding token; a decoder of its own begins with one token.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NO_TEXT = "input tokens: what the model was given is no text"
ROWS = "input tokens: there are other answers than prompts"
OWN_WAY = "output tokens: this model generates in a way of its own, its prompt may be among them"
NO_STEPS = "passes: its steps cannot be seen from outside"
BEAMS = "work: %d beams were computed for each prompt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call, as far as it can be known before it runs.

    ``prompts`` are the tokens for each answer, without padding; None where it is no text. ``cached`` of each
    were computed before. What comes back begins with ``given`` tokens that nobody generated, and is over with
    any of ``ends``; where it may end otherwise, it is filled up with ``pad``.
    """

    prompts: tuple[int | None, ...]
    cached: int | None
    given: int
    ends: tuple[int, ...]
    pad: int | None
    unknown: tuple[str, ...]


def asked(model: Any, told: Mapping[str, Any]) -> Asked:
    """What a call asks for, by its arguments and by the model's own settings."""
    setting = _Settings(model, told)
    prompts = _prompts(told, setting)
    beams = setting.number("num_beams") or 1
    answers = setting.number("num_return_sequences") or 1
    stops = setting.of("stop_strings") is not None or bool(told.get("stopping_criteria"))
    return Asked(
        prompts=tuple(one for one in prompts for _ in range(answers)),
        cached=_cached(told),
        given=_given(model, told, setting),
        ends=setting.ids("eos_token_id"),
        pad=next(iter(setting.ids("pad_token_id")), None) if stops else None,
        unknown=tuple(
            why
            for why, holds in (
                (NO_TEXT, None in prompts),
                (OWN_WAY, _has_own_way(model)),
                (BEAMS % beams, beams > 1),
            )
            if holds
        ),
    )


def written(answer: Any, one: Asked) -> tuple[int, ...]:
    """How many tokens each row of an answer has, the one that ends it among them."""
    import torch

    sequences = answer["sequences"] if isinstance(answer, Mapping) else answer
    rows = sequences.reshape(-1, sequences.shape[-1])[:, one.given :]
    ended = torch.isin(rows, torch.tensor(one.ends, dtype=rows.dtype, device=rows.device)).int()
    within = ended.cumsum(1) - ended == 0
    if one.pad is not None and one.pad not in one.ends:
        within &= (rows != one.pad).int().flip(1).cumsum(1).flip(1) > 0
    return tuple(within.sum(1).tolist())


def name_of(model: Any) -> str:
    """As it was loaded; of a folder of this machine its last word."""
    name = getattr(model, "name_or_path", "") or type(model).__name__
    return os.path.basename(os.path.normpath(name)) if os.path.isabs(name) else str(name)


class _Settings:
    """Arguments of the call go before its configuration, and that before the model's."""

    def __init__(self, model: Any, told: Mapping[str, Any]) -> None:
        self._told = told
        self._later = (told.get("generation_config"), getattr(model, "generation_config", None))

    def of(self, name: str) -> Any:
        found = (self._told.get(name), *(getattr(one, name, None) for one in self._later))
        return next((one for one in found if one is not None), None)

    def number(self, name: str) -> int | None:
        found = self.of(name)
        return found if isinstance(found, int) else None

    def ids(self, name: str) -> tuple[int, ...]:
        found = self.of(name)
        if found is None:
            return ()
        found = found.tolist() if hasattr(found, "tolist") else found
        return tuple(found) if isinstance(found, list | tuple) else (int(found),)


def _prompts(told: Mapping[str, Any], setting: _Settings) -> tuple[int | None, ...]:
    given = _first(
        told, "input_ids", "inputs", "inputs_embeds", "input_features", "input_values", "pixel_values"
    )
    if given is None:
        return (1,)  # the token that begins a text
    rows, length = int(given.shape[0]), int(given.shape[1])
    mask = told.get("attention_mask")
    is_text = given.dim() == 2 and not given.is_floating_point()
    if not is_text and _first(told, "inputs_embeds") is None:
        return tuple(None for _ in range(rows))
    if mask is not None and mask.dim() == 2 and mask.shape[0] == rows:
        return tuple(map(int, mask.sum(1).tolist()))
    if not is_text:
        return tuple(length for _ in range(rows))
    pads, ends = setting.ids("pad_token_id"), setting.ids("eos_token_id")
    if not pads or pads[0] in ends:
        return tuple(length for _ in range(rows))
    return tuple(map(int, (given != pads[0]).sum(1).tolist()))


def _given(model: Any, told: Mapping[str, Any], setting: _Settings) -> int:
    if getattr(getattr(model, "config", None), "is_encoder_decoder", False):
        begun, start = told.get("decoder_input_ids"), setting.ids("decoder_start_token_id")
        if begun is None:
            return 1
        stands = not start or bool((begun[:, 0] == start[0]).all())
        return int(begun.shape[1]) + (0 if stands else 1)
    ids = _first(told, "input_ids", "inputs")
    if ids is None:
        return 0 if told.get("inputs_embeds") is not None else 1
    return int(ids.shape[1]) if ids.dim() == 2 else 0


def _cached(told: Mapping[str, Any]) -> int | None:
    kept = _first(told, "past_key_values", "cache")
    length = getattr(kept, "get_seq_length", None)
    return int(length()) if length is not None else None


def _has_own_way(model: Any) -> bool:
    """Whether its class does not generate as all others do: Whisper, Musicgen and the like."""
    made = getattr(type(model), "generate", None)
    return getattr(made, "__module__", "").rpartition(".")[0] != "transformers.generation"


def _first(told: Mapping[str, Any], *names: str) -> Any:
    return next((told[name] for name in names if told.get(name) is not None), None)
