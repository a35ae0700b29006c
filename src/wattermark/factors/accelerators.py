"""An accelerator as its data sheet has it: power, memory, bandwidth and dense peaks by precision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from wattermark.errors import FactorNotFound, UsageError, nearest
from wattermark.factors.hardware import accelerator
from wattermark.factors.table import Row, number, table
from wattermark.values.workload import Accelerator

TERA = 1e12
GIGA = 1e9  # the sheets' own; a little of each GiB is the driver's anyway
FOUR_BITS = ("fp4", "mxfp4", "nvfp4", "int4")
EIGHT_BITS = ("fp8", "int8")
ALL = "All that are known: wattermark accelerators"
SIXTEEN_BITS = ("bf16", "fp16")


def accelerator_named(name: str) -> Accelerator:
    """The data sheet of an accelerator.

    Parameters
    ----------
    name : str
        Its id (``h100-sxm``), a short name (``h100``, ``a100-80gb``, ``tpuv4``: the usual one of
        that name), or what its driver calls it (``NVIDIA H100 80GB HBM3``).

    Raises
    ------
    UsageError
        If there is none of that name; it offers the nearest.
    FactorNotFound
        If its TDP, its memory or its bandwidth is not known; it names the column.
    """
    row = _names().get(_plain(name)) or accelerator(name) or _by_words(name) or _squeezed().get(_bare(name))
    if row is None:
        raise UsageError(f"the accelerator {name!r} is not known", fix=_nearest(name))
    return Accelerator(
        id=row["id"],
        tdp_w=_known(row, "tdp_w"),
        memory_bytes=_known(row, "memory_gb") * GIGA,
        bandwidth_bytes_per_s=_known(row, "bandwidth_tb_s") * TERA,
        peak_flops=dict(_peaks(row)),
        source=row["speed_source"],
    )


def peak_flops(accelerator: Accelerator, precision: str) -> float:
    """Dense peak for weights of a precision. [FLOP/s]

    Weights in a format that the hardware has no units for are unpacked to 16 bit, and so is what
    is computed with them; ``int4`` (AWQ, GPTQ) always is.

    Raises
    ------
    UsageError
        If we know no peaks for that precision, or none of the accelerator; then only its time can be
        accounted.
    """
    known = (*SIXTEEN_BITS, *EIGHT_BITS, *FOUR_BITS)
    if precision not in known:
        raise UsageError(f"no peaks are known for {precision!r}", fix=f"Use one of {', '.join(known)}")
    if not accelerator.peak_flops:
        raise UsageError(
            f"{accelerator.id} has no published peak in 16 bit",
            fix="Name another accelerator; a training can be given by --gpu-hours instead",
        )
    return accelerator.peak_flops.get(_unit(precision), accelerator.peak_flops["bf16"])


def has_units(accelerator: Accelerator, precision: str) -> bool:
    """Whether an accelerator computes in a precision by itself, and does not unpack it to 16 bit.

    Parameters
    ----------
    accelerator : Accelerator
        Its peaks count.
    precision : str
        Of weights, or of the arithmetic.
    """
    return precision == "fp32" or _unit(precision) in accelerator.peak_flops


def _unit(precision: str) -> str:
    return "fp4" if precision in ("mxfp4", "nvfp4") else precision


@cache
def _names() -> dict[str, Row]:
    """Ids, and short names where no id is written so."""
    rows = table("accelerators")
    short = {alias: row for row in rows for alias in row["alias"].split(";") if alias}
    return {**short, **{row["id"]: row for row in rows}}


@cache
def _squeezed() -> dict[str, Row]:
    """Names as people type them in a hurry: ``rtx4090``."""
    return {_bare(name): row for name, row in _names().items()}


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "-", name.strip().lower()).removeprefix("nvidia-").removeprefix("amd-instinct-")


def _by_words(name: str) -> Row | None:
    """The row whose id's words all stand in the name: ``H100-SXM-80GB`` is an ``h100-sxm``."""
    said = {word.removesuffix("gb") for word in _plain(name).split("-")}
    fits = [row for row in table("accelerators") if said.issuperset(row["id"].split("-"))]
    return max(fits, key=lambda row: len(row["id"])) if fits else None


def _peaks(row: Row) -> Iterator[tuple[str, float]]:
    if not row["peak_16bit_tflops"]:
        return
    wide = _known(row, "peak_16bit_tflops") * TERA
    yield from ((precision, wide) for precision in SIXTEEN_BITS)
    for unit in filter(None, row["narrow_formats"].split(";")):
        bits = 8 if unit in EIGHT_BITS else 4
        yield unit, _known(row, f"peak_{bits}bit_tflops") * TERA


def _known(row: Row, column: str) -> float:
    """A cell that the data sheet may lack."""
    if not row[column]:
        raise FactorNotFound(f"{row['id']} has no published {column}", fix="Name another accelerator")
    return number(row, column)


def _nearest(name: str) -> str:
    near = nearest(_plain(name), _names())
    ids = dict.fromkeys(_names()[one]["id"] for one in near)
    return f"Did you mean {' or '.join(ids)}? See: wattermark accelerators" if ids else ALL
