"""Closed models: what was published of one, or what is usual where its provider is known to have such."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from wattermark.errors import UsageError
from wattermark.factors.api import api_factors, typical_api_factors
from wattermark.values.factors import Factor

GUESSED: Final = "guessed"
PROVIDERS: Final = (
    *("openai", "anthropic", "google", "gemini", "azure", "bedrock", "vertex", "cohere", "mistral", "xai"),
    *("x_ai", "x-ai"),
)
"""Whose models are closed, as gateways and conventions call them; ``aws.bedrock``, ``vertex_ai`` too."""


def closed_line(model: str, provider: str) -> list[Factor] | None:
    """The line of a closed model; where nothing was published that of a usual one, its basis ``guessed``.

    Parameters
    ----------
    model, provider : str
        As a request told them.

    Returns
    -------
    list of Factor or None
        None where neither the model nor its provider is known for closed models.
    """
    for who in dict.fromkeys((provider or None, None)):
        with suppress(UsageError):
            return api_factors(model, who)
    return typical_api_factors(model) if model and is_closed(model, provider) else None


def is_closed(model: str, provider: str) -> bool:
    """Whether a provider is known for closed models: named so, or before the model, as gateways do."""
    told = provider.lower()
    words = {told, told.rpartition(".")[2], told.partition(".")[0], told.partition("_")[0], _before(model)}
    return not words.isdisjoint(PROVIDERS)


def _before(model: str) -> str:
    return model.lower().partition("/")[0] if "/" in model else ""
