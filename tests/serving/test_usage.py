"""Tokens: everybody's words for them mean the same, and what cannot be is not known."""

import importlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.serving.usage import MOST_TOKENS, count, usage_of
from wattermark.values.served import Route, Usage

from .recorded import (
    ANSWERS,
    ANTHROPIC_START,
    COHERE_USAGE,
    GEMINI_USAGE,
    OPENAI_USAGE,
    RESPONSES_USAGE,
    TIMINGS,
)


@pytest.mark.parametrize(
    ("words", "document", "usage"),
    [
        pytest.param(
            "openai",
            {"usage": {"prompt_tokens": 758, "completion_tokens": 102, "total_tokens": 1725}},
            Usage(input_tokens=758, output_tokens=967),
            id="Gemini's OpenAI-compatible answers leave thoughts out of the completion, not of the total",
        ),
        pytest.param(
            "openai",
            {
                "usage": {
                    "prompt_tokens": 32,
                    "completion_tokens": 9,
                    "total_tokens": 135,
                    "completion_tokens_details": {"reasoning_tokens": 94},
                }
            },
            Usage(input_tokens=32, output_tokens=103, reasoning_tokens=94),
            id="xAI's, too",
        ),
        pytest.param(
            "openai",
            {
                "usage": {
                    "prompt_tokens": 32,
                    "completion_tokens": 9,
                    "completion_tokens_details": {"reasoning_tokens": 94},
                }
            },
            Usage(input_tokens=32, output_tokens=103, reasoning_tokens=94),
            id="more thoughts than output, and no total",
        ),
        pytest.param(
            "openai",
            {"usage": {"prompt_tokens": 30, "completion_tokens": 12, "prompt_cache_hit_tokens": 16}},
            Usage(input_tokens=30, output_tokens=12, cached_tokens=16),
            id="DeepSeek's word for the cache",
        ),
        pytest.param(
            "openai",
            {
                "usage": {
                    "prompt_tokens": 30,
                    "completion_tokens": 100,
                    "total_tokens": 130,
                    "completion_tokens_details": {
                        "accepted_prediction_tokens": 60,
                        "rejected_prediction_tokens": 10,
                    },
                }
            },
            Usage(input_tokens=30, output_tokens=100, passes=30),
            id="a predicted output: what was accepted or rejected took no step of its own",
        ),
        pytest.param(
            "openai",
            {"usage": {"prompt_tokens": 26, "completion_tokens": 12, "total_tokens": 38}, "timings": TIMINGS},
            Usage(input_tokens=26, output_tokens=12, cached_tokens=16, passes=6),
            id="llama.cpp behind OpenAI's words tells drafts and cache in its own",
        ),
        pytest.param(
            "openai",
            {"usage": {"prompt_tokens": 26, "completion_tokens": 12, "prompt_tokens_details": None}},
            Usage(input_tokens=26, output_tokens=12),
            id="vLLM without details",
        ),
        pytest.param(
            "openai",
            {"choices": [], "x_groq": {"id": "q", "usage": {"prompt_tokens": 3, "completion_tokens": 4}}},
            Usage(input_tokens=3, output_tokens=4),
            id="Groq ends its streams in its own way",
        ),
        pytest.param("openai", {"usage": None}, None, id="none told"),
        pytest.param("openai", {"error": {"message": "no"}}, None, id="an error"),
        pytest.param(
            "anthropic",
            {"usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": None}},
            Usage(input_tokens=10, output_tokens=5),
            id="Anthropic without a cache",
        ),
        pytest.param(
            "anthropic",
            {
                "usage": {
                    "input_tokens": 10,
                    "output_tokens": 50,
                    "output_tokens_details": {"thinking_tokens": 40},
                }
            },
            Usage(input_tokens=10, output_tokens=50, reasoning_tokens=40),
            id="Anthropic's thinking is in its output",
        ),
        pytest.param(
            "google",
            {"usageMetadata": {"promptTokenCount": 30, "thoughtsTokenCount": 8, "totalTokenCount": 38}},
            Usage(input_tokens=30, output_tokens=8, reasoning_tokens=8),
            id="Gemini thought, and wrote nothing: zeros are left out",
        ),
        pytest.param(
            "google",
            {
                "usageMetadata": {
                    "promptTokenCount": 30,
                    "toolUsePromptTokenCount": 50,
                    "candidatesTokenCount": 7,
                    "totalTokenCount": 87,
                }
            },
            Usage(input_tokens=80, output_tokens=7),
            id="what tools gave Gemini is input, too",
        ),
        pytest.param(
            "cohere",
            {"meta": {"billed_units": {"input_tokens": 20, "output_tokens": 9}}},
            Usage(input_tokens=20, output_tokens=9),
            id="Cohere tells what it bills alone",
        ),
        pytest.param(
            "ollama",
            {"done": True, "eval_count": 7},
            Usage(output_tokens=7),
            id="an old Ollama had the prompt cached, and does not count it",
        ),
        pytest.param(
            "llamacpp",
            {
                "tokens_predicted": 12,
                "tokens_evaluated": 26,
                "timings": {**TIMINGS, "draft_n_accepted": None},
            },
            Usage(input_tokens=26, output_tokens=12, cached_tokens=16),
            id="llama.cpp without drafts: no word of passes",
        ),
        pytest.param(
            "generate",
            {"details": {"generated_tokens": 3, "prefill": [{"id": 1}, {"id": 2}]}},
            Usage(input_tokens=2, output_tokens=3),
            id="TGI lists the prompt",
        ),
    ],
)
def test_whose_words_mean_what(words, document, usage):
    assert usage_of(document, words) == usage


@pytest.mark.parametrize("route", [Route.EMBEDDINGS, Route.RERANK])
@pytest.mark.parametrize("told", [{"prompt_tokens": 8, "total_tokens": 8}, {"total_tokens": 8}])
def test_what_only_reads_writes_nothing(route, told):
    assert usage_of({"usage": told}, "openai", route) == Usage(input_tokens=8, output_tokens=0)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0),
        (7, 7),
        (12.0, 12),
        (MOST_TOKENS, MOST_TOKENS),
        (MOST_TOKENS + 1, None),
        (-1, None),
        (True, None),
        (7.5, None),
        ("7", None),
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        ([7], None),
        ({"a": 7}, None),
    ],
)
def test_a_number_that_cannot_be_is_not_known(value, number):
    assert count(value) == number


def test_a_number_that_cannot_be_spoils_no_other():
    told = {"prompt_tokens": -3, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 2}}
    assert usage_of({"usage": told}, "openai") == Usage(output_tokens=5, cached_tokens=2)


def test_a_part_is_no_larger_than_its_whole():
    told = {"prompt_tokens": 3, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}
    assert usage_of({"usage": told}, "openai") == Usage(input_tokens=3, output_tokens=5)


WORDS = ("openai", "responses", "anthropic", "google", "cohere", "ollama", "llamacpp", "generate", "", "?")
NAMES = st.sampled_from(
    [
        *(
            "usage",
            "meta",
            "response",
            "message",
            "delta",
            "usageMetadata",
            "timings",
            "details",
            "meta_info",
        ),
        *("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens", "tokens"),
        *("prompt_tokens_details", "completion_tokens_details", "cached_tokens", "reasoning_tokens"),
        *("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"),
        *("prompt_eval_count", "eval_count", "billed_units", "prompt_n", "cache_n", "predicted_n"),
        *("draft_n_accepted", "tokens_evaluated", "prefill", "cache_read_input_tokens"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just(5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, VALUES, max_size=6), st.sampled_from(WORDS), st.sampled_from(Route))
def test_no_document_is_a_crash_and_no_count_is_impossible(document, words, route):
    usage = usage_of(document, words, route)
    if usage is not None:
        assert usage.is_known
        told = (
            usage.input_tokens,
            usage.output_tokens,
            usage.cached_tokens,
            usage.reasoning_tokens,
            usage.passes,
        )
        assert all(one is None or (type(one) is int and 0 <= one <= MOST_TOKENS) for one in told)
        for part, whole in (told[2::-2], told[3:0:-2]):
            assert part is None or whole is None or part <= whole


@pytest.mark.parametrize(
    ("sdk", "kind", "document"),
    [
        ("openai.types", "CompletionUsage", OPENAI_USAGE),
        ("openai.types.responses", "ResponseUsage", RESPONSES_USAGE),
        ("openai.types.create_embedding_response", "Usage", {"prompt_tokens": 8, "total_tokens": 8}),
        ("anthropic.types", "Usage", ANTHROPIC_START["message"]["usage"]),
        ("anthropic.types", "MessageDeltaUsage", {"output_tokens": 15}),
        ("google.genai.types", "GenerateContentResponseUsageMetadata", GEMINI_USAGE),
        ("cohere.types.usage", "Usage", COHERE_USAGE),
        ("mistralai.client.models.usageinfo", "UsageInfo", {"prompt_tokens": 3, "completion_tokens": 4}),
    ],
)  # fmt: skip
def test_the_official_sdks_know_these_words(sdk, kind, document):
    """What our tables hold is what the providers' own types read: no field is left over, none is lost."""
    pytest.importorskip(sdk.partition(".")[0] if not sdk.startswith("google") else "google.genai")
    read = getattr(importlib.import_module(sdk), kind).model_validate(document)
    assert not getattr(read, "model_extra", None)
    by_alias = json.loads(read.model_dump_json(by_alias=True, exclude_none=True))
    assert {name: by_alias[name] for name in document} == document


@pytest.mark.parametrize("name", ANSWERS)
def test_a_recorded_answer_tells_its_tokens(name):
    from wattermark.serving.routes import asked_by

    recorded = ANSWERS[name]
    documents = json.loads(recorded.body)
    document = documents[-1] if isinstance(documents, list) else documents
    asked = asked_by(recorded.path)
    assert (usage_of(document, asked.words, asked.route) or Usage()) == recorded.usage
