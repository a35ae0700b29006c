"""Tables on the terminal, and what a reader of the figures has to know of the machine."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
UNWRAPPED = 160


@dataclass(frozen=True)
class Target:
    """A figure of ours, and the most that it may be."""

    name: str
    value: float
    most: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value <= self.most


def show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """A table with the keys of the rows as its columns."""
    from rich.console import Console
    from rich.table import Table

    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", overflow="fold")
    for row in rows:
        table.add_row(*(text(row.get(column)) for column in columns))
    wide = None if sys.stdout.isatty() else UNWRAPPED
    Console(width=wide).print(table)


def text(value: Any) -> str:
    """A cell: numbers to three or four figures."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 10 else f"{value:.3f}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def show_targets(targets: Iterable[Target]) -> None:
    """Which of our figures are as good as they were meant to be."""
    rows = [
        {"target": t.name, "unit": t.unit, "figure": t.value, "at most": t.most, "met": _said(t.met)}
        for t in targets
    ]
    show("Targets of wattermark", rows)


def _said(met: bool) -> str:
    return "yes" if met else "NO"


def machine() -> Row:
    """What a reader of the figures has to know."""
    cpus = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.+)", cpus)
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory[1]) / 2**20, 1) if memory else None,
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
