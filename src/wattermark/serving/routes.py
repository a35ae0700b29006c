"""Which path asks for what, and in whose words."""

from __future__ import annotations

from dataclasses import dataclass

from wattermark.values.served import Route


@dataclass(frozen=True, slots=True)
class Asked:
    """What a path asks for, and whose words (``openai``, ``anthropic``, ``ollama`` ...) it uses."""

    route: Route
    words: str


PATHS = {
    "/chat/completions": Asked(Route.CHAT, "openai"),
    "/completions": Asked(Route.COMPLETIONS, "openai"),
    "/responses": Asked(Route.RESPONSES, "openai"),
    "/embeddings": Asked(Route.EMBEDDINGS, "openai"),
    "/messages": Asked(Route.CHAT, "anthropic"),
    "/api/chat": Asked(Route.CHAT, "ollama"),
    "/api/generate": Asked(Route.COMPLETIONS, "ollama"),
    "/api/embed": Asked(Route.EMBEDDINGS, "ollama"),
}
UNKNOWN = Asked(Route.OTHER, "")


def asked_by(path: str) -> Asked:
    """What a path asks for; ``UNKNOWN`` where nobody is served by a model.

    Parameters
    ----------
    path : str
        Of a request, without its query.
    """
    tail = path.rstrip("/")
    return next((asked for end, asked in PATHS.items() if tail.endswith(end)), UNKNOWN)
