"""Ask a model, and see what of it was noted: in this program, and in the ledger.

Without a server of your own it asks a stand-in that this program starts, which answers in OpenAI's shape::

    python examples/serving_client.py
    python examples/serving_client.py http://localhost:8000/v1 llama-3.1-8b

Then, in a shell: ``wattermark serving report last``.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import wattermark as wm

QUESTIONS = ("What is a watt?", "How much water is in a litre?", "Who reads the meter?")


class StandIn(BaseHTTPRequestHandler):
    """Says the same to everybody, and how many tokens that took."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        choice = {"index": 0, "message": {"role": "assistant", "content": "Ask the meter."}}
        usage = {"prompt_tokens": 14, "completion_tokens": 120, "total_tokens": 134}
        body = json.dumps({"model": asked["model"], "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Silent."""


def main() -> int:
    if len(sys.argv) > 1:
        address, model = sys.argv[1], sys.argv[2]
    else:
        server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address, model = f"http://127.0.0.1:{server.server_port}/v1", "gpt-4o"

    # An SDK takes the same client: OpenAI(http_client=wm.http_client())
    with wm.http_client(timeout=120) as client, wm.served() as seen:
        for question in QUESTIONS:
            said = {"model": model, "messages": [{"role": "user", "content": question}]}
            client.post(f"{address}/chat/completions", json=said).raise_for_status()

    for one in seen.served:
        tokens = f"{one.usage.input_tokens} + {one.usage.output_tokens} tokens"
        print(f"{one.model}  {one.outcome}  {tokens}  {(one.end_ns - one.begin_ns) / 1e9:.3f} s")
    print(f"noted in {', '.join(seen.runs)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
