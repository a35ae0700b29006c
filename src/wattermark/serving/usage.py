"""What an answer says of its tokens, in one set of words: those of OpenTelemetry.

Input holds what was read from a cache or written to it, output holds what was thought and what was predicted
in vain (gen_ai.usage.input_tokens, .cache_read.input_tokens, .output_tokens, .reasoning.output_tokens:
OpenTelemetry, Semantic conventions for generative AI). Providers differ in what they count where; each
function tells how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wattermark.values.served import Route, Usage

MOST_TOKENS = 2**62
"""More is no count of tokens; a sum of two still is a whole number of 64 bits."""
MOST_EXACT = 2.0**53
Told = Mapping[str, Any]


def usage_of(document: Told, words: str, route: Route = Route.CHAT) -> Usage | None:
    """The tokens of an answer, or of the piece of a stream that tells them; None where it tells none.

    Parameters
    ----------
    document : mapping
        JSON as it came.
    words : str
        Whose: ``openai``, ``anthropic``, ``ollama`` ...
    route : Route
        What was asked: an embedding writes nothing, so its output is 0.
    """
    told = told_of(document, words)
    return None if told is None else read_usage(told, words, route)


def told_of(document: Told, words: str) -> Told | None:
    """Where a document speaks of tokens, still in its own words; None where it does not.

    What several pieces of a stream tell goes together field by field, the later one holding.
    """
    found = _WHERE.get(words, _below_usage)(document)
    return found or None


def read_usage(told: Told, words: str, route: Route = Route.CHAT) -> Usage | None:
    """Our words for theirs; None where no number of them can be."""
    usage = _READ.get(words, _openai)(told)
    if route in (Route.EMBEDDINGS, Route.RERANK) and usage.input_tokens is not None:
        usage = Usage(input_tokens=usage.input_tokens, cached_tokens=usage.cached_tokens, output_tokens=0)
    return _possible(usage) if usage.is_known else None


def count(value: Any) -> int | None:
    """A number of tokens, also as 12.0 (Cohere's are floats); None where none is told, or none can be so."""
    if isinstance(value, float) and 0 <= value <= MOST_EXACT and value.is_integer():
        return int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= MOST_TOKENS else None


# -- where it stands ---------------------------------------------------------------------


def _below_usage(document: Told) -> Told:
    """OpenAI's and who talks like it; llama.cpp tells more beside it, Groq its streams' in its own way."""
    told = _map(document.get("usage")) or _map(_map(document.get("x_groq")).get("usage"))
    return {**told, **_some(document, "timings")}


def _below_response(document: Told) -> Told:
    """An answer of the Responses API, or the event of its stream that holds one."""
    return _map(document.get("usage")) or _map(_map(document.get("response")).get("usage"))


def _below_message(document: Told) -> Told:
    """Anthropic's: a message, the event that begins one, and the one that ends it."""
    return _map(document.get("usage")) or _map(_map(document.get("message")).get("usage"))


def _below_metadata(document: Told) -> Told:
    return _map(document.get("usageMetadata"))


def _below_delta(document: Told) -> Told:
    """Cohere's v2 (an answer, or ``message-end``) and v1 (an answer, or ``stream-end``)."""
    for place in (document, _map(document.get("delta")), _map(document.get("response"))):
        for name in ("usage", "meta"):
            if found := _map(place.get(name)):
                return found
    return {}


def _at_the_top(*names: str) -> Callable[[Told], Told]:
    return lambda document: _some(document, *names)


def _of_generate(document: Told) -> Told:
    """TGI tells ``details``, SGLang ``meta_info``."""
    return {**_map(document.get("details")), **_map(document.get("meta_info"))}


_OLLAMA = ("prompt_eval_count", "eval_count")
_LLAMACPP = ("tokens_evaluated", "tokens_predicted", "timings")
_WHERE: Mapping[str, Callable[[Told], Told]] = {
    "responses": _below_response,
    "anthropic": _below_message,
    "google": _below_metadata,
    "cohere": _below_delta,
    "ollama": _at_the_top(*_OLLAMA),
    "llamacpp": _at_the_top(*_LLAMACPP),
    "generate": _of_generate,
}


# -- what it means -----------------------------------------------------------------------


def _openai(told: Told) -> Usage:
    """Prompts hold what was cached, completions what was thought, and the total both.

    Gemini's OpenAI-compatible answers and xAI's leave thoughts out of the completion, but not of the total.
    DeepSeek, Moonshot and Mistral tell what was cached in words of their own.
    """
    asked = _map(told.get("prompt_tokens_details")) or _map(told.get("input_tokens_details"))
    made = _map(told.get("completion_tokens_details")) or _map(told.get("output_tokens_details"))
    total = count(told.get("total_tokens"))
    given = _first(told, "prompt_tokens", "input_tokens")
    written = _first(told, "completion_tokens", "output_tokens")
    thought = count(made.get("reasoning_tokens"))
    if given is None and written is None:
        given = total  # embeddings of some servers
    cached = _first(asked, "cached_tokens")
    if cached is None:
        cached = _first(told, "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens")
    output = _with_thoughts(given, written, thought, total)
    timings = _map(told.get("timings"))
    from_timings = _timed(timings) if timings else Usage()
    return Usage(
        input_tokens=from_timings.input_tokens if given is None else given,
        output_tokens=from_timings.output_tokens if output is None else output,
        cached_tokens=from_timings.cached_tokens if cached is None else cached,
        reasoning_tokens=thought,
        passes=from_timings.passes if timings else _unpredicted(made, output),
    )


def _with_thoughts(
    given: int | None, written: int | None, thought: int | None, total: int | None
) -> int | None:
    """All that was written: the total tells what a completion leaves out."""
    if given is None or written is None:
        return written
    if total is not None and total > given + written:
        return total - given
    return written + thought if thought is not None and thought > written else written


def _unpredicted(made: Told, output: int | None) -> int | None:
    """Decoding steps where an output was predicted: accepted and rejected tokens take none of their own."""
    predicted = (count(made.get("accepted_prediction_tokens")) or 0) + (
        count(made.get("rejected_prediction_tokens")) or 0
    )
    return output - predicted if output is not None and 0 < predicted < output else None


def _anthropic(told: Told) -> Usage:
    """What was read from the cache, or written to it, is not in ``input_tokens``."""
    read = count(told.get("cache_read_input_tokens"))
    return Usage(
        input_tokens=_sum(
            count(told.get("input_tokens")), read, count(told.get("cache_creation_input_tokens"))
        ),
        output_tokens=count(told.get("output_tokens")),
        cached_tokens=read,
        reasoning_tokens=count(_map(told.get("output_tokens_details")).get("thinking_tokens")),
    )


def _google(told: Told) -> Usage:
    """Prompts hold what was cached, not what tools gave back; candidates do not hold thoughts.

    A number that is left out is 0, as everywhere in Google's JSON; the total is there for all.
    """
    given, total = count(told.get("promptTokenCount")), count(told.get("totalTokenCount"))
    thought, tools = count(told.get("thoughtsTokenCount")), count(told.get("toolUsePromptTokenCount"))
    written = count(told.get("candidatesTokenCount"))
    if written is None and given is not None and "candidatesTokenCount" not in told:
        written = max(0, (total or 0) - given - (thought or 0) - (tools or 0))
    return Usage(
        input_tokens=_sum(given, tools),
        output_tokens=_sum(written, thought),
        cached_tokens=count(told.get("cachedContentTokenCount")),
        reasoning_tokens=thought,
    )


def _cohere(told: Told) -> Usage:
    """``tokens`` are what the model saw; ``billed_units`` leave out what Cohere adds to a prompt."""
    tokens, billed = _map(told.get("tokens")), _map(told.get("billed_units"))
    if not tokens and not billed:
        return _openai(told)  # vLLM, Jina and llama.cpp at the same paths
    return Usage(
        input_tokens=_or(count(tokens.get("input_tokens")), count(billed.get("input_tokens"))),
        output_tokens=_or(count(tokens.get("output_tokens")), count(billed.get("output_tokens"))),
        cached_tokens=count(told.get("cached_tokens")),
    )


def _ollama(told: Told) -> Usage:
    """An old Ollama leaves out the prompt where it had it cached; then it is not known."""
    return Usage(
        input_tokens=count(told.get("prompt_eval_count")), output_tokens=count(told.get("eval_count"))
    )


def _llamacpp(told: Told) -> Usage:
    """The prompt counts whole in ``tokens_evaluated``; what of it was computed stands in ``timings``."""
    timed = _timed(_map(told.get("timings")))
    return Usage(
        input_tokens=_or(count(told.get("tokens_evaluated")), timed.input_tokens),
        output_tokens=_or(count(told.get("tokens_predicted")), timed.output_tokens),
        cached_tokens=timed.cached_tokens,
        passes=timed.passes,
    )


def _timed(timings: Told) -> Usage:
    """llama.cpp's: computed and cached tokens of the prompt apart; drafted tokens that were accepted."""
    computed, cached = count(timings.get("prompt_n")), count(timings.get("cache_n"))
    written, drafted = count(timings.get("predicted_n")), count(timings.get("draft_n_accepted"))
    return Usage(
        input_tokens=None if computed is None or cached is None else computed + cached,
        output_tokens=written,
        cached_tokens=cached,
        passes=None if written is None or not drafted or drafted > written else written - drafted,
    )


def _generate(told: Told) -> Usage:
    """TGI's ``details`` (a stream tells ``input_length``, an answer the prompt), SGLang's ``meta_info``."""
    prefill = told.get("prefill")
    listed = len(prefill) if isinstance(prefill, list) and prefill else None
    return Usage(
        input_tokens=_or(_first(told, "prompt_tokens", "input_length"), listed),
        output_tokens=_first(told, "completion_tokens", "generated_tokens"),
        cached_tokens=count(told.get("cached_tokens")),
    )


_READ: Mapping[str, Callable[[Told], Usage]] = {
    "anthropic": _anthropic,
    "google": _google,
    "cohere": _cohere,
    "ollama": _ollama,
    "llamacpp": _llamacpp,
    "generate": _generate,
}


def _possible(usage: Usage) -> Usage:
    """Without parts that are larger than their whole, which cannot be."""
    return Usage(
        input_tokens=_within(usage.input_tokens, MOST_TOKENS),
        output_tokens=_within(usage.output_tokens, MOST_TOKENS),
        cached_tokens=_within(usage.cached_tokens, usage.input_tokens),
        reasoning_tokens=_within(usage.reasoning_tokens, usage.output_tokens),
        passes=_within(usage.passes, usage.output_tokens),
    )


def _within(part: int | None, whole: int | None) -> int | None:
    return None if part is None or (whole is not None and part > whole) else part


def _map(value: Any) -> Told:
    return value if isinstance(value, dict) else {}


def _some(document: Told, *names: str) -> Told:
    return {name: document[name] for name in names if document.get(name) is not None}


def _first(told: Told, *names: str) -> int | None:
    """The first of several words that is there; whether its number can be is another matter."""
    return next((count(told[name]) for name in names if told.get(name) is not None), None)


def _or(first: int | None, second: int | None) -> int | None:
    return second if first is None else first


def _sum(first: int | None, *more: int | None) -> int | None:
    """None where the first is not known; the others are 0 where they are not told."""
    return None if first is None else first + sum(one or 0 for one in more)
