"""Paths: which ask a model for something, in whose words; and those that only look so."""

import pytest

from wattermark.serving.routes import UNKNOWN, asked_by
from wattermark.values.served import Route


@pytest.mark.parametrize(
    ("path", "route", "words"),
    [
        ("/v1/chat/completions", Route.CHAT, "openai"),
        ("/v1/chat/completions/", Route.CHAT, "openai"),
        ("/openai/deployments/gpt/chat/completions", Route.CHAT, "openai"),
        ("/openai/v1/chat/completions", Route.CHAT, "openai"),
        ("/v1beta/openai/chat/completions", Route.CHAT, "openai"),
        ("/v1/projects/p/locations/l/endpoints/openapi/chat/completions", Route.CHAT, "openai"),
        ("/api/v1/chat/completions", Route.CHAT, "openai"),
        ("/v1/agents/completions", Route.CHAT, "openai"),
        ("/v1/completions", Route.COMPLETIONS, "openai"),
        ("/v1/fim/completions", Route.COMPLETIONS, "openai"),
        ("/v1/responses", Route.RESPONSES, "responses"),
        ("/v1/embeddings", Route.EMBEDDINGS, "openai"),
        ("/openai/deployments/e/embeddings", Route.EMBEDDINGS, "openai"),
        ("/v1/messages", Route.CHAT, "anthropic"),
        ("/anthropic/v1/messages", Route.CHAT, "anthropic"),
        ("/api/chat", Route.CHAT, "ollama"),
        ("/api/generate", Route.COMPLETIONS, "ollama"),
        ("/api/embed", Route.EMBEDDINGS, "ollama"),
        ("/api/embeddings", Route.EMBEDDINGS, "ollama"),
        ("/v1beta/models/gemini-2.5-flash:generateContent", Route.CHAT, "google"),
        ("/v1beta/models/gemini-2.5-flash%3AgenerateContent", Route.CHAT, "google"),
        ("/v1beta/models/gemini-2.5-flash:streamGenerateContent", Route.CHAT, "google"),
        ("/v1beta/models/gemini-embedding-001:embedContent", Route.EMBEDDINGS, "google"),
        ("/v1/projects/p/locations/l/publishers/google/models/g:generateContent", Route.CHAT, "google"),
        ("/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict", Route.CHAT, "anthropic"),
        ("/v1/projects/p/locations/l/publishers/mistralai/models/m:rawPredict", Route.CHAT, "openai"),
        ("/v2/chat", Route.CHAT, "cohere"),
        ("/v1/chat", Route.CHAT, "cohere"),
        ("/v2/embed", Route.EMBEDDINGS, "cohere"),
        ("/v2/rerank", Route.RERANK, "cohere"),
        ("/v1/rerank", Route.RERANK, "cohere"),
        ("/score", Route.RERANK, "openai"),
        ("/v1/score", Route.RERANK, "openai"),
        ("/completion", Route.COMPLETIONS, "llamacpp"),
        ("/generate", Route.COMPLETIONS, "generate"),
        ("/generate_stream", Route.COMPLETIONS, "generate"),
        ("/v2/models/m/generate", Route.COMPLETIONS, "generate"),
    ],
)
def test_a_path_that_asks_a_model(path, route, words):
    asked = asked_by(path)
    assert (asked.route, asked.words) == (route, words)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="the root"),
        pytest.param("", id="nothing"),
        "/v1/models",
        "/v1/models/chat",
        "/health",
        "/metrics",
        "/tokenize",
        "/api/tags",
        "/api/show",
        pytest.param("/v1/messages/count_tokens", id="Anthropic counts, and computes nothing"),
        "/v1/messages/batches",
        pytest.param("/v1/threads/t-1/messages", id="OpenAI's threads keep messages"),
        pytest.param("/v1/conversations/c-1/messages", id="Mistral's conversations, too"),
        pytest.param("/v1/responses/r-1", id="an answer that was given before"),
        "/v1/responses/r-1/cancel",
        "/v1/responses/input_tokens",
        "/v1/responses/r-1/input_items",
        pytest.param("/v1/organization/usage/completions", id="what an organisation used"),
        "/v1/organization/usage/embeddings",
        "/v1beta/models/gemini-2.5-flash:countTokens",
        "/v1beta/models/gemini-2.5-flash",
        pytest.param("/v1/chat/completions-of-mine", id="a longer word"),
        pytest.param("/v1/CHAT/completion s", id="other letters"),
        "/v1/chat/completions/c-1",
    ],
)
def test_a_path_that_only_looks_so(path):
    assert asked_by(path) is UNKNOWN


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_only_a_post_makes_a_model_work(method):
    """A GET of /v1/chat/completions lists what was written before."""
    assert asked_by("/v1/chat/completions", method) is UNKNOWN


@pytest.mark.parametrize(
    ("path", "model", "streams"),
    [
        ("/openai/deployments/gpt-4o/chat/completions", "gpt-4o", False),
        ("/v1beta/models/gemini-2.5-flash:streamGenerateContent", "gemini-2.5-flash", True),
        ("/v1beta/models/gemini-2.5-flash:generateContent", "gemini-2.5-flash", False),
        ("/v2/models/llama/generate_stream", "llama", True),
        ("/deployments/chat/completions", "chat", False),
        ("/v1/chat/completions", "", False),
    ],
)
def test_a_path_that_names_its_model(path, model, streams):
    asked = asked_by(path)
    assert (asked.model, asked.streams) == (model, streams)
