"""A run as a crash, a bad disk or a stranger may have left it: read, accounted, told."""

from __future__ import annotations

from pathlib import Path
from random import Random

from fuzzing.holds import check_footprint
from fuzzing.mutate import Case, mutated_case
from wattermark.errors import WattermarkError
from wattermark.ledger.read import last_moment_ns, read_header, read_spool
from wattermark.ledger.spool import line, reader_line, run_line
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel, RunHeader
from wattermark.verbs.account import account, account_briefly

BEATS, WRAP_UJ, S = 12, 300_000_001, 10**9
HEADER = RunHeader(
    run="20260101-000000-train-ab12cd34", name="train", host="elsewhere", pid=1, started_ns=17 * 10**17,
    mono_ns=S, interval_s=1.0, place="deu", logical_cpus=8, memory_b=32 * 10**9, tags={"lr": "3e-4"},
)  # fmt: skip
CPU = [
    Channel(
        name=f"cpu/package-{i}", kind=Kind.COUNTER, part=Part.CPU, unit="uJ", wrap=WRAP_UJ, refresh_s=0.001
    )
    for i in range(2)
]
DRAM = Channel(name="dram/package-0", kind=Kind.COUNTER, part=Part.DRAM, unit="uJ", wrap=WRAP_UJ)
GPUS = [
    Channel(name="gpu/0", kind=Kind.COUNTER, part=Part.GPU, unit="mJ", power_max_w=3000.0, refresh_s=0.1,
            device="NVIDIA H100 80GB HBM3", uuid="GPU-0"),
    Channel(name="gpu/1", kind=Kind.POWER, part=Part.GPU, unit="mW", power_max_w=3000.0, share=3 / 7,
            device="NVIDIA A100", uuid="GPU-1"),
]  # fmt: skip
LOAD = [
    Channel(name=f"load/{name}", kind=kind, part=Part.LOAD, unit=unit)
    for name, kind, unit in (
        ("cpu_busy", Kind.COUNTER, "ns"), ("run_cpu", Kind.COUNTER, "ns"),
        ("memory_used", Kind.GAUGE, "B"), ("run_memory", Kind.GAUGE, "B"),
    )
]  # fmt: skip


def lines() -> list[str]:
    """A run of 11 s with two sockets, DRAM, two GPUs, spans, a fault and a gap, line by line."""
    found = [
        run_line(HEADER),
        reader_line("rapl", [*CPU, DRAM]),
        reader_line("nvml", GPUS),
        reader_line("load", LOAD),
        line("skipped", name="battery", problem="no battery", fix="Nothing to do"),
    ]
    for i in range(1, BEATS + 1):
        if i == 3:
            found.append(line("begin", span=1, name="epoch", label="1", parent=None, mono_ns=i * S - S // 2))
            found.append(line("begin", span=2, name="step", label="", parent=1, mono_ns=i * S - S // 4))
        found.append(_beat(i))
        if i == 8:
            found.append(line("end", span=2, mono_ns=i * S + S // 4))
            found.append(line("end", span=1, mono_ns=i * S + S // 2))
            found.append(line("fault", error="nvml: RuntimeError: lost"))
    return [*found, line("stop", mono_ns=BEATS * S, time_ns=BEATS * S, status="ok", detail="")]


def _beat(i: int) -> str:
    rapl = [i * 100_000_000 % WRAP_UJ, (7 + i * 60_000_000) % WRAP_UJ, i * 20_000_000 % WRAP_UJ]
    nvml: list[int | None] = [10**9 + i * 300_000, 150_000 if i != 6 else None]
    load = [i * 4 * S, i * S, 10 * 10**9 + i, 2 * 10**9 + i]
    return line("beat", mono_ns=i * S, time_ns=17 * 10**17 + i * S, rapl=rapl, nvml=nvml, load=load)


class Spools:
    """Lines of a real spool, mutated."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "run" / "host-1.jsonl"
        self._path.parent.mkdir(exist_ok=True)
        self._lines: Case = tuple((f"line {i}", text.encode()) for i, text in enumerate(lines()))

    def case(self, chance: Random) -> Case:
        return mutated_case(chance, self._lines)

    def check(self, case: Case) -> None:
        self._path.write_bytes(b"".join(data for _, data in case))
        last_moment_ns(self._path)
        try:
            read_header(self._path)
            recorded = read_spool(self._path)
            footprint = account(recorded)
            account_briefly(recorded)
        except WattermarkError:
            return
        check_footprint(recorded, footprint)
