"""``wattermark report``: a run or an estimate as a standard wants it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from wattermark.cli.options import add_json, add_ledger, add_site, amount, settings
from wattermark.errors import UsageError
from wattermark.values.subject import STANDARDS

if TYPE_CHECKING:
    from wattermark.values.subject import Subject

EPILOG = """standards:
  sci               ISO/IEC 21031, Software Carbon Intensity
  sci-ai-consumer   SCI for AI: operation and monitoring
  sci-ai-provider   SCI for AI: inception to deployment
  ghg               GHG Protocol, of who owns the machines
  ghg-customer      GHG Protocol, of who rents them
  ai-act            EU AI Act, Annex XI: compute, time, energy
  model-card        the co2_eq_emissions block of a Hugging Face card, in grams
  methods           a paragraph for a paper, with BibTeX

examples:
  wattermark report sci last --per request --units 1200
  wattermark report ghg last --market-intensity 30
  wattermark report ai-act last --flops 1.5e21
  wattermark report methods last
  wattermark estimate training --params 7B --tokens 2T --gpu h100 --count 512 --json > plan.json
  wattermark report sci-ai-provider plan.json --per "training token"
  wattermark report model-card plan.json --training-type pre-training
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("standard", choices=STANDARDS, metavar="STANDARD", help="one of those below")
    parser.add_argument(
        "what", metavar="RUN|FILE", help="an id, a name, 'last'; or a file of --json, '-' for stdin"
    )
    parser.add_argument("--per", metavar="UNIT", help="the functional unit of a score")
    parser.add_argument("--units", type=amount, metavar="N", help="how many of them")
    parser.add_argument("--flops", type=amount, help="work of the training [FLOP]")
    parser.add_argument("--training-type", metavar="TYPE", help="of a model card: pre-training ...")
    add_site(parser)
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    from wattermark.cli.paint import print_json
    from wattermark.verbs.reporting import document_of

    subject = _subject(args)
    asked = {name: getattr(args, name) for name in ("per", "units", "flops", "training_type")}
    document = document_of(subject, args.standard, **asked)
    if args.json:
        print_json({"schema": 1, "of": subject.name, **document})
        return 0
    if "text" in document:
        print(document["text"])
        return 0
    _paint(document)
    return 0


def _subject(args: argparse.Namespace) -> Subject:
    import os

    from wattermark.ledger.runs import ledger_folder
    from wattermark.values.subject import Subject
    from wattermark.verbs.elsewhere import CHECKED
    from wattermark.verbs.look import show
    from wattermark.verbs.reporting import read_subject

    options = {name: getattr(args, name) for name in CHECKED}
    if args.what == "-" or args.what.endswith(".json") or os.path.isfile(args.what):
        given = [name for name, value in options.items() if value is not None]
        if given:
            raise UsageError(
                f"--{given[0].replace('_', '-')} has no meaning for a file",
                fix="Give it to the command that made the file",
            )
        return read_subject(args.what)
    seen = show(ledger_folder(settings(args, "ledger").ledger), args.what, **options)
    return Subject.of_run(seen.recorded.header.name, seen.footprint)


def _paint(document: dict[str, Any]) -> None:
    from wattermark.cli.paint import paint
    from wattermark.report.standards import sections_of

    paint(sections_of(document), title=document["standard"])
