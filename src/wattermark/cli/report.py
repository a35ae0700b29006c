"""``wattermark report``: a run as a standard wants it."""

from __future__ import annotations

import argparse
from typing import Any

from wattermark.cli.options import add_json, add_ledger, add_site, amount, settings
from wattermark.errors import UsageError

EPILOG = """examples:
  wattermark report sci last --per request --units 1200
  wattermark report sci-ai-provider last --per "training token" --units 2e9
  wattermark report ghg last --market-intensity 30
  wattermark report ghg-customer last --json
  wattermark report ai-act last --flops 1.5e21
  wattermark report model-card last --training-type pre-training
"""
SCORES = {
    "sci": "ISO/IEC 21031:2024, Software Carbon Intensity",
    "sci-ai-consumer": "SCI for AI, consumer score: operation and monitoring",
    "sci-ai-provider": "SCI for AI, provider score: inception to deployment",
}
STANDARDS = (*SCORES, "ghg", "ghg-customer", "ai-act", "model-card")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("standard", choices=STANDARDS)
    parser.add_argument("run", metavar="RUN", help="an id, the beginning of one, a name, or 'last'")
    parser.add_argument("--per", metavar="UNIT", help="the functional unit of a score")
    parser.add_argument("--units", type=amount, metavar="N", help="how many of them")
    parser.add_argument("--flops", type=amount, help="work of the training [FLOP]")
    parser.add_argument("--training-type", default="training", help="pre-training, fine-tuning ...")
    add_site(parser)
    add_ledger(parser)
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    from wattermark.cli.paint import print_json
    from wattermark.verbs.elsewhere import CHECKED
    from wattermark.verbs.look import ledger_folder, show

    options = {name: getattr(args, name) for name in CHECKED}
    seen = show(ledger_folder(settings(args, "ledger").ledger), args.run, **options)
    document = _document(args, seen.footprint)
    if args.json:
        print_json({"schema": 1, "run": seen.run, **document})
        return 0
    if "text" in document:
        print(document["text"])
        return 0
    _paint(document)
    return 0


def _document(args: argparse.Namespace, footprint: Any) -> dict[str, Any]:
    from wattermark.report import standards

    if args.standard in SCORES:
        return _score(args, footprint)
    if args.standard == "ghg":
        return standards.ghg_of_owner(footprint)
    if args.standard == "ghg-customer":
        return standards.ghg_of_customer(footprint)
    if args.standard == "ai-act":
        told = {"flops": args.flops, "wall_time_s": footprint.duration_s}
        measured = any(part.quality == "measured" for part in footprint.components)
        return standards.ai_act_document(footprint, told, measured=measured)
    devices = sorted({part.device for part in footprint.components if part.device})
    hardware = ", ".join(devices) or "not told by any meter"
    text = standards.model_card(footprint, training_type=args.training_type, hardware=hardware)
    return {"standard": "Hugging Face model card", "text": text}


def _score(args: argparse.Namespace, footprint: Any) -> dict[str, Any]:
    from wattermark.report.standards import sci_document
    from wattermark.values.jobs import check_positive
    from wattermark.verbs.scoring import score_of

    if args.per is None or args.units is None:
        raise UsageError("a score is per functional unit", fix="Say --per request --units 1200")
    check_positive("units", args.units)
    score = score_of(footprint, args.units)
    return sci_document(footprint, score, unit=args.per, units=args.units, name=SCORES[args.standard])


def _paint(document: dict[str, Any]) -> None:
    from wattermark.cli.paint import table
    from wattermark.report.numbers import CARBON, say

    rows = []
    for row in document.pop("rows", ()):
        carbon = row["carbon_g"]
        rows.append((row["row"], say(carbon["best"] if carbon else None, CARBON), row["note"]))
    for name, value in document.items():
        best = (
            f"{value['best']:.4g}"
            if isinstance(value, dict)
            else str("not known" if value is None else value)
        )
        rows.append(
            (name, best, f"{value['low']:.3g} - {value['high']:.3g}" if isinstance(value, dict) else "")
        )
    table(("", "", ""), rows)
