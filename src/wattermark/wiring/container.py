"""What a container may use of its machine: the limits of its control group and of all above it.

References: Linux, Documentation/admin-guide/cgroup-v2.rst (cpu.max, cpuset.cpus.effective, memory.max)
and cgroup-v1 (scheduler/sched-bwc.rst: cpu.cfs_quota_us; memory.rst: memory.limit_in_bytes; cpusets.rst).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from wattermark.values.cgroups import UNIFIED, paths_in

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
MOST_DIGITS = 20
NO_LIMIT_B = 2**62
"""Version 1 says "no limit" by a number near 2**63."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The tightest limits; None where there is none."""

    cpus: float | None = None
    memory_b: int | None = None


@cache
def limits() -> Limits:
    """Those of this process; a set of all CPUs is none."""
    found = limits_of(PROC, CGROUPS)
    return found if (found.cpus or 0) < (os.cpu_count() or 1) else replace(found, cpus=None)


def limits_of(proc: Path, cgroups: Path) -> Limits:
    """Limits of the process that ``proc/self`` is, from the trees mounted below ``cgroups``.

    In a container its own group is what it sees as the root; what lies above it cannot be seen.
    """
    try:
        paths = paths_in((proc / "self" / "cgroup").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return Limits()
    unified = cgroups if (cgroups / "cgroup.controllers").exists() else cgroups / "unified"
    v2 = list(_up(unified, paths.get(UNIFIED)))
    v1 = {name: list(_up(cgroups / name, paths.get(name))) for name in ("cpu", "cpuset", "memory")}
    cpus = [
        *_found(_quota(_words(folder / "cpu.max")) for folder in v2),
        *_found(_quota_v1(folder) for folder in v1["cpu"]),
        *_found(_size_of_set(folder / "cpuset.cpus.effective") for folder in v2[:1]),
        *_found(_size_of_set(folder / "cpuset.effective_cpus") for folder in v1["cpuset"][:1]),
    ]
    memory_b = [
        *_found(_number(_words(folder / "memory.max")) for folder in v2),
        *_found(_number(_words(folder / "memory.limit_in_bytes")) for folder in v1["memory"]),
    ]
    held_b = min(memory_b, default=NO_LIMIT_B)
    return Limits(min(cpus, default=None), int(held_b) if held_b < NO_LIMIT_B else None)


def _up(root: Path, path: str | None) -> Iterator[Path]:
    """The group and all above it, those that can be seen; the root last."""
    if path is None:
        return
    names = [name for name in path.split("/") if name]
    for depth in range(len(names), -1, -1):
        folder = root.joinpath(*names[:depth])
        if folder.is_dir():
            yield folder


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return []


def _number(words: list[str]) -> float | None:
    """The first word, where it is a number above zero: neither ``max`` nor -1, nor more than 64 bits hold."""
    if not words or not words[0].isdecimal() or len(words[0]) > MOST_DIGITS:
        return None
    return float(words[0]) or None


def _quota(words: list[str]) -> float | None:
    """Processor time over time. [1]"""
    quota, period = _number(words[:1]), _number(words[1:2])
    return quota / period if quota and period else None


def _quota_v1(folder: Path) -> float | None:
    return _quota([*_words(folder / "cpu.cfs_quota_us"), *_words(folder / "cpu.cfs_period_us")])


def _size_of_set(file: Path) -> float | None:
    """How many CPUs a list names, as ``0-3,8``."""
    words = _words(file)
    try:
        ends = [[int(end) for end in part.split("-", 1)] for part in words[0].split(",")] if words else []
    except ValueError:
        return None
    sizes = [end[-1] - end[0] + 1 for end in ends]
    return float(sum(sizes)) if sizes and min(sizes) > 0 else None


def _found(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
