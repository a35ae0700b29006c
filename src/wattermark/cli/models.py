"""``wattermark models``: names of models that an estimate knows."""

from __future__ import annotations

import argparse

from wattermark.cli.catalogue import add_word, show
from wattermark.verbs.catalogue import find_models

EPILOG = """examples:
  wattermark models                  all of them
  wattermark models qwen             those whose name holds a word
  wattermark models video            those of a kind: inference, image, video, api
  wattermark models gpt --json

Others: --params (and --active-params), or --config with a config.json.
"""

COLUMNS = {
    "model": "model", "vendor": "by", "kind": "wattermark estimate",
    "params": "params", "active_params": "active", "precision": "precision",
}  # fmt: skip

add_arguments = add_word


def main(args: argparse.Namespace) -> int:
    nothing = f"No model holds {args.word!r}. Give its size with --params, or its config.json with --config"
    return show("models", find_models(args.word), COLUMNS, as_json=args.json, nothing=nothing)
