"""Accelerators by the names that pages give them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from wattermark.factors.hardware import accelerator
from wattermark.factors.table import Row, table
from wattermark.science.lint.counting import count_devices
from wattermark.science.lint.printed import known_range
from wattermark.values.claims import Claim
from wattermark.verbs.lint.cells import device_count
from wattermark.verbs.lint.grouping import Devices

DEVICE_WORDS = (
    {"hardware"},
    {"hardware", "type"},
    {"gpu"},
    {"gpu", "type"},
    {"accelerator"},
    {"hardware", "used"},
)
DEVICE_PLURALS = ({"gpus"}, {"chips"}, {"accelerators"}, {"tpus"}, {"devices"})
_NODES = re.compile(r"\d\s*(?:\w+\s)?(?:nodes?|servers?|machines?|hosts?)\b", re.IGNORECASE)
_LONGEST = 300
"""Of a description that is looked at. [characters]"""


def named_device(text: str, where: str, line: int, devices: Devices) -> Iterator[Claim]:
    """What is known of ``8 x A100``, and how many there are."""
    text = text[:_LONGEST]
    yield from devices(text, where, line)
    count = count_devices(text, lambda name: bool(devices(name, where, line)))
    if count is not None:  # nodes that stand in the text itself are in the count
        yield device_count(count, f"{where}, all nodes" if _NODES.search(text) else where, line)


def device_facts(name: str, where: str, line: int) -> tuple[Claim, ...]:
    """TDP and dense peak of a device; of all that a short name (A100) may mean.

    The peak reaches from 16 bits to 8, as a page seldom says which it used.
    """
    row = accelerator(name)
    rows = [row] if row else _family(name)
    if not rows:
        return ()
    peaks = [peak for one in rows for peak in _peaks(one)]
    watts = [float(one["tdp_w"]) for one in rows]
    found = [_between("tdp_w", watts, "W", name)]
    found += [_between("peak_flops", peaks, "TFLOP/s", name)] if peaks else []
    return tuple(replace(claim, where=where, line=line) for claim in found)


def _peaks(row: Row) -> Iterator[float]:
    """Of 16 bits, and of 8 where they are floating: nobody trains in integers."""
    if row["peak_16bit_tflops"]:
        yield float(row["peak_16bit_tflops"])
    if row["peak_8bit_tflops"] and "fp8" in row["narrow_formats"].split(";"):
        yield float(row["peak_8bit_tflops"])


def _between(quantity: str, values: list[float], unit: str, name: str) -> Claim:
    low, high = min(values), max(values)
    said = f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"
    return known_range(quantity, low, high, unit=unit, text=f"{said} {unit} ({name.strip()})")


def _family(name: str) -> list[Row]:
    """Rows whose id begins with a word of the name."""
    words = re.findall(r"[a-z0-9]+", name.lower().replace("tpuv", "tpu v"))
    if "tpu" in words:
        versions = [word for word in words if re.fullmatch(r"v\d\w?", word)]
        return [row for row in table("accelerators") if versions and row["id"] == f"tpu-{versions[0]}"]
    return [row for row in table("accelerators") if row["id"].partition("-")[0] in words]
