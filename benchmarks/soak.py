"""An hour at 20 Hz with eight GPUs: is memory flat, is the sum exact, how large does the file grow?

python benchmarks/soak.py [--minutes 60] [--work DIR] [--envs DIR]
"""

from __future__ import annotations

import statistics

from common import Settings, ask_on, run, scratch
from environments import OURS, Environment
from telling import Row, Target, show

from fakes.meters import Bench, Gpu, Signal, socket
from wattermark.ledger.read import read_spool
from wattermark.ledger.runs import runs
from wattermark.values.kinds import Part
from wattermark.values.records import Recorded

BEAT_S, SAMPLES = 0.05, 240
WARM = 0.1  # of the samples come while buffers fill
S_PER_H, MJ_PER_J = 3600.0, 1000
MOST_MB_PER_H, MOST_FILE_MB_PER_H = 1.0, 60.0
REFRESH_S = 0.1  # of the GPUs' counters: each end of the sum may be that old


def measured(given: Settings, places: dict[str, Environment]) -> tuple[Row, list[Target]]:
    seconds = given.minutes * 60
    meters = _meters(Bench(scratch(given, "soak"), libs=given.work / "lib"))
    found = ask_on(
        meters, places[OURS], "soak", interval=BEAT_S, seconds=seconds, every=max(0.5, seconds / SAMPLES)
    )
    figures = {**_grown(found), **_summed(meters, found)}
    show(f"{given.minutes:g} minutes at 20 Hz, 8 GPUs and a socket with DRAM", [
        {"figure": name, "value": value} for name, value in figures.items()
    ])  # fmt: skip
    return {"figures": figures, "samples": found["samples"]}, _targets(figures, seconds)


def _meters(bench: Bench) -> Bench:
    """Powers that change at different speeds, so that no two GPUs count alike."""
    gpus = [Gpu(Signal.sine(350, 150, 0.03 * (i + 1)), update=REFRESH_S) for i in range(8)]
    return bench.powercap(socket(0, Signal.square(50, 200, 0.5), dram=Signal.const(20))).nvml(gpus)


def _grown(found: Row) -> Row:
    """Memory and file over time, after the first moments."""
    warm = found["samples"][int(len(found["samples"]) * WARM) :]
    hours = [time_s / S_PER_H for time_s, _, _ in warm]
    rss, kept = [mb for _, mb, _ in warm], [mb for _, _, mb in warm]
    return {
        "memory, MB: first": rss[0],
        "memory, MB: last": rss[-1],
        "memory, MB: most": max(rss),
        "memory slope, MB/h": statistics.linear_regression(hours, rss).slope,
        "file, MB": kept[-1],
        "file, MB/h": statistics.linear_regression(hours, kept).slope,
        "CPU s/h": found["cpu_s"] / (found["end"] - found["begin"]) * S_PER_H,
    }


def _summed(meters: Bench, found: Row) -> Row:
    """What is told, what the counters showed at both ends, and what was truly used."""
    (place,) = runs(meters.folder / "home" / "ledger")
    recorded = read_spool(place.spool)
    told_j = found["joules"]["gpu"]
    true_j = sum(meters.truth_j(f"gpu{i}", found["begin"], found["end"]) for i in range(len(meters.gpus)))
    return {
        "GPU energy told, J": told_j,
        "GPU energy true, J": true_j,
        "told / true - 1, ppm": (told_j / true_j - 1) * 1e6,
        "told less counters' ends, mJ": round(told_j * MJ_PER_J) - _ends_mj(recorded),
        "beats": len(recorded.logs["nvml"].mono_ns),
        "beats / asked": len(recorded.logs["nvml"].mono_ns) * BEAT_S / (found["end"] - found["begin"]),
        "gaps told": len(found["says"]),
        "bad lines": recorded.bad_lines + bool(recorded.torn_bytes),
    }


def _ends_mj(recorded: Recorded) -> int:
    """The last look less the first, of all GPUs: whole numbers, so nothing is rounded."""
    log = recorded.logs["nvml"]
    gpus = [i for i, channel in enumerate(log.channels) if channel.part is Part.GPU]
    return sum((log.values[-1][i] or 0) - (log.values[0][i] or 0) for i in gpus)


def _targets(figures: Row, seconds: float) -> list[Target]:
    return [
        Target("memory slope", figures["memory slope, MB/h"], MOST_MB_PER_H, "MB/h"),
        Target("told less the counters' ends", abs(figures["told less counters' ends, mJ"]), 0, "mJ"),
        Target(
            "told against true", abs(figures["told / true - 1, ppm"]), 2 * REFRESH_S / seconds * 1e6, "ppm"
        ),
        Target("file growth", figures["file, MB/h"], MOST_FILE_MB_PER_H, "MB/h"),
        Target("gaps, bad lines", figures["gaps told"] + figures["bad lines"], 0, ""),
    ]


if __name__ == "__main__":
    run("soak", __doc__, measured, tools=(OURS,), minutes=60.0)
