"""Fit a line to what was published of closed models: ``python tools/fit_api.py``.

The anchors in ``tools/facts/api_anchors.csv`` are energies of the facility for a request of some tokens.
Of each model, energy is an amount for a request and one for each output token, none below zero, with
the least relative errors; an input token counts for a fifteenth of an output token (the ratio of prefill to
decode of a dense model at a batch of 64, ``serving_fit.csv``). The band is a factor of 3, of 4 where the
anchors are of one request only, and half as wide again as the anchors stray from the line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from factor_build.common import Row, make_row, read_facts, write_csv
from scipy.optimize import nnls

TABLES = Path(__file__).parents[1] / "src" / "wattermark" / "factors" / "tables"
J_PER_WH = 3600.0
INPUT_OVER_OUTPUT = 1 / 15
BAND, BAND_OF_ONE, STRAY = 3.0, 4.0, 1.5
COLUMNS = (
    *("provider", "model", "match", "request_j", "output_token_j", "input_over_output"),
    *("error_low", "error_high", "year", "basis", "source", "note"),
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=TABLES, help="where the table goes (%(default)s)")
    args = parser.parse_args(argv)
    anchors = groupby(read_facts("api_anchors"), key=lambda row: (row["provider"], row["model"]))
    write_csv(args.out / "api_models.csv", COLUMNS, (fitted(list(rows)) for _, rows in anchors))
    return 0


def fitted(rows: Sequence[Row]) -> Row:
    """The line of one model."""
    energy_j = J_PER_WH * np.array([float(row["energy_wh"]) for row in rows])
    tokens = np.array(
        [float(row["output_tokens"]) + INPUT_OVER_OUTPUT * float(row["input_tokens"]) for row in rows]
    )
    terms = np.stack([np.ones(len(rows)), tokens], axis=1)
    many = len(set(tokens.tolist()))
    line = (
        nnls(terms / energy_j[:, None], np.ones(len(rows)))[0]
        if many > 1
        else [0.0, energy_j.mean() / tokens[0]]
    )
    stray = float(np.exp(np.abs(np.log(terms @ line / energy_j)).max()))
    band = max(BAND if many > 1 else BAND_OF_ONE, STRAY * stray)
    told = [f"{float(row['energy_wh']):g} Wh ({row['input_tokens']}/{row['output_tokens']})" for row in rows]
    notes = dict.fromkeys(row["note"] for row in rows if row["note"] not in ("", "v2", "v4"))
    return make_row(
        COLUMNS,
        {
            "provider": rows[0]["provider"],
            "model": rows[0]["model"],
            "match": rows[0]["match"],
            "request_j": float(line[0]),
            "output_token_j": float(line[1]),
            "input_over_output": round(INPUT_OVER_OUTPUT, 4),
            "error_low": float(f"{1 / band:.3g}"),
            "error_high": float(f"{band:.3g}"),
            "year": max(row["year"] for row in rows),
            "basis": "facility",
            "source": "+".join(dict.fromkeys(row["source"] for row in rows)),
            "note": "; ".join((f"anchors {', '.join(told)}", *notes)),
        },
    )


if __name__ == "__main__":
    sys.exit(main())
