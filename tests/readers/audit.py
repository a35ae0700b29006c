"""What a reader does when it is read, as plain data: a child that sees fake meters prints the same."""

import json
import os
from dataclasses import asdict

INTERVALS_S = (0.01, 0.5, 1.0, 60.0)


def facts(reader):
    """All that the contract asks about; the reader is closed, twice, at the end."""
    told = {
        "channels": [asdict(channel) for channel in reader.channels],
        "looks": [list(reader.read()) for _ in range(3)],
        "periods_s": {interval_s: reader.period_s(interval_s) for interval_s in INTERVALS_S},
        "channels_later": [asdict(channel) for channel in reader.channels],
    }
    open_before = len(os.listdir("/proc/self/fd"))
    reader.close()
    reader.close()
    told["opened_by_closing"] = len(os.listdir("/proc/self/fd")) - open_before
    return told


def ipmi(device):
    """The same, for the board's controller behind a device."""
    from wattermark.readers.ipmi import IpmiReader

    print(json.dumps(facts(IpmiReader(device))))


def nvml():
    """The same, for the GPUs that this process sees, or why there are none."""
    from wattermark.readers.nvml import NvmlReader

    _print(NvmlReader)


def perf():
    """The same, for the energy events that this process sees, or why there are none."""
    from wattermark.readers.perf import PerfReader

    _print(PerfReader)


def _print(opener):
    from wattermark.errors import ReaderUnavailable

    try:
        print(json.dumps(facts(opener())))
    except ReaderUnavailable as error:
        print(json.dumps({"problem": error.problem, "fix": error.fix}))
