"""Real processes to be paused, and what the kernel says of them."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

BUSY = "while True: pass"
TREE = """
import os, subprocess, sys, time
busy = [sys.executable, "-c", "while True: pass"]
children = [
    subprocess.Popen(busy),
    subprocess.Popen(busy, process_group=0),
    subprocess.Popen(busy, start_new_session=True),
]
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:  # a daemon: its parent leaves, init adopts it
        print(os.getpid(), *(child.pid for child in children), flush=True)
        while True: pass
    os._exit(0)
os.wait()
while True: pass
"""
"""A tree: a child of the same group, one of another, one of another session, and one that left the tree."""
FORKS = """
import os
print(os.getpid(), flush=True)
while True:
    if os.fork() == 0:
        for _ in range(200): pass
        os._exit(0)
    os.wait()
"""
WATCHER = """
import os, subprocess, sys, time
for _ in range(60): subprocess.Popen(["sleep", "60"])
root = os.getpid()
def state(): return open(f"/proc/{root}/stat", "rb").read().rpartition(b")")[2].split()[0]

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        while state() != b"T": pass
        if os.fork() == 0:
            while True: pass
        while True: pass
    os._exit(0)
os.wait()
while True: time.sleep(1)
"""
"""One that left the tree, and makes a child as soon as it sees its root stopped."""


def python(code, **more):
    """A program of its own."""
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, **more)


def state(pid):
    """The letter of ``ps``; empty where there is none of that number."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0].decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def ticks(*pids):
    """Processor time of all of them, in hundredths of a second."""
    fields = [Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split() for pid in pids]
    return sum(int(told[11]) + int(told[12]) for told in fields)


def stands_still(*pids, span_s=0.15):
    """Whether none of them takes processor time; a running one would take many ticks."""
    before = ticks(*pids)
    time.sleep(span_s)
    return ticks(*pids) == before


def soon(holds, within_s=10.0):
    """Whether something becomes true before long."""
    until_s = time.monotonic() + within_s
    while not (found := holds()) and time.monotonic() < until_s:
        time.sleep(0.01)
    return found


def works(*pids):
    """Whether each takes processor time; on a busy machine it has to wait for its turn."""
    return all(soon(lambda pid=pid: not stands_still(pid, span_s=0.05)) for pid in pids)


def kill(*pids):
    """End processes that a test began, and those below them."""
    for pid in pids:
        with suppress(psutil.Error):
            found = psutil.Process(pid)
            for one in (*found.children(recursive=True), found):
                with suppress(psutil.Error):
                    one.kill()


def send(pid, number=signal.SIGTERM):
    os.kill(pid, number)
