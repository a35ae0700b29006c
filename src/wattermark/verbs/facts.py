"""What a run's header says of the machine and of the program."""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from pathlib import Path

from wattermark.ledger.read import process_started

MOST_ANCESTORS = 16
_INTERPRETER = re.compile(
    r"(python|pypy)[\d.]*|bash|sh|zsh|dash|node|Rscript|julia|perl|ruby|torchrun|accelerate"
)
_SCRIPT = re.compile(r"[^\s=:@]+\.(py|sh|js|mjs|R|jl|pl|rb)")


def command_name() -> str:
    """The script that runs, by its file name; arguments may hold secrets and are left out."""
    script = sys.argv[0] if sys.argv else ""
    return Path(script).name if script not in ("", "-c", "-m") else "python"


def name_of(command: list[str]) -> str:
    """A name for a command line: its script if an interpreter runs one, else its program.

    Nothing else of it is taken: code given with ``-c`` and arguments may hold secrets.
    """
    program = Path(command[0]).name
    if not _INTERPRETER.fullmatch(program):
        return program
    for word in command[1:]:
        if word in ("-c", "-e", "-m"):
            break
        if _SCRIPT.fullmatch(word):
            return Path(word).name
    return program


@cache
def ancestors(pid: int) -> tuple[str, ...]:
    """A process and those above it, as pid@start, so that runs inside runs are known as such."""
    found: list[str] = []
    while pid > 1 and len(found) < MOST_ANCESTORS:
        found.append(f"{pid}@{process_started(pid)}")
        pid = _parent(pid)
    return tuple(found)


def _parent(pid: int) -> int:
    if pid == os.getpid():
        return os.getppid()
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
