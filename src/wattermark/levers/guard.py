"""The guard: a small program that resumes what a planner has paused, once the planner is no more.

It is run by its path (``python -I -S guard.py``) in a session of its own, with the standard library only,
and reads a pipe whose other end only the planner holds. What the planner owes stands in lines: one begins
with ``+`` before something is paused, one with ``-`` after it was resumed. When the planner dies, by whatever
death, the pipe ends, and the guard settles what is owed, the last first.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress

SIGNAL, FREEZER, GROUP, ASK = "signal", "freezer", "group", "ask"
READY = b"ready\n"
THAWED = {"cgroup.freeze": "0", "freezer.state": "THAWED"}
"""What resumes a control group of version 2 and of version 1, by the file it is written to."""
TRIES, PAUSE_S = 50, 0.02


def main() -> None:
    """Keep the account until the planner's end of the pipe closes, then settle it."""
    for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    owed: dict[str, None] = {}
    try:
        with suppress(OSError):  # it may be dead by now, and its debts lie in the pipe
            os.write(1, READY)
        for line in sys.stdin.buffer:
            word, debt = line[:1], os.fsdecode(line[1:].rstrip(b"\n"))
            if word == b"+":
                owed[debt] = None
            else:
                owed.pop(debt, None)
    finally:
        for debt in reversed(owed):
            with suppress(OSError, ValueError):
                settle(debt)


def debt_of(kind: str, *words: object) -> str:
    """One thing that is owed, as a line of the pipe."""
    return "\t".join((kind, *map(str, words)))


def settle(debt: str) -> None:
    """Resume a process or a group; take away what was made for a command: a group, or where it is asked."""
    kind, *words = debt.split("\t")
    if kind == SIGNAL:
        resume_process(int(words[0]), words[1])
    elif kind == FREEZER:
        thaw(words[0])
    elif kind == GROUP:
        remove_group(words[0])
    elif kind == ASK:
        ask_no_more(words[0])


def resume_process(pid: int, began: str) -> None:
    """Resume a process, unless its number is another's by now."""
    if not began or start_of(pid) == began:
        os.kill(pid, signal.SIGCONT)


def thaw(path: str) -> None:
    """Resume a control group by its file."""
    with open(path, "w", encoding="ascii") as file:
        file.write(THAWED[os.path.basename(path)])


def ask_no_more(folder: str) -> None:
    """Take away the files by which a command is asked to leave."""
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)


def remove_group(folder: str) -> None:
    """Take a control group away; whoever is still in it goes to the one above."""
    above = os.path.join(os.path.dirname(folder), "cgroup.procs")
    for _ in range(TRIES):
        for pid in _members(folder):
            with suppress(OSError), open(above, "w", encoding="ascii") as file:
                file.write(pid)
        try:
            os.rmdir(folder)
            return
        except FileNotFoundError:
            return
        except OSError:  # who was killed is leaving, or there are groups below, which then stay
            time.sleep(PAUSE_S)


def _members(folder: str) -> list[str]:
    with suppress(OSError), open(os.path.join(folder, "cgroup.procs"), encoding="ascii") as file:
        return file.read().split()
    return []


def start_of(pid: int) -> str:
    """When a process began, in ticks since the machine did; empty where the kernel does not say."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""


if __name__ == "__main__":
    main()
