"""Who kept a GPU busy: SM time of the run's processes and of all, added up.

NVML tells, for each process that was busy since a moment, the part of that time in which its kernels
ran. Times the time itself that is SM time, as ``readers/load.py`` has processor time. Numbers of processes
are the host's: in a container with numbers of its own they cannot be matched, nor can the clients of an
MPS server, for which the server is told. Then there is no answer, and nobody guesses.

A process that begins and ends between two looks is taken for another's.

References: NVML API Reference Guide (nvmlDeviceGetProcessUtilization: since ``lastSeenTimeStamp``, us by the
CPU's clock; NOT_FOUND where nobody was busy; not with MIG; nvmlDeviceGetComputeRunningProcesses); Linux,
include/linux/proc_ns.h (PROC_PID_INIT_INO); HAMi-core issue 112 (numbers of the host in a container).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from wattermark.readers.load import PROC, processes
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel
from wattermark.values.units import NS_PER_S

EVERY_NS = NS_PER_S * 9 // 10  # once a second: a beat of one second that comes a little early is a look
HOST_NAMESPACE = "pid:[4026531836]"
MPS_SERVER = "nvidia-cuda-mps"
NS_PER_US = 1000
PERCENT = 100
Times = tuple[int | None, int | None, int | None]
NO_ANSWER: Times = (None, None, None)
ROWS = (
    ("run_sm", "SM time of the tracked processes"),
    ("all_sm", "SM time of all programs"),
    ("held_by_others", "time in which nobody computed, and other programs held the GPU"),
)


def numbers_are_the_hosts() -> bool:
    """Whether this process is known by the same number as the driver knows it by."""
    try:
        return os.readlink(PROC / "self" / "ns" / "pid") == HOST_NAMESPACE
    except OSError:
        return False


def tells_programs(nvml: Any, handle: Any) -> bool:
    """Whether a GPU tells which process was busy.

    Parameters
    ----------
    nvml : module
        The binding, initialised.
    handle
        The GPU.
    """
    try:
        _samples(nvml, handle, _wall_us())
        nvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except nvml.NVMLError:
        return False
    return True


def busy_channels(gpu: Channel) -> list[Channel]:
    """What is told of the programs on a GPU; nothing of it is energy.

    Parameters
    ----------
    gpu : Channel
        Its energy or power.
    """
    return [
        Channel(
            name=f"{gpu.name}/{row}", kind=Kind.COUNTER, part=Part.LOAD, unit="ns", uuid=gpu.uuid, note=note
        )
        for row, note in ROWS
    ]


class BusyTimes:
    """Adds up the times of one GPU after another, for one tree of processes.

    Parameters
    ----------
    nvml : module
        The binding, initialised.
    root : int, optional
        Root of the tree; this process by default.
    """

    def __init__(self, nvml: Any, root: int | None = None) -> None:
        self._nvml = nvml
        self._root = root or os.getpid()
        self._machine = processes()
        self._before: set[int] = set()
        self._due_ns = 0
        self._gpus: dict[int, _Gpu] = {}

    def read(self, handles: Sequence[Any | None]) -> list[int | None]:
        """Three times for each GPU, in ns; no answers less than a second after the last ones."""
        now_ns = time.monotonic_ns()
        if now_ns < self._due_ns:
            return [*NO_ANSWER] * len(handles)
        self._due_ns = now_ns + EVERY_NS
        pids = {pid for pid, _ in self._machine.tree(self._root, True)[0]}
        ours, self._before = pids | self._before, pids
        return [time_ns for i, handle in enumerate(handles) for time_ns in self._look(i, handle, ours)]

    def close(self) -> None:
        """Give back what was held open; twice is no harm."""
        self._machine.close()

    def _look(self, number: int, handle: Any | None, ours: set[int]) -> Times:
        gpu = self._gpus.setdefault(number, _Gpu())
        if handle is None:
            return NO_ANSWER
        try:
            busy = _samples(self._nvml, handle, gpu.seen_us or _wall_us())
            held = not busy and bool(self._holders(handle) - ours)
        except self._nvml.NVMLError:
            return NO_ANSWER
        if any(map(_is_mps_server, busy.keys() - ours)):
            return NO_ANSWER
        return gpu.add(busy, ours, held=held)

    def _holders(self, handle: Any) -> set[int]:
        """Asked for only where nobody was busy: the binding takes its time to tell them."""
        return {one.pid for one in self._nvml.nvmlDeviceGetComputeRunningProcesses(handle)}


class _Gpu:
    """The sums of one GPU, and when it was asked."""

    def __init__(self) -> None:
        self.seen_us = 0
        self._seen_ns = time.monotonic_ns()
        self._run_ns = self._all_ns = self._held_ns = 0

    def add(self, busy: dict[int, int], ours: set[int], *, held: bool) -> tuple[int, int, int]:
        now_ns = time.monotonic_ns()
        since_ns = now_ns - self._seen_ns if self.seen_us else 0
        self._seen_ns, self.seen_us = now_ns, _wall_us()
        self._run_ns += sum(busy[pid] for pid in busy.keys() & ours) * since_ns // PERCENT
        self._all_ns += sum(busy.values()) * since_ns // PERCENT
        self._held_ns += since_ns if held else 0
        return self._run_ns, self._all_ns, self._held_ns


def _samples(nvml: Any, handle: Any, since_us: int) -> dict[int, int]:
    """How busy each process kept the SMs since a moment, in percent; the latest sample of each counts."""
    try:
        told = nvml.nvmlDeviceGetProcessUtilization(handle, since_us)
    except nvml.NVMLError_NotFound:
        return {}  # nobody was busy
    by_time = sorted(told, key=lambda one: one.timeStamp)  # more than 100 is junk of some drivers
    return {one.pid: one.smUtil for one in by_time if 0 < one.smUtil <= PERCENT}


def _is_mps_server(pid: int) -> bool:
    try:
        with open(f"{PROC}/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().startswith(MPS_SERVER)
    except OSError:
        return False


def _wall_us() -> int:
    return time.time_ns() // NS_PER_US
