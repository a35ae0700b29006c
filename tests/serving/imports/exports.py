"""One export of each kind, small, written in the words of those who keep them; and what is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SECRET = "what nobody may keep"


def litellm() -> str:
    """Two spend logs: one answered by a model, one by the gateway's cache."""
    row = {
        "request_id": "r1", "call_type": "acompletion", "api_key": "sk-hash", "spend": 0.01,
        "prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150,
        "startTime": "2026-11-01T10:00:00.000Z", "endTime": "2026-11-01T10:00:02.500Z",
        "completionStartTime": "2026-11-01T10:00:00.400Z", "model": "gpt-4o", "custom_llm_provider": "openai",
        "metadata": {"usage_object": {"prompt_tokens_details": {"cached_tokens": 100}}}, "cache_hit": "False",
        "messages": [{"role": "user", "content": SECRET}], "status": "success",
    }  # fmt: skip
    return json.dumps([row, {**row, "request_id": "r2", "cache_hit": "True"}, {**row, "status": "failure"}])


def litellm_lines() -> str:
    """Standard logging payloads, a line each; times as seconds."""
    row = {
        "id": "x", "call_type": "embedding", "custom_llm_provider": "openai",
        "model": "text-embedding-3-small",
        "prompt_tokens": 8, "completion_tokens": 0, "startTime": 1793527200.0, "endTime": 1793527200.5,
        "metadata": {"user_api_key_hash": "k"}, "status": "success", "cache_hit": None,
    }  # fmt: skip
    return "\n".join(json.dumps(row) for _ in range(3)) + "\n"


def otlp() -> str:
    """A page of spans: one of a model, one of a database."""

    def told(**values: Any) -> list[dict[str, Any]]:
        return [
            {
                "key": name.replace("__", "."),
                "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v},
            }
            for name, v in values.items()
        ]

    spans = [
        {
            "traceId": "t", "spanId": "a", "name": "chat llama", "kind": 3,
            "startTimeUnixNano": "1793527200000000000", "endTimeUnixNano": "1793527203000000000",
            "attributes": told(
                gen_ai__operation__name="chat", gen_ai__request__model="llama-3.1-8b",
                gen_ai__provider__name="vllm",
                gen_ai__usage__input_tokens=40, gen_ai__usage__output_tokens=200, gen_ai__prompt=SECRET,
                gen_ai__usage__cache_read__input_tokens=16,
            ),
            "status": {},
        },
        {"traceId": "t", "spanId": "b", "name": "SELECT", "startTimeUnixNano": "1", "endTimeUnixNano": "2"},
    ]  # fmt: skip
    resource = {"attributes": told(service__name="shop")}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]})


def langfuse() -> str:
    """Observations as CSV, the usage in a column of JSON; counts are apart from each other."""
    usage = json.dumps({"input": 20, "input_cached_tokens": 100, "output": 10, "output_reasoning_tokens": 30})
    cell = usage.replace('"', '""')
    return (
        "id,traceId,type,startTime,endTime,completionStartTime,model,usageDetails,level,userId\n"
        "a,t,GENERATION,2026-11-01 10:00:00,2026-11-01 10:00:04,2026-11-01 10:00:01,gpt-5,"
        f'"{cell}",DEFAULT,ann\n'
        "b,t,SPAN,2026-11-01 10:00:00,2026-11-01 10:00:04,,,,DEFAULT,\n"
    )


def helicone() -> str:
    row = {
        "request_id": "a", "request_created_at": "2026-11-01T10:00:00Z",
        "response_created_at": "2026-11-01T10:00:03Z",
        "request_model": "claude-sonnet-4", "provider": "ANTHROPIC", "delay_ms": 3000,
        "time_to_first_token": 500,
        "prompt_tokens": 50, "prompt_cache_read_tokens": 400, "completion_tokens": 70, "response_status": 200,
        "request_path": "/v1/messages", "request_body": {"messages": SECRET},
    }  # fmt: skip
    return "\n".join(map(json.dumps, (row, {**row, "response_status": 529})))


def openai_usage() -> str:
    result = {
        "object": "organization.usage.completions.result", "input_tokens": 1000, "output_tokens": 500,
        "input_cached_tokens": 800, "num_model_requests": 5, "model": "gpt-4o-2024-08-06",
        "api_key_id": "key_1",
    }  # fmt: skip
    bucket = {"object": "bucket", "start_time": 1793491200, "end_time": 1793577600, "results": [result]}
    return json.dumps({"object": "page", "data": [bucket], "has_more": False})


def anthropic_usage() -> str:
    return (
        "usage_date_utc,model_version,api_key,usage_type,usage_input_tokens_no_cache,"
        "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_read,usage_output_tokens\n"
        "2026-11-01,claude-sonnet-4-20250514,prod,message,100,20,300,40\n"
    )


def bedrock() -> str:
    return json.dumps({
        "schemaType": "ModelInvocationLog", "timestamp": "2026-11-01T10:00:00Z", "region": "us-east-1",
        "operation": "Converse", "modelId": "anthropic.claude-3-5-sonnet-20240620-v1:0",
        "identity": {"arn": "arn:aws:iam::1:role/app"},
        "input": {"inputTokenCount": 11, "cacheReadInputTokenCount": 5, "inputBodyJson": {"x": SECRET}},
        "output": {"outputTokenCount": 22, "outputBodyJson": {"metrics": {"latencyMs": 1500}}},
    }) + "\n"  # fmt: skip


def vertex() -> str:
    used = {"promptTokenCount": 30, "candidatesTokenCount": 12, "thoughtsTokenCount": 50}
    row = {
        "logging_time": "2026-11-01T10:00:00Z", "model": "gemini-2.5-pro", "api_method": "generateContent",
        "full_response": {"usageMetadata": used},
    }  # fmt: skip
    return json.dumps(row)


EXPORTS = {
    "litellm": litellm, "otlp": otlp, "langfuse": langfuse, "helicone": helicone,
    "openai-usage": openai_usage, "anthropic-usage": anthropic_usage, "bedrock": bedrock, "vertex": vertex,
}  # fmt: skip


def written(folder: Path, name: str) -> Path:
    """An export on disk."""
    path = folder / f"{name}.txt"
    path.write_text(EXPORTS[name](), encoding="utf-8")
    return path
