"""NVIDIA GPUs through NVML, by the official binding ``nvidia-ml-py``.

The binding is imported only where the driver's library is, since that import alone costs more
than the rest of a start.

What fails is opened again: the library (somebody shut it down, the driver was loaded anew, a fork), and
each GPU by its UUID (it fell off the bus and is back). A counter that began again at 0 is a gap to the
accounting, and nothing more. The list of GPUs stays: one that is plugged in later is counted from the
next program on.

References: NVML API Reference Guide (nvmlInit, nvmlShutdown: a library counts its users;
nvmlDeviceGetHandleByUUID).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from wattermark.errors import ReaderUnavailable
from wattermark.readers.files import sampling_s
from wattermark.readers.library import load_library
from wattermark.readers.nvml_ask import Ask, meters_of
from wattermark.readers.nvml_busy import BusyTimes, busy_channels, numbers_are_the_hosts, tells_programs
from wattermark.readers.nvml_visible import Seen, visible_gpus
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

LIBRARY = "libnvidia-ml.so.1"
SOONEST_S, LATEST_S = 1.0, 64.0  # between two attempts to open again what fails


class NvmlReader:
    """One channel for each GPU that the program may see, its module, and who keeps it busy.

    Parameters
    ----------
    library : str, optional
        The driver's library; nothing is imported where it cannot be loaded.
    visible : str or None, optional
        As ``CUDA_VISIBLE_DEVICES``: indices, UUIDs, UUID prefixes or MIG UUIDs. None is all.
    root : int, optional
        Root of the tree of the run's processes; this process by default.

    Raises
    ------
    ReaderUnavailable
        If there is no driver, or no GPU may be seen.
    """

    def __init__(self, library: str = LIBRARY, visible: str | None = None, root: int | None = None) -> None:
        self._nvml = nvml = _binding(library)
        if visible is None:
            visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        try:
            seen = visible_gpus(nvml, visible)
        except nvml.NVMLError as error:
            raise ReaderUnavailable(f"NVML answers: {error}", fix="See what 'nvidia-smi' says") from error
        if not seen:
            raise ReaderUnavailable(
                f"no GPU may be seen (CUDA_VISIBLE_DEVICES={visible!r})",
                fix="Set CUDA_VISIBLE_DEVICES to the GPUs that the program uses, or unset it",
            )
        self._devices = [_Device(gpu) for gpu in seen]
        self._meters = list(_meters(nvml, self._devices))
        self._shared = _shared_devices(nvml, self._devices)
        self._busy = BusyTimes(nvml, root) if self._shared else None
        metered = [channel for _, _, channel in self._meters]
        gpus = {channel.uuid: channel for channel in metered if channel.counted}
        programs = [one for device in self._shared for one in busy_channels(gpus[device.seen.uuid])]
        self.channels: Sequence[Channel] = [*metered, *programs]
        self._started, self._failed = True, False
        self._wait_s, self._due_s = 0.0, 0.0

    def period_s(self, interval_s: float) -> float:
        """The user's interval; a tenth of it where power has to be sampled. [s]"""
        sampled = any(
            channel.counted and channel.kind is not Kind.COUNTER and channel.part is Part.GPU
            for channel in self.channels
        )
        return sampling_s(interval_s) if sampled else interval_s

    def read(self) -> Sequence[int | None]:
        """mJ since the driver was loaded, mW now or % at work, a GPU each and a module; ns of SM time."""
        values = self._looks()
        if self._failed and self._opened_again():
            values = self._looks()
        if not self._failed:
            self._wait_s = 0.0
        busy = self._busy.read([device.handle for device in self._shared]) if self._busy else ()
        return [*values, *busy]

    def close(self) -> None:
        """NVML stays initialised: another reader of this process may use it."""
        if self._busy is not None:
            self._busy.close()

    def _looks(self) -> list[int | None]:
        self._failed = False
        return [self._look(device, ask) for device, ask, _ in self._meters]

    def _look(self, device: _Device, ask: Ask) -> int | None:
        """One number; a GPU that does not answer has a gap, the others none."""
        if device.handle is None:
            self._failed = True
            return None
        try:
            return ask(self._nvml, device.handle)
        except (self._nvml.NVMLError_NotSupported, self._nvml.NVMLError_NoPermission):
            return None
        except self._nvml.NVMLError:  # lost, reset, shut down by somebody: worth an attempt to open again
            self._failed = True
            return None

    def _opened_again(self) -> bool:
        """Start the library and open all GPUs again: at once, then ever more seldom."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return False
        self._wait_s = min(max(SOONEST_S, 2 * self._wait_s), LATEST_S)
        self._due_s = now_s + self._wait_s
        if self._started:  # only with its last user a library lets go of an old driver; never take another's
            with suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()
        self._started = False
        try:
            self._nvml.nvmlInit()
        except self._nvml.NVMLError:
            return False
        self._started = True
        for device in self._devices:
            device.ask_again(self._nvml)
        return True


class _Device:
    """A GPU, and the handle that it goes by now; None while it is lost."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.handle = seen.handle

    def ask_again(self, nvml: Any) -> None:
        """By UUID, as its index may be another's now; by index if it never told its UUID."""
        try:
            uuid = self.seen.uuid
            self.handle = (
                nvml.nvmlDeviceGetHandleByUUID(uuid)
                if uuid
                else nvml.nvmlDeviceGetHandleByIndex(self.seen.number)
            )
        except nvml.NVMLError:
            self.handle = None


def _binding(library: str) -> Any:
    load_library(
        (library,),
        problem="no NVIDIA driver library here",
        fix="Install the NVIDIA driver if this machine has such a GPU",
    )
    try:
        import pynvml
    except ImportError as error:
        raise ReaderUnavailable(
            "the binding nvidia-ml-py is missing", fix="Run: pip install nvidia-ml-py"
        ) from error
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise ReaderUnavailable(f"NVML does not start: {error}", fix="See what 'nvidia-smi' says") from error
    return pynvml


def _meters(nvml: Any, devices: Sequence[_Device]) -> Iterator[tuple[_Device, Ask, Channel]]:
    hidden = _hidden(nvml, len(devices))
    for device in devices:
        for ask, channel in meters_of(nvml, device.seen):
            yield device, ask, replace(channel, hidden=hidden)


def _hidden(nvml: Any, seen: int) -> int:
    """GPUs of the machine that the run may not see."""
    try:
        return max(0, int(nvml.nvmlDeviceGetCount()) - seen)
    except nvml.NVMLError:
        return 0


def _shared_devices(nvml: Any, devices: Sequence[_Device]) -> list[_Device]:
    """Those of which it can be told which program was busy."""
    if not numbers_are_the_hosts():
        return []
    whole = [device for device in devices if device.handle is not None and device.seen.share == 1]
    return [device for device in whole if tells_programs(nvml, device.handle)]
