"""A thousand readers of the same counters at 10 ms: no value may be impossible.

Run inside our environment by ``peers_accuracy.py``:  python crowd.py THREADS SECONDS ROOT_JSON

Each thread has a RAPL and an NVML reader of its own. A number must lie between what the counter had come to
before the read and after it (the fake's power is known at every moment), and never fall but by a wrap.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from wattermark.readers.nvml import NvmlReader
from wattermark.readers.rapl import RaplReader
from wattermark.values.ports import Reader

EVERY_S = 0.01
STALE_S = 0.0011  # a RAPL register is renewed each millisecond
UJ_PER_J, MJ_PER_J = 1_000_000, 1_000


@dataclass
class Seen:
    """What one thread saw."""

    reads: int = 0
    unanswered: int = 0
    impossible: list[str] = field(default_factory=list)


def look(readers: list[Reader], truths: list[Any], until: float, seen: Seen) -> None:
    """Read all again and again, and judge each number by the moments around the read."""
    last: dict[str, int] = {}
    while time.monotonic() < until:
        began = time.monotonic()
        for reader in readers:
            before = time.monotonic()
            values = reader.read()
            after = time.monotonic()
            for channel, value in zip(reader.channels, values, strict=True):
                seen.reads += 1
                if value is None:
                    seen.unanswered += 1
                    continue
                fault = _fault(truths, channel.name, channel.wrap, value, before, after, last)
                if fault:
                    seen.impossible.append(fault)
        time.sleep(max(0.0, began + EVERY_S - time.monotonic()))


def _fault(
    truths: Any, name: str, wrap: int | None, value: int, before: float, after: float, last: dict[str, int]
) -> str:
    watts, offset, per_j = truths[name]
    least = int(watts * (before - STALE_S) * per_j) + offset - 1
    most = int(watts * after * per_j) + offset + 1
    counted = value
    if wrap is not None:  # the turn that brings it nearest below the most that it can be
        counted = value + (most - value) // wrap * wrap
    if not least <= counted <= most:
        return f"{name}: {value} is not between {least} and {most}"
    if counted < last.get(name, 0):
        return f"{name}: fell from {last[name]} to {counted}"
    last[name] = counted
    return ""


def _threads(count: int, seconds: float, truths: Any) -> Iterator[Seen]:
    barrier = threading.Barrier(count)
    found = [Seen() for _ in range(count)]

    def live(seen: Seen) -> None:
        readers: list[Reader] = [RaplReader(), NvmlReader()]
        barrier.wait()
        look(readers, truths, time.monotonic() + seconds, seen)
        for reader in readers:
            reader.close()

    threads = [threading.Thread(target=live, args=(seen,)) for seen in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    yield from found


if __name__ == "__main__":
    seen = list(_threads(int(sys.argv[1]), float(sys.argv[2]), json.loads(sys.argv[3])))
    impossible = [fault for one in seen for fault in one.impossible]
    answer = {
        "readers": len(seen),
        "reads": sum(one.reads for one in seen),
        "unanswered": sum(one.unanswered for one in seen),
        "impossible": len(impossible),
        "first": impossible[:3],
    }
    print("@@" + json.dumps(answer), flush=True)
