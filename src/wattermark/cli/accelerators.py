"""``wattermark accelerators``: names of accelerators, and what their sheets say."""

from __future__ import annotations

import argparse

from wattermark.cli.catalogue import add_word, show
from wattermark.verbs.catalogue import find_accelerators

EPILOG = """examples:
  wattermark accelerators            all of them
  wattermark accelerators h200       those whose name holds a word
  wattermark accelerators tpu --json

A '-' is not published: such an accelerator can be named with --gpu-hours only. 'measured' says where an
estimate of inference stands on measurements of that accelerator; elsewhere it stands on the data sheet.
"""

COLUMNS = {
    "accelerator": "accelerator", "tdp_w": "TDP (W)", "memory_gb": "memory (GB)",
    "bandwidth_tb_per_s": "TB/s", "peak_16bit_tflops": "16 bit (TFLOP/s)",
    "peak_8bit_tflops": "8 bit", "inference": "inference",
}  # fmt: skip

add_arguments = add_word


def main(args: argparse.Namespace) -> int:
    nothing = f"No accelerator holds {args.word!r}. See all of them: wattermark accelerators"
    return show("accelerators", find_accelerators(args.word), COLUMNS, as_json=args.json, nothing=nothing)
