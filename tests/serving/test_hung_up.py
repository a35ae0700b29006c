"""Clients that hang up: those that had all of an answer did not leave, though the line had not ended."""

import pytest

from wattermark.serving.tap import Tap
from wattermark.values.served import Outcome

EVENTS, LINES = "text/event-stream", "application/x-ndjson"
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
PIECE = b'data: {"choices":[{"index":0,"delta":{"content":"[DONE]"}}]}\n\n'


def heard(path, kind, *pieces):
    """What is noted where a client hangs up after these pieces."""
    tap = Tap(path, b'{"model":"m","stream":true}', 0)
    tap.answered(200, {"Content-Type": kind})
    for number, piece in enumerate(pieces):
        tap.piece(piece, number + 1)
    return tap.served(99, Outcome.LEFT).outcome


@pytest.mark.parametrize(
    ("path", "kind", "last"),
    [
        pytest.param(CHAT, EVENTS, b"data: [DONE]\n\n", id="openai"),
        pytest.param(CHAT, EVENTS, b"data: [DONE]", id="its line had no end yet"),
        pytest.param(CHAT, EVENTS, b"data: [DONE]\r\n\r\n", id="other line ends"),
        pytest.param(MESSAGES, EVENTS, b'data: {"type":"message_stop"}\n\n', id="anthropic"),
        pytest.param(RESPONSES, EVENTS, b'data: {"type": "response.completed"}\n\n', id="responses"),
        pytest.param("/api/chat", LINES, b'{"model":"m","done":true,"eval_count":3}\n', id="ollama"),
    ],
)  # fmt: skip
def test_who_had_all_of_an_answer_did_not_leave(path, kind, last):
    assert heard(path, kind, PIECE, last) is Outcome.OK


@pytest.mark.parametrize(
    ("path", "kind", "pieces"),
    [
        pytest.param(CHAT, EVENTS, [PIECE], id="in the middle"),
        pytest.param(CHAT, EVENTS, [], id="before the first piece"),
        pytest.param(MESSAGES, EVENTS, [b'data: {"type":"message_delta"}\n\n'], id="one before the last"),
        pytest.param("/api/chat", LINES, [b'{"message":{"content":"a"},"done":false}\n'], id="not done"),
        pytest.param(
            CHAT, EVENTS, [b'data: {"choices":[{"delta":{"content":"\\"done\\":true"}}]}\n\n'],
            id="a text that looks like an end",
        ),
    ],
)  # fmt: skip
def test_who_hung_up_before_its_end_left(path, kind, pieces):
    assert heard(path, kind, *pieces) is Outcome.LEFT


def test_an_answer_that_told_a_fault_failed():
    fault = b'data: {"error":{"message":"no"}}\n\n'
    assert heard(CHAT, EVENTS, fault, b"data: [DONE]\n\n") is Outcome.FAILED
