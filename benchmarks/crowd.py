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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wattermark.readers.nvml import NvmlReader
from wattermark.readers.rapl import RaplReader
from wattermark.values.ports import Reader
from wattermark.values.records import Channel

EVERY_S = 0.01
STALE_S = 0.0011  # a RAPL register is renewed each millisecond


@dataclass
class Seen:
    """What one thread saw; of each counter it knows watts, the count at second 0 and counts a joule."""

    truths: Mapping[str, tuple[float, int, int]]
    reads: int = 0
    unanswered: int = 0
    impossible: list[str] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)

    def look(self, reader: Reader) -> None:
        """Read once, and judge each number by the moments around the read."""
        before = time.monotonic()
        values = reader.read()
        after = time.monotonic()
        for channel, value in zip(reader.channels, values, strict=True):
            self.reads += 1
            if value is None:
                self.unanswered += 1
            else:
                self._judge(channel, value, before, after)

    def _judge(self, channel: Channel, value: int, before: float, after: float) -> None:
        watts, offset, per_j = self.truths[channel.name]
        least = int(watts * (before - STALE_S) * per_j) + offset - 1
        most = int(watts * after * per_j) + offset + 1
        turns = (most - value) // channel.wrap if channel.wrap else 0
        counted = value + turns * (channel.wrap or 0)
        if not least <= counted <= most:
            self.impossible.append(f"{channel.name}: {value} is not between {least} and {most}")
        elif counted < self.last.get(channel.name, 0):
            self.impossible.append(f"{channel.name}: fell from {self.last[channel.name]} to {counted}")
        self.last[channel.name] = counted


def _threads(count: int, seconds: float, truths: Any) -> Iterator[Seen]:
    barrier = threading.Barrier(count)
    found = [Seen(truths) for _ in range(count)]

    # opened one after the other: the fake driver reads its file at the first call, and not for two at once
    readers: list[list[Reader]] = [[RaplReader(), NvmlReader()] for _ in found]

    def live(seen: Seen, own: list[Reader]) -> None:
        barrier.wait()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.monotonic()
            for reader in own:
                seen.look(reader)
            time.sleep(max(0.0, began + EVERY_S - time.monotonic()))
        for reader in own:
            reader.close()

    threads = [threading.Thread(target=live, args=both) for both in zip(found, readers, strict=True)]
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
