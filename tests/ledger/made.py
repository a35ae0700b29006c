"""Spools made line by line, and a header with nothing special in it."""

from wattermark.ledger.spool import line, reader_line, run_line
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel, RunHeader

CHANNEL = Channel(name="cpu/package-0", kind=Kind.COUNTER, part=Part.CPU, unit="uJ", wrap=1000)
HEADER = RunHeader(
    run="20260101-000000-train-ab12",
    name="train",
    host="elsewhere",
    pid=1,
    started_ns=0,
    mono_ns=0,
    interval_s=1,
)
HEAD = run_line(HEADER) + reader_line("rapl", [CHANNEL])


def beat(second, *values):
    return line("beat", mono_ns=second * 10**9, time_ns=second * 10**9, rapl=list(values))


def stop(second, status="ok"):
    return line("stop", mono_ns=second * 10**9, time_ns=second * 10**9, status=status, detail="")


WHOLE = HEAD + beat(1, 5) + beat(2, None) + beat(3, 9) + stop(3)
