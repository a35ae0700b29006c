"""SLURM's spans of time, as its programs read and print them.

Reference: sbatch(1), "--time": minutes, minutes:seconds, hours:minutes:seconds, days-hours,
days-hours:minutes and days-hours:minutes:seconds.
"""

from __future__ import annotations

import re
from math import inf

_SPAN = re.compile(r"(?:(\d{1,6})-)?(\d{1,9})(?::(\d{1,9}))?(?::(\d{1,9}))?", re.ASCII)
ENDLESS = ("infinite", "unlimited", "-1")


def span_s(text: str) -> float | None:
    """A span as somebody asks for it; infinite where it has no limit, None where it is none. [s]"""
    if text.lower() in ENDLESS:
        return inf
    found = _SPAN.fullmatch(f"{text}0" if text.endswith("-") else text)
    if found is None:
        return None
    days, *rest = found.groups()
    first, second, third = (int(one) if one else 0 for one in rest)
    if days is not None:
        return int(days) * 86400 + first * 3600 + second * 60 + third
    if rest[2] is not None:
        return first * 3600 + second * 60 + third
    return first * 60 + second


def limit_s(text: str) -> float | None:
    """A time limit: the controller rounds it up to minutes, and takes 0 for none. [s]"""
    asked_s = span_s(text)
    if not asked_s:
        return inf if asked_s == 0 else None
    return asked_s if asked_s == inf else -(-asked_s // 60) * 60


def printed_s(text: str) -> float | None:
    """A span as ``squeue`` prints it: ``3``, ``1:03``, ``2:01:03`` or ``1-02:01:03``, seconds last. [s]"""
    if text.upper() == "UNLIMITED":
        return inf
    found = re.fullmatch(r"(?:(\d{1,6})-)?((?:\d{1,4}:){0,2}\d{1,4})", text, re.ASCII)
    if found is None:
        return None
    seconds = 0
    for part in found[2].split(":"):
        seconds = seconds * 60 + int(part)
    return int(found[1] or 0) * 86400 + seconds
