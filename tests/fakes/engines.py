"""Real inference servers on 127.0.0.1, with models of some thousand parameters that are made here.

Nothing is downloaded: the weights are a fixed sequence of small numbers, the words are the bytes of a text.
The servers are real ones, as people run them: ``transformers serve`` and the one of llama-cpp-python.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEADS, LAYERS, INNER, CONTEXT = 64, 4, 2, 96, 8192
PRINTABLE = range(0x20, 0x7F)
SOONER = 20.0
READY_S = 90.0
LOOK_EVERY_S = 0.2
CHAT = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


class NoEngine(Exception):
    """A server that does not run here; the text says why, and what would help."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A server that answers: ``url`` is what an ``openai`` client takes as ``base_url``, without ``/v1``."""

    name: str
    url: str
    model: str
    process: subprocess.Popen[bytes]
    log: Path


# -- weights ---------------------------------------------------------------------------


def weights(rows: int, columns: int, *, seed: int) -> np.ndarray:
    """Small numbers that are the same on every machine, of about the size of a fresh model's. [1]"""
    made = np.random.Generator(np.random.PCG64(seed)).standard_normal((rows, columns))
    return (made * columns**-0.5).astype(np.float32)


def layers(words: int, wanted: Sequence[int], end: int) -> dict[str, np.ndarray]:
    """A Llama of two layers that writes ``wanted`` words, and ``end`` somewhat sooner than each of them.

    The first number of each word's vector is one that no layer writes to; the last matrix uses it to
    refuse words, as there is no other way without a bias.
    """
    told: dict[str, np.ndarray] = {}
    embedding = weights(words, WIDTH, seed=1) * 4
    embedding[:, 0] = 4
    told["embed"] = embedding
    for layer in range(LAYERS):
        for number, (name, rows, columns) in enumerate(_SHAPES):
            made = weights(rows, columns, seed=100 * layer + number + 2) * 3
            if name in ("o", "down"):
                made[0] = 0
            told[f"{layer}.{name}"] = made
    head = weights(words, WIDTH, seed=99) * 4
    head[:, 0] = -100
    head[list(wanted), 0] = 0
    head[end, 0] = SOONER
    told["head"] = head
    return told


_SHAPES = (
    ("q", WIDTH, WIDTH),
    ("k", WIDTH, WIDTH),
    ("v", WIDTH, WIDTH),
    ("o", WIDTH, WIDTH),
    ("gate", INNER, WIDTH),
    ("up", INNER, WIDTH),
    ("down", WIDTH, INNER),
)


# -- a model as transformers keeps it --------------------------------------------------


def save_for_transformers(folder: Path) -> Path:
    """A Llama of 0.1 million parameters with a tokenizer of bytes and a chat template.

    Raises
    ------
    NoEngine
        If torch or transformers are not installed.
    """
    _needs("torch", "make trainers")
    _needs("transformers", "make trainers")
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = byte_tokenizer()
    eos = tokenizer.eos_token_id
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": eos, "pad_token_id": eos}
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, max_position_embeddings=CONTEXT, tie_word_embeddings=False, **ends,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    letters = tokenizer.convert_tokens_to_ids([chr(byte) for byte in PRINTABLE if byte != 0x20])
    given = layers(len(tokenizer), letters, eos)
    model.load_state_dict(
        {_hf_name(name): torch.from_numpy(one) for name, one in given.items()}, strict=False
    )
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def byte_tokenizer() -> Any:
    """One word for each byte, one to begin and one to end; in the form of transformers."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: number for number, word in enumerate(["<s>", "</s>", *alphabet])}
    made = Tokenizer(models.BPE(vocab=words, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    found = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="</s>", padding_side="left"
    )
    found.chat_template = CHAT
    return found


_HF = {
    "q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.o_proj",
    "gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj",
}  # fmt: skip


def _hf_name(name: str) -> str:
    layer, _, part = name.partition(".")
    if part:
        return f"model.layers.{layer}.{_HF[part]}.weight"
    return {"embed": "model.embed_tokens.weight", "head": "lm_head.weight"}[name]


# -- a model as llama.cpp keeps it -----------------------------------------------------

ALIGNED_B = 32
TEXT, LIST, NUMBER, REAL, NUMBER_SIGNED = 8, 9, 4, 6, 5
"""Kinds of values in a GGUF file: a string, an array, uint32, float32, int32."""
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
"""Kinds of words in its tokenizer."""


def save_gguf(path: Path) -> Path:
    """The same Llama in a GGUF file, version 3, with a tokenizer of bytes.

    The format: ``docs/gguf.md`` of ggml: magic, version, counts; then key-value pairs, one line each tensor
    (name, shape with the fastest first, type, offset), and the numbers, aligned to 32 bytes.
    """
    words = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁"]
    words += [chr(byte) for byte in PRINTABLE if byte != 0x20]
    kinds = [UNKNOWN, CONTROL, CONTROL, *[BYTE] * 256, *[NORMAL] * (len(words) - 259)]
    facts = _gguf_facts(words, kinds)
    given = layers(len(words), range(259, len(words)), 2)
    given |= {name: np.ones(WIDTH, np.float32) for name in _norms()}
    tensors = {_GGUF[name] if name in _GGUF else _gguf_name(name): one for name, one in given.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_gguf(facts, tensors))
    return path


def _gguf_facts(words: list[str], kinds: list[int]) -> dict[str, tuple[int, Any]]:
    return {
        "general.architecture": (TEXT, "llama"),
        "general.name": (TEXT, "tiny"),
        "llama.context_length": (NUMBER, CONTEXT),
        "llama.embedding_length": (NUMBER, WIDTH),
        "llama.block_count": (NUMBER, LAYERS),
        "llama.feed_forward_length": (NUMBER, INNER),
        "llama.attention.head_count": (NUMBER, HEADS),
        "llama.attention.layer_norm_rms_epsilon": (REAL, 1e-6),
        "llama.rope.dimension_count": (NUMBER, WIDTH // HEADS),
        "tokenizer.ggml.model": (TEXT, "llama"),
        "tokenizer.ggml.tokens": (LIST, (TEXT, words)),
        "tokenizer.ggml.scores": (LIST, (REAL, [0.0] * len(words))),
        "tokenizer.ggml.token_type": (LIST, (NUMBER_SIGNED, kinds)),
        "tokenizer.ggml.unknown_token_id": (NUMBER, 0),
        "tokenizer.ggml.bos_token_id": (NUMBER, 1),
        "tokenizer.ggml.eos_token_id": (NUMBER, 2),
        "tokenizer.chat_template": (TEXT, CHAT),
    }


def _norms() -> list[str]:
    return [*(f"{layer}.{norm}" for layer in range(LAYERS) for norm in ("norm1", "norm2")), "norm"]


_GGUF = {"embed": "token_embd.weight", "head": "output.weight", "norm": "output_norm.weight"}
_GGUF_PART = {
    "q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output", "gate": "ffn_gate", "up": "ffn_up",
    "down": "ffn_down", "norm1": "attn_norm", "norm2": "ffn_norm",
}  # fmt: skip


def _gguf_name(name: str) -> str:
    layer, _, part = name.partition(".")
    return f"blk.{layer}.{_GGUF_PART[part]}.weight"


def _gguf(facts: Mapping[str, tuple[int, Any]], tensors: Mapping[str, np.ndarray]) -> bytes:
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts)))
    for key, (kind, value) in facts.items():
        head += _text(key) + struct.pack("<I", kind) + _value(kind, value)
    body = bytearray()
    for name, one in tensors.items():
        head += _text(name) + struct.pack("<I", one.ndim) + struct.pack(f"<{one.ndim}Q", *one.shape[::-1])
        head += struct.pack("<IQ", 0, len(body))  # float32
        body += _aligned(one.astype("<f4").tobytes())
    return bytes(_aligned(bytes(head)) + body)


def _value(kind: int, value: Any) -> bytes:
    if kind == TEXT:
        return _text(value)
    if kind == LIST:
        of, values = value
        return struct.pack("<IQ", of, len(values)) + b"".join(_value(of, one) for one in values)
    return struct.pack({NUMBER: "<I", NUMBER_SIGNED: "<i", REAL: "<f"}[kind], value)


def _text(text: str) -> bytes:
    told = text.encode()
    return struct.pack("<Q", len(told)) + told


def _aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNED_B)


# -- servers ---------------------------------------------------------------------------


@contextmanager
def transformers_serve(folder: Path, *options: str) -> Iterator[Engine]:
    """``transformers serve`` with a model of ``save_for_transformers``.

    Raises
    ------
    NoEngine
        If it is not installed, or does not answer in time.
    """
    for package in ("transformers", "torch", "fastapi", "uvicorn", "openai"):
        _needs(package, "make trainers clients")
    port = free_port()
    code = "import sys; from transformers.cli.transformers import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "serve", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    with _serving("transformers", [*command, "--device", "cpu", *options], port, quiet, folder) as process:
        yield Engine("transformers", f"http://127.0.0.1:{port}", str(folder), process, _log(folder))


@contextmanager
def llama_server(path: Path, *options: str) -> Iterator[Engine]:
    """The server of llama-cpp-python with a model of ``save_gguf``.

    Raises
    ------
    NoEngine
        If it is not installed, or does not answer in time.
    """
    for package in (
        "llama_cpp",
        "fastapi",
        "uvicorn",
        "sse_starlette",
        "starlette_context",
        "pydantic_settings",
    ):
        _needs(package, "make engines")
    port = free_port()
    command = [
        sys.executable, "-m", "llama_cpp.server", "--model", str(path), "--model_alias", "tiny",
        "--host", "127.0.0.1", "--port", str(port), "--n_ctx", str(CONTEXT), "--n_threads", "1",
        "--n_threads_batch", "1", "--interrupt_requests", "false", "--verbose", "false",
    ]  # fmt: skip
    with _serving("llama.cpp", [*command, *options], port, {}, path.parent) as process:
        yield Engine("llama.cpp", f"http://127.0.0.1:{port}", "tiny", process, _log(path.parent))


def free_port() -> int:
    """One that nobody listens at now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def _serving(
    name: str, command: Sequence[str], port: int, more: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    plain = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    one_core = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with _log(folder).open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder,
            env=plain | one_core | dict(more),
        )  # fmt: skip
        try:
            _await(name, process, port, folder)
            yield process
        finally:
            process.kill()
            process.wait()


def _await(name: str, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    until_s = time.monotonic() + READY_S
    while time.monotonic() < until_s:
        if process.poll() is not None:
            raise NoEngine(f"{name} ended at once: {_last_words(folder)}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5) as answer:
                answer.read()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(LOOK_EVERY_S)
    raise NoEngine(f"{name} did not answer within {READY_S:g} s: {_last_words(folder)}")


def _log(folder: Path) -> Path:
    return folder / "server.log"


def _last_words(folder: Path) -> str:
    return " | ".join(_log(folder).read_text(encoding="utf-8", errors="replace").splitlines()[-3:])


def _needs(package: str, make: str) -> None:
    if find_spec(package) is None:
        raise NoEngine(f"{package} is not installed; run: {make}")
