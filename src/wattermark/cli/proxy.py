"""``wattermark proxy``: stand before an engine, and note what each request took."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import replace
from pathlib import Path

from wattermark.cli.options import add_json, add_ledger, amount, settings, wait_s
from wattermark.cli.paint import print_json
from wattermark.cli.terminal import say
from wattermark.errors import UsageError
from wattermark.serving.relay_address import listen_of, upstream_of
from wattermark.serving.relay_token import LEAST
from wattermark.verbs.place import check_place
from wattermark.verbs.serving.relaying import METERS, Begun, Relaying, relay
from wattermark.verbs.serving.sighted import sighted

TOKEN = "WATTERMARK_PROXY_TOKEN"
FIELD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
EPILOG = f"""examples:
  wattermark proxy --upstream http://localhost:8000 --listen 127.0.0.1:8100
  wattermark proxy --upstream http://localhost:11434 --name ollama --place deu
  wattermark proxy --upstream https://api.example.com --upstream-name example --meters no
  wattermark proxy --upstream http://localhost:8000 --listen 0.0.0.0:8100 --token-file proxy.token
  wattermark proxy --upstream http://localhost:8000 --metrics-listen 127.0.0.1:9464

Give clients the address of the proxy (OPENAI_BASE_URL=http://127.0.0.1:8100/v1); Ctrl-C ends it, and
'wattermark serving report last' tells what they took. Answers that are not streamed have headers
x-footprint-energy-j, -carbon-g, -water-l and -quality; a stream of events ends with them in a comment
where the request has the header 'x-footprint: stream'. Nothing of prompts, answers or keys is kept.

Where others than programs of this machine can reach it, clients show a token in the header
x-wattermark-token; it is read from --token-file or from {TOKEN}.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--upstream", required=True, metavar="URL", help="the engine: http://localhost:8000")
    parser.add_argument(
        "--listen", default="127.0.0.1:8100", metavar="ADDRESS", help="where clients come (127.0.0.1:8100)"
    )
    parser.add_argument("--metrics-listen", metavar="ADDRESS", help="show /metrics there, for Prometheus")
    parser.add_argument("--otlp", metavar="URL", help="tell an OTLP/HTTP receiver too: http://localhost:4318")
    parser.add_argument("--gpu", help="on what the models run, for what is estimated (h100-sxm)")
    parser.add_argument("--token-file", metavar="FILE", help="holds the token that clients have to show")
    parser.add_argument(
        "--ca", metavar="FILE", help="authorities that the engine's certificate is checked by"
    )
    parser.add_argument(
        "--timeout", type=wait_s, default=600.0, metavar="S", help="longest silence of the engine (600)"
    )
    parser.add_argument(
        "--most-body", type=_bytes, default=64_000_000, metavar="BYTES", help="longest request (64M)"
    )
    parser.add_argument(
        "--meters", choices=METERS, default="auto", help="measure this machine (if the engine is on it)"
    )
    parser.add_argument(
        "--upstream-name", default="", metavar="NAME", help="what the ledger calls the engine"
    )
    parser.add_argument(
        "--tenant-header",
        type=_field,
        metavar="NAME",
        help="a header that names the tenant (the key does)",
    )
    parser.add_argument("--name", default="proxy", help="what to call the run (proxy)")
    parser.add_argument("--place", help="deu, US-CAMX, aws:eu-west-1 ... (see: wattermark places)")
    parser.add_argument("--interval", metavar="SECONDS", help="time between two looks at the meters (1)")
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    how = Relaying(
        upstream=upstream_of(args.upstream),
        listen=listen_of("--listen", args.listen),
        metrics=listen_of("--metrics-listen", args.metrics_listen) if args.metrics_listen else None,
        name=args.name,
        upstream_name=args.upstream_name,
        meters=args.meters,
        tenant_header=args.tenant_header or "",
        token=_token(args.token_file),
        ca=args.ca,
        most_body_b=args.most_body,
        timeout_s=args.timeout,
    )
    config = replace(settings(args, "ledger", "place", "interval"), scope="machine")
    if config.place is not None:
        check_place(config.place)
    sight = sighted(gpu=args.gpu, receiver=args.otlp, metrics=how.metrics is not None)
    relay(config, how, lambda begun: _tell(begun, as_json=args.json), sight)
    return 0


def _token(file: str | None) -> str:
    """From a file or the environment, and never from the command line, which everybody can read."""
    if file is None:
        token, where = os.environ.get(TOKEN, ""), TOKEN
    else:
        token, where = _read(file), file
    token = token.strip()
    if file is None and not token:
        return ""
    if len(token) < LEAST or not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError(
            f"the token in {where} is none", fix=f"Give at least {LEAST} letters and digits on one line"
        )
    return token


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"the token in {file} cannot be read: {why}", fix="Name a file with it") from error


def _tell(begun: Begun, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "schema": 1,
                "listen": f"http://{begun.listen}",
                "upstream": begun.upstream,
                "metrics": f"http://{begun.metrics}/metrics" if begun.metrics else None,
                "run": begun.run,
                "ledger": begun.ledger,
                "metered": begun.metered,
            }
        )
        return
    say(f"wattermark: http://{begun.listen} passes requests on to {begun.upstream}")
    if begun.metrics:
        say(f"  metrics: http://{begun.metrics}/metrics")
    energy = "that of this machine" if begun.metered else "estimated, as the engine is elsewhere"
    say(f"  run: {begun.run} in {begun.ledger}; energy: {energy}. Ctrl-C ends it")


def _field(text: str) -> str:
    if not FIELD.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a header; give x-tenant-id")
    return text


def _bytes(text: str) -> int:
    number = amount(text)
    if not 1 <= number <= 1e12:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give 64M")
    return int(number)
