"""``wattermark import``: requests that a gateway, a tracer or a provider kept, accounted here."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from wattermark.cli.options import add_json, add_ledger, settings
from wattermark.cli.paint import paint, print_json
from wattermark.report.sheet import Section
from wattermark.verbs.estimates.draft import many
from wattermark.verbs.serving.importing import Imported, import_file

EPILOG = """examples:
  wattermark import spend_logs.json                    whose it is is found out
  wattermark import spans.jsonl --place gcp:us-central1
  wattermark import usage.csv --format anthropic-usage
  wattermark serving report last --by model            what they took, estimated

Known: LiteLLM (spend logs, standard logging), OTLP/JSON spans with gen_ai attributes, Langfuse, Helicone,
usage reports of OpenAI and Anthropic, Amazon Bedrock's invocation log, Vertex AI's request log; as CSV, JSON
or JSON Lines, also packed (.gz). Prompts and answers are not looked at; who asked is kept as a salted hash.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="an export")
    parser.add_argument("--format", help="whose it is, if that cannot be seen: litellm, otlp, langfuse ...")
    parser.add_argument("--place", help="where the models are served (default: not known)")
    parser.add_argument("--again", action="store_true", help="take a file that was taken before")
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    config = settings(args, "ledger", "place")
    if args.place is not None:
        from wattermark.verbs.place import check_place

        check_place(args.place)
    found: list[Imported] = []
    try:
        for file in args.files:
            found.append(import_file(Path(file), config=config, kept=args.format, again=args.again))
            if not args.json:
                paint([Section("", sentences=tuple(_sentences(found[-1])))])
    finally:  # what was taken is told, though the next file was none
        if args.json and found:
            print_json({"schema": 1, "imported": [asdict(one) for one in found]})
    return 0


def _sentences(found: Imported) -> Iterator[str]:
    models = list(found.models)
    more = f" and {len(models) - 3} more" if len(models) > 3 else ""
    yield (
        f"{found.file} ({found.format}): {many(found.requests, 'request')} to {', '.join(models[:3])}{more} "
        f"are in the ledger as {found.run}."
    )
    if found.without_tokens:
        yield f"Of {found.without_tokens:,} no tokens are told: nothing can be estimated of them."
    if found.failed:
        yield f"{found.failed:,} failed; they stand apart."
    for why, times in found.passed.items():
        yield f"{many(times, 'record')} passed over: {why}."
    yield f"See: wattermark serving report {found.run}"
