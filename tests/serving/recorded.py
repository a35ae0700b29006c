"""Answers as providers and engines give them: their shapes and field names, with texts of our own.

Shapes after the types of the official SDKs (openai, anthropic, google-genai, cohere, mistralai) and the
API pages of Ollama, llama.cpp, TGI, SGLang and vLLM.
"""

import json
from dataclasses import dataclass
from typing import Any

from wattermark.values.served import Usage

SSE, NDJSON, JSON = "text/event-stream; charset=utf-8", "application/x-ndjson", "application/json"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer, and what it says of its tokens."""

    path: str
    kind: str
    body: bytes
    usage: Usage
    chunks: int = 0
    model: str = "m-1"


def sse(*events: Any, names: bool = False, end: str = "\n") -> bytes:
    """Server-sent events of some documents (or of texts that are none)."""
    found = []
    for event in events:
        text = event if isinstance(event, str) else json.dumps(event)
        name = f"event: {event['type']}{end}" if names else ""
        found.append(f"{name}data: {text}{end}{end}")
    return "".join(found).encode()


def chat_chunk(delta: Any, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    return {"id": "c-1", "object": "chat.completion.chunk", "model": "m-1", "choices": [choice], **more}


OPENAI_USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 12,
    "total_tokens": 42,
    "prompt_tokens_details": {"cached_tokens": 16, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 5,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
OPENAI = Usage(input_tokens=30, output_tokens=12, cached_tokens=16, reasoning_tokens=5)
RESPONSES_USAGE = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 16, "cache_write_tokens": 0},
    "output_tokens": 12,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 42,
}
RESPONSE = {"id": "r-1", "object": "response", "model": "m-1", "output": [], "status": "completed"}
ANTHROPIC_START = {
    "type": "message_start",
    "message": {
        "id": "msg-1",
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": [],
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 20,
            "cache_read_input_tokens": 100,
            "output_tokens": 1,
        },
    },
}
ANTHROPIC = Usage(input_tokens=130, output_tokens=15, cached_tokens=100)
GEMINI_USAGE = {
    "promptTokenCount": 30,
    "candidatesTokenCount": 7,
    "totalTokenCount": 45,
    "cachedContentTokenCount": 16,
    "thoughtsTokenCount": 8,
}
GEMINI = Usage(input_tokens=30, output_tokens=15, cached_tokens=16, reasoning_tokens=8)


def gemini_piece(text: str, **usage: int) -> dict[str, Any]:
    parts = [{"text": text}] if text else []
    return {
        "candidates": [{"content": {"parts": parts, "role": "model"}, "index": 0}],
        "usageMetadata": usage,
        "modelVersion": "m-1",
    }


GEMINI_PIECES = (
    gemini_piece("Water", promptTokenCount=30, totalTokenCount=30),
    gemini_piece(" falls", promptTokenCount=30, candidatesTokenCount=3, totalTokenCount=41),
    {**gemini_piece(""), "usageMetadata": GEMINI_USAGE},
)
OLLAMA_LINES = (
    {"model": "m-1", "message": {"role": "assistant", "content": "Water"}, "done": False},
    {"model": "m-1", "message": {"role": "assistant", "content": " falls"}, "done": False},
    {
        "model": "m-1",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "total_duration": 4,
        "prompt_eval_count": 26,
        "eval_count": 2,
    },
)
COHERE_USAGE = {
    "billed_units": {"input_tokens": 20, "output_tokens": 9},
    "tokens": {"input_tokens": 71.0, "output_tokens": 9.0},
    "cached_tokens": 64,
}
COHERE = Usage(input_tokens=71, output_tokens=9, cached_tokens=64)
SGLANG = {"prompt_tokens": 4, "cached_tokens": 2}
TIMINGS = {"prompt_n": 10, "cache_n": 16, "predicted_n": 12, "draft_n": 8, "draft_n_accepted": 6}

STREAMS = {
    "openai chat with usage": Recorded(
        "/v1/chat/completions",
        SSE,
        sse(
            chat_chunk({"role": "assistant", "content": ""}, usage=None),
            chat_chunk({"content": "Water"}, usage=None),
            chat_chunk({"content": ' "falls": {\\"usage\\": {\\"prompt_tokens\\": 9}}'}, usage=None),
            chat_chunk({}, usage=None),
            {**chat_chunk({}), "choices": [], "usage": OPENAI_USAGE},
            "[DONE]",
        ),
        OPENAI,
        chunks=2,
    ),
    "openai chat of tools and thoughts, without usage": Recorded(
        "/v1/chat/completions",
        SSE,
        sse(
            chat_chunk({"reasoning_content": "Which one?"}),
            chat_chunk({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": ""}}]}),
            chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}),
            chat_chunk({}),
            "[DONE]",
        ),
        Usage(),
        chunks=2,
    ),
    "vllm, usage in every piece": Recorded(
        "/v1/completions",
        SSE,
        sse(
            *(
                {"choices": [{"text": "a"}], "usage": {"prompt_tokens": 30, "completion_tokens": n}}
                for n in range(1, 12)
            ),
            {"model": "m-1", "choices": [], "usage": OPENAI_USAGE},
            "[DONE]",
        ),
        OPENAI,
        chunks=11,
    ),
    "openai responses": Recorded(
        "/v1/responses",
        SSE,
        sse(
            {"type": "response.created", "response": {**RESPONSE, "usage": None}},
            {"type": "response.output_text.delta", "delta": "Water"},
            {"type": "response.output_text.delta", "delta": " falls"},
            {"type": "response.output_text.done", "text": "Water falls"},
            {"type": "response.completed", "response": {**RESPONSE, "usage": RESPONSES_USAGE}},
            names=True,
        ),
        OPENAI,
        chunks=2,
    ),
    "anthropic": Recorded(
        "/v1/messages",
        SSE,
        sse(
            ANTHROPIC_START,
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "ping"},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Water"}},
            {"type": "content_block_delta", "index": 1, "delta": {"type": "x", "thinking": "Hm"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}},
            {"type": "message_stop"},
            names=True,
        ),
        ANTHROPIC,
        chunks=2,
    ),
    "gemini": Recorded(
        "/v1beta/models/m-1:streamGenerateContent", SSE, sse(*GEMINI_PIECES, end="\r\n"), GEMINI, chunks=2
    ),
    "ollama": Recorded(
        "/api/chat",
        NDJSON,
        "".join(json.dumps(line) + "\n" for line in OLLAMA_LINES).encode(),
        Usage(input_tokens=26, output_tokens=2),
        chunks=2,
    ),
    "cohere v2": Recorded(
        "/v2/chat",
        SSE,
        sse(
            {"type": "message-start", "id": "x", "delta": {"message": {"role": "assistant", "content": []}}},
            {"type": "content-start", "index": 0, "delta": {"message": {"content": {"text": ""}}}},
            {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Water"}}}},
            {"type": "content-end", "index": 0},
            {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": COHERE_USAGE}},
            names=True,
        ),
        COHERE,
        chunks=1,
        model="asked",
    ),
    "cohere v1": Recorded(
        "/v1/chat",
        "application/stream+json",
        b"\n".join(
            json.dumps(one).encode()
            for one in (
                {"event_type": "stream-start", "generation_id": "x", "is_finished": False},
                {"event_type": "text-generation", "text": "Water", "is_finished": False},
                {"event_type": "stream-end", "response": {"text": "Water", "meta": COHERE_USAGE}},
            )
        ),
        COHERE,
        chunks=1,
        model="asked",
    ),
    "llama.cpp": Recorded(
        "/completion",
        SSE,
        sse(
            {"content": "Water", "stop": False, "tokens_predicted": 1, "tokens_evaluated": 26},
            {"content": "", "model": "m-1", "stop": True, "tokens_predicted": 12, "tokens_evaluated": 26,
             "timings": TIMINGS},
        ),
        Usage(input_tokens=26, output_tokens=12, cached_tokens=16, passes=6),
        chunks=1,
    ),
    "tgi": Recorded(
        "/generate_stream",
        SSE,
        sse(
            {"index": 1, "token": {"id": 5, "text": "Water"}, "generated_text": None, "details": None},
            {"index": 2, "token": {"id": 6, "text": " falls"}, "generated_text": "Water falls",
             "details": {"finish_reason": "length", "generated_tokens": 2, "input_length": 4}},
        ),
        Usage(input_tokens=4, output_tokens=2),
        chunks=2,
        model="asked",
    ),
    "sglang": Recorded(
        "/generate",
        SSE,
        sse(
            {"text": "Water", "meta_info": {**SGLANG, "completion_tokens": 1}},
            {"text": "Water falls", "meta_info": {**SGLANG, "completion_tokens": 2}},
            "[DONE]",
        ),
        Usage(input_tokens=4, output_tokens=2, cached_tokens=2),
        chunks=2,
        model="asked",
    ),
}  # fmt: skip
ANSWERS = {
    "openai chat": Recorded(
        "/v1/chat/completions", JSON, json.dumps({"model": "m-1", "usage": OPENAI_USAGE}).encode(), OPENAI
    ),
    "azure": Recorded(
        "/openai/deployments/m-1/chat/completions", JSON, json.dumps({"usage": OPENAI_USAGE}).encode(), OPENAI
    ),
    "openai responses": Recorded(
        "/v1/responses", JSON, json.dumps({**RESPONSE, "usage": RESPONSES_USAGE}).encode(), OPENAI
    ),
    "anthropic": Recorded(
        "/v1/messages",
        JSON,
        json.dumps(
            {"model": "m-1", "usage": {**ANTHROPIC_START["message"]["usage"], "output_tokens": 15}}
        ).encode(),
        ANTHROPIC,
    ),
    "gemini": Recorded(
        "/v1beta/models/m-1:generateContent", JSON, json.dumps(GEMINI_PIECES[-1]).encode(), GEMINI
    ),
    "gemini, a stream as one list": Recorded(
        "/v1beta/models/m-1:streamGenerateContent", JSON, json.dumps(GEMINI_PIECES).encode(), GEMINI
    ),
    "ollama": Recorded(
        "/api/chat", JSON, json.dumps(OLLAMA_LINES[-1]).encode(), Usage(input_tokens=26, output_tokens=2)
    ),
    "embeddings": Recorded(
        "/v1/embeddings",
        JSON,
        json.dumps(
            {
                "object": "list",
                "data": [{"index": i, "embedding": [0.0123456789 + i] * 400} for i in range(90)],
                "model": "m-1",
                "usage": {"prompt_tokens": 8, "total_tokens": 8},
            }
        ).encode(),
        Usage(input_tokens=8, output_tokens=0),
    ),
    "ollama's embeddings": Recorded(
        "/api/embed",
        JSON,
        json.dumps({"model": "m-1", "embeddings": [[0.5] * 40_000], "prompt_eval_count": 8}).encode(),
        Usage(input_tokens=8, output_tokens=0),
    ),
    "cohere's rerank tells no tokens": Recorded(
        "/v2/rerank",
        JSON,
        json.dumps({"results": [], "meta": {"billed_units": {"search_units": 1}}}).encode(),
        Usage(),
        model="asked",
    ),
    "vllm's rerank": Recorded(
        "/v1/rerank", JSON, json.dumps({"model": "m-1", "usage": {"total_tokens": 56}}).encode(),
        Usage(input_tokens=56, output_tokens=0),
    ),
}  # fmt: skip
