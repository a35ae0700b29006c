"""Which path asks for what, and in whose words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import unquote

from wattermark.values.served import Route


@dataclass(frozen=True, slots=True)
class Asked:
    """What a path asks for, and whose words it uses (``openai``, ``anthropic``, ``ollama`` ...).

    ``model`` is the one that the path names, if it does; ``streams`` says that the answer comes in pieces,
    whatever the body says and the answer calls itself.
    """

    route: Route
    words: str
    model: str = ""
    streams: bool = False


UNKNOWN = Asked(Route.OTHER, "")

PATHS = {
    "chat/completions": Asked(Route.CHAT, "openai"),
    "agents/completions": Asked(Route.CHAT, "openai"),  # Mistral
    "fim/completions": Asked(Route.COMPLETIONS, "openai"),  # Mistral
    "completions": Asked(Route.COMPLETIONS, "openai"),
    "responses": Asked(Route.RESPONSES, "responses"),
    "responses/compact": Asked(Route.RESPONSES, "responses"),
    "embeddings": Asked(Route.EMBEDDINGS, "openai"),
    "pooling": Asked(Route.EMBEDDINGS, "openai"),  # vLLM; these two pass over the input and write nothing
    "classify": Asked(Route.EMBEDDINGS, "openai"),
    "v1/messages": Asked(Route.CHAT, "anthropic"),
    "api/chat": Asked(Route.CHAT, "ollama"),
    "api/generate": Asked(Route.COMPLETIONS, "ollama"),
    "api/embed": Asked(Route.EMBEDDINGS, "ollama"),
    "api/embeddings": Asked(Route.EMBEDDINGS, "ollama"),
    "v1/chat": Asked(Route.CHAT, "cohere"),
    "v2/chat": Asked(Route.CHAT, "cohere"),
    "v1/generate": Asked(Route.COMPLETIONS, "cohere"),
    "v1/embed": Asked(Route.EMBEDDINGS, "cohere"),
    "v2/embed": Asked(Route.EMBEDDINGS, "cohere"),
    "v1/rerank": Asked(Route.RERANK, "cohere"),  # vLLM's and Jina's, too: their words are looked for as well
    "v2/rerank": Asked(Route.RERANK, "cohere"),
    "rerank": Asked(Route.RERANK, "cohere"),
    "reranking": Asked(Route.RERANK, "openai"),  # llama.cpp
    "score": Asked(Route.RERANK, "openai"),  # vLLM
    "completion": Asked(Route.COMPLETIONS, "llamacpp"),
    "infill": Asked(Route.COMPLETIONS, "llamacpp"),
    "embedding": Asked(Route.EMBEDDINGS, "llamacpp"),
    "generate": Asked(Route.COMPLETIONS, "generate"),  # TGI, SGLang
    "generate_stream": Asked(Route.COMPLETIONS, "generate", streams=True),
    "embed": Asked(Route.EMBEDDINGS, "generate"),  # text-embeddings-inference
}
"""By the last two words of a path, else by the last one: a server may stand anywhere below a host."""

VERBS = {
    "generateContent": Asked(Route.CHAT, "google"),
    "streamGenerateContent": Asked(Route.CHAT, "google", streams=True),
    "embedContent": Asked(Route.EMBEDDINGS, "google"),
    "batchEmbedContents": Asked(Route.EMBEDDINGS, "google"),
    "rawPredict": Asked(Route.CHAT, "anthropic"),  # Claude at Vertex; Mistral's words are OpenAI's
    "streamRawPredict": Asked(Route.CHAT, "anthropic", streams=True),
}
"""What Google's paths end with, after a model and a colon."""

_COUNTED = {"usage", "input_items"}
"""Before a last word: what was used, told to administrators (``/v1/organization/usage/completions``)."""


def asked_by(path: str, method: str = "POST") -> Asked:
    """What a path asks for; ``UNKNOWN`` where nobody is served by a model.

    Parameters
    ----------
    path : str
        Of a request, without its query.
    method : str
        Of HTTP; only a POST makes a model work, a GET lists what it wrote before.
    """
    if method != "POST":
        return UNKNOWN
    words = (unquote(path) if "%" in path else path).strip("/").split("/")
    before, last = "/".join(words[-2:-1]), words[-1]
    if ":" in last:
        return _of_google(words)
    found = PATHS.get(f"{before}/{last}") or PATHS.get(last)
    if found is None or before in _COUNTED:
        return UNKNOWN
    model = _named(words)
    return replace(found, model=model) if model else found


def _of_google(words: list[str]) -> Asked:
    model, _, verb = words[-1].rpartition(":")
    found = VERBS.get(verb)
    if found is None:
        return UNKNOWN
    return replace(found, model=model, words="openai" if "mistralai" in words else found.words)


def _named(words: list[str]) -> str:
    """Azure's deployment, Triton's model."""
    for place in ("deployments", "models"):
        if place in words[:-1] and words.index(place) + 1 < len(words) - 1:
            return words[words.index(place) + 1]
    return ""
