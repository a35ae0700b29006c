"""Serve a model of 0.1 million parameters, call it through the proxy, and see what each request took.

Nothing is downloaded: the weights are random, so its answers are babble; all else is real. It takes less than
a minute on a CPU and needs ``pip install 'wattermark[serving]' 'transformers[serving,torch]' openai``::

    python examples/serve_tiny.py
"""

import concurrent.futures
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import torch
from openai import OpenAI
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

REQUESTS, AT_ONCE, TENANTS = 20, 4, ("alice", "bob")
CHAT = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "
QUIET = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def tiny_model(folder: Path) -> None:
    """A Llama of two layers whose words are bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE(vocab={w: n for n, w in enumerate(["<s>", "</s>", *alphabet])}, merges=[]))
    words.pre_tokenizer, words.decoder = (
        pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoders.ByteLevel(),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = CHAT
    torch.manual_seed(0)
    small = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=1, **small)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def begin(*command: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env={**os.environ, **environment})


def ready(address: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/v1/models", timeout=5) as answer:
                answer.read()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit(f"{address} ended before it answered")


def ask(address: str, model: str, number: int) -> int:
    """One request, streamed every other time; answers how many tokens it had."""
    key = TENANTS[number % len(TENANTS)]
    with OpenAI(base_url=f"{address}/v1", api_key=key) as client:
        asked = {"model": model, "messages": [{"role": "user", "content": f"question {number}"}]}
        if number % 2:
            pieces = list(client.chat.completions.create(**asked, max_tokens=60, stream=True))
            return pieces[-1].usage.completion_tokens
        answer = client.chat.completions.create(**asked, max_tokens=60)
        return answer.usage.completion_tokens


def main() -> int:
    python, ours = sys.executable, (sys.executable, "-m", "wattermark.cli.main")
    with tempfile.TemporaryDirectory() as folder:
        ledger = os.environ.get("WATTERMARK_LEDGER") or str(Path(folder) / "runs")
        tiny_model(Path(folder) / "tiny")
        engine_port, proxy_port = str(free_port()), str(free_port())
        serve = "import sys; from transformers.cli.transformers import main; sys.exit(main())"
        where = ("--host", "127.0.0.1", "--port", engine_port, "--device", "cpu")
        engine = begin(python, "-c", serve, "serve", str(Path(folder) / "tiny"), *where, **QUIET)
        proxy = None
        try:
            ready(f"http://127.0.0.1:{engine_port}", engine)
            upstream, listen = f"http://127.0.0.1:{engine_port}", f"127.0.0.1:{proxy_port}"
            proxy = begin(
                *ours, "proxy", "--upstream", upstream, "--listen", listen, WATTERMARK_LEDGER=ledger
            )
            ready(f"http://{listen}", proxy)
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as clients:
                model = str(Path(folder) / "tiny")
                told = list(clients.map(lambda n: ask(f"http://{listen}", model, n), range(REQUESTS)))
        finally:
            for process in (proxy, engine):
                if process is not None:
                    process.send_signal(signal.SIGTERM)
                    process.wait()
        print(f"\n{REQUESTS} requests, {sum(told)} tokens, as the engine told its clients. What they took:\n")
        return subprocess.run(
            [*ours, "serving", "report", "last", "--by", "tenant", "--ledger", ledger], check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
