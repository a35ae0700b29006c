"""What a request took, told beside its answer."""

from __future__ import annotations

import json
from dataclasses import asdict

from wattermark.values.served import Quote


def footprint_headers(quote: Quote) -> dict[str, str]:
    """What a request took, for the head of its answer."""
    return {
        "x-footprint-energy-j": f"{quote.energy_j:.6g}",
        "x-footprint-carbon-g": f"{quote.carbon_g:.6g}",
        "x-footprint-water-l": f"{quote.water_l:.6g}",
        "x-footprint-quality": quote.quality,
    }


def footprint_comment(quote: Quote, before: bytes) -> bytes:
    """The same as the last line of a stream of events: a comment, which every reader of events skips.

    Parameters
    ----------
    quote : Quote
        What to tell.
    before : bytes
        The last bytes that were sent; an event that was left open there stays open, and is not read.
    """
    line = b": footprint " + json.dumps(asdict(quote), separators=(",", ":")).encode() + b"\n"
    if before.endswith((b"\n\n", b"\r\n\r\n", b"\r\r")) or not before:
        return line + b"\n"
    return line if before.endswith((b"\n", b"\r")) else b"\n" + line
