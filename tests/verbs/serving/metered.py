"""A run whose meter says what a test wants: a spool as a run writes it, beat by beat."""

import time

from wattermark.ledger.read import host_name
from wattermark.ledger.spool import SpoolFile, line, reader_line, run_line
from wattermark.values.kinds import Kind, Part, Scope
from wattermark.values.records import Channel, RunHeader
from wattermark.values.served import Outcome, Route, Served, Usage
from wattermark.values.units import NS_PER_S
from wattermark.verbs.serving.live import Live
from wattermark.wiring.config import Config

GPU = Channel(
    name="gpu/0", kind=Kind.COUNTER, part=Part.GPU, unit="mJ", device="NVIDIA H100 80GB HBM3", covers="gpu/0"
)
CONFIG = Config(place="deu", scope="machine", origin={"place": "option"})


class Metered:
    """A GPU's counter from ``ago_s`` on, and requests to what runs on it; times are seconds since then."""

    def __init__(self, tmp_path, ago_s=120.0):
        self.zero_ns = time.monotonic_ns() - round(ago_s * NS_PER_S)
        self.path = tmp_path / "run" / "h-1.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = SpoolFile(self.path)
        header = RunHeader(
            run="run", name="proxy", host=host_name(), pid=1, started_ns=0, mono_ns=self.zero_ns,
            interval_s=1.0, scope=Scope.MACHINE, place="deu", logical_cpus=4,
        )  # fmt: skip
        self.file.write(run_line(header) + reader_line("nvml", [GPU]))
        self.energy_j, self.at_s = 0.0, 0.0
        self._live = None
        self._beat()

    def runs(self, seconds, watts):
        """So long at that power, a beat each second; the live sums have theirs after each."""
        for _ in range(seconds):
            self.at_s += 1.0
            self.energy_j += watts
            self._beat()
            if self._live is not None:
                self._live.beat()
        return self

    def _beat(self):
        mono_ns = self.ns(self.at_s)
        self.file.write(line("beat", mono_ns=mono_ns, time_ns=mono_ns, nvml=[round(self.energy_j * 1000)]))

    def ns(self, at_s):
        return self.zero_ns + round(at_s * NS_PER_S)

    def live(self):
        self._live = Live(CONFIG, self.path, start=False)
        return self._live

    def served(
        self, begin_s, end_s, *, read=100, written=50, model="llama-3.1-8b", outcome=Outcome.OK, **more
    ):
        usage = Usage(input_tokens=read, output_tokens=written)
        told = {"usage": usage, "model": model, "outcome": outcome, "route": Route.CHAT, **more}
        return Served(begin_ns=self.ns(begin_s), end_ns=self.ns(end_s), **told)


def by(sums, *fields):
    """Joules of energy by some of ledger, quality, or a word of whose it is."""
    found = {}
    for who, ledger, quality, energy_j, _, _ in sums.energy:
        known = {"ledger": ledger, "quality": quality, **{n: getattr(who, n) for n in who.__slots__}}
        key = tuple(str(known[name]) for name in fields)
        found[key if len(fields) > 1 else key[0]] = (
            found.get(key if len(fields) > 1 else key[0], 0.0) + energy_j
        )
    return found
