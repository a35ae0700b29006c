"""``wattermark proxy``: stand before an engine, and note what each request took."""

from __future__ import annotations

import argparse
import dataclasses

from wattermark.cli.options import add_json, add_ledger, settings
from wattermark.cli.paint import print_json
from wattermark.cli.terminal import say
from wattermark.serving.relay_address import listen_of, upstream_of
from wattermark.verbs.serving.relaying import METERS, Begun, Relaying, relay

EPILOG = """examples:
  wattermark proxy --upstream http://localhost:8000 --listen 127.0.0.1:8100
  wattermark proxy --upstream https://api.example.com --upstream-name example --meters no

Then give your clients the address of the proxy, as in OPENAI_BASE_URL=http://127.0.0.1:8100/v1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--upstream", required=True, metavar="URL", help="the engine: http://localhost:8000")
    parser.add_argument("--listen", default="127.0.0.1:8100", metavar="ADDRESS", help="(127.0.0.1:8100)")
    parser.add_argument(
        "--upstream-name", default="", metavar="NAME", help="what the ledger calls the engine"
    )
    parser.add_argument("--name", help="what to call the run (proxy)")
    parser.add_argument("--meters", choices=METERS, default="auto", help="measure this machine (auto)")
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    how = Relaying(
        upstream=upstream_of(args.upstream),
        listen=listen_of("--listen", args.listen),
        name=args.name or "",
        upstream_name=args.upstream_name,
        meters=args.meters,
    )
    config = dataclasses.replace(settings(args, "ledger"), scope="machine")
    relay(config, how, lambda begun: _tell(begun, as_json=args.json))
    return 0


def _tell(begun: Begun, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "listen": str(begun.listen),
                "upstream": begun.upstream,
                "run": begun.run,
                "folder": begun.folder,
                "metered": begun.metered,
            }
        )
        return
    say(f"wattermark proxy: http://{begun.listen} -> {begun.upstream}")
    say(f"  run {begun.run} in {begun.folder}{'' if begun.metered else ', no meters'}")
