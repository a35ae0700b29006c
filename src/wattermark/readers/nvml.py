"""NVIDIA GPUs through NVML, by the official binding ``nvidia-ml-py``.

The binding is imported only where the driver's library is, since that import alone costs more
than the rest of a start. The energy counter is read where a GPU has one (Volta and later), its
power elsewhere. NVML counts GPUs in PCI order and CUDA, by default, fastest first: so a bare
index in ``CUDA_VISIBLE_DEVICES`` is taken in PCI order, and the channel says so.

References: NVML API Reference Guide (nvmlDeviceGetTotalEnergyConsumption: mJ since the driver
was loaded; nvmlDeviceGetPowerUsage: mW, within 5 %; nvmlDeviceGetUtilizationRates: percent of the last
sample period in which any kernel ran). The last is read only of a GPU that has neither of the others, as some
virtual ones: what it draws is then a model's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from wattermark.errors import ReaderUnavailable
from wattermark.readers.files import sampling_s
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

LIBRARY = "libnvidia-ml.so.1"
GPU_MAX_W = 3000.0
REFRESH_S = 0.1
SLICES = 7  # a MIG-capable GPU is cut into sevenths


class NvmlReader:
    """One channel for each GPU that the program may see.

    Parameters
    ----------
    library : str, optional
        The driver's library; nothing is imported where it cannot be loaded.
    visible : str or None, optional
        As ``CUDA_VISIBLE_DEVICES``: indices, UUIDs, UUID prefixes or MIG UUIDs. None is all.

    Raises
    ------
    ReaderUnavailable
        If there is no driver, or no GPU may be seen.
    """

    def __init__(self, library: str = LIBRARY, visible: str | None = None) -> None:
        self._nvml = nvml = _binding(library)
        if visible is None:
            visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        try:
            seen = _visible(nvml, _handles(nvml), visible)
            if not seen:
                raise ReaderUnavailable(
                    f"no GPU may be seen (CUDA_VISIBLE_DEVICES={visible!r})",
                    fix="Set CUDA_VISIBLE_DEVICES to the GPUs that the program uses, or unset it",
                )
            self._handles = [handle for handle, _ in seen]
            self.channels: Sequence[Channel] = [_channel(nvml, handle, share) for handle, share in seen]
        except nvml.NVMLError as error:
            raise ReaderUnavailable(f"NVML answers: {error}", fix="See what 'nvidia-smi' says") from error

    def period_s(self, interval_s: float) -> float:
        """The user's interval; a tenth of it where power has to be sampled. [s]"""
        if all(channel.kind is Kind.COUNTER for channel in self.channels):
            return interval_s
        return sampling_s(interval_s)

    def read(self) -> Sequence[int | None]:
        """Millijoules since the driver was loaded, milliwatts now, or percent of time at work, a GPU each."""
        return [self._look(h, c) for h, c in zip(self._handles, self.channels, strict=True)]

    def close(self) -> None:
        """NVML stays initialised: another reader of this process may use it."""

    def _look(self, handle: Any, channel: Channel) -> int | None:
        try:
            if channel.kind is Kind.COUNTER:
                return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
            if channel.kind is Kind.GAUGE:
                return int(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
            return int(self._nvml.nvmlDeviceGetPowerUsage(handle))
        except self._nvml.NVMLError:  # lost, reset, no permission: this GPU has a gap, the others none
            return None


def _binding(library: str) -> Any:
    import ctypes

    try:
        ctypes.CDLL(library)
    except OSError as error:
        raise ReaderUnavailable(
            "no NVIDIA driver library here", fix="Install the NVIDIA driver if this machine has such a GPU"
        ) from error
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


def _handles(nvml: Any) -> list[Any]:
    """Handles of the GPUs that answer; one that is lost already hides no other.

    Raises
    ------
    NVMLError
        If none answers.
    """
    handles, lost = [], None
    for i in range(nvml.nvmlDeviceGetCount()):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(i)
            nvml.nvmlDeviceGetUUID(handle)
            handles.append(handle)
        except nvml.NVMLError as error:
            lost = error
    if not handles and lost is not None:
        raise lost
    return handles


def _visible(nvml: Any, handles: list[Any], visible: str | None) -> list[tuple[Any, float]]:
    """Handles of the GPUs, each once, with the part of it that is ours.

    As CUDA does: the list ends at the first entry that names no GPU.
    """
    if visible is None:
        return [(handle, 1.0) for handle in handles]
    shares: dict[str, tuple[Any, float]] = {}
    for entry in (text.strip() for text in visible.split(",")):
        found = _named(nvml, handles, entry)
        if found is None:
            break
        handle, share = found
        uuid = _uuid(nvml, handle)
        shares[uuid] = (handle, min(1.0, share + shares.get(uuid, (None, 0.0))[1]))
    return list(shares.values())


def _named(nvml: Any, handles: list[Any], entry: str) -> tuple[Any, float] | None:
    if entry.isascii() and entry.isdecimal():
        return (handles[int(entry)], 1.0) if int(entry) < len(handles) else None
    if entry.startswith("MIG-GPU-"):  # MIG-GPU-<uuid>/<gi>/<ci>, before driver 470
        uuid, _, instance = entry.removeprefix("MIG-").partition("/")
        handle = _by_prefix(nvml, handles, uuid)
        slices = _slices_of_instance(nvml, handle, instance) if handle is not None else None
        return None if handle is None else (handle, slices or 1.0)
    if entry.startswith("MIG-"):
        return _mig(nvml, entry)
    handle = _by_prefix(nvml, handles, entry) if entry.startswith("GPU-") else None
    return None if handle is None else (handle, 1.0)


def _by_prefix(nvml: Any, handles: list[Any], prefix: str) -> Any | None:
    found = [handle for handle in handles if _uuid(nvml, handle).startswith(prefix)]
    return found[0] if len(found) == 1 else None


def _mig(nvml: Any, uuid: str) -> tuple[Any, float] | None:
    try:
        instance = nvml.nvmlDeviceGetHandleByUUID(uuid)
        parent = nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(instance)
        slices = nvml.nvmlDeviceGetAttributes(instance).gpuInstanceSliceCount
    except nvml.NVMLError:
        return None
    return parent, slices / SLICES


def _slices_of_instance(nvml: Any, parent: Any, instance: str) -> float | None:
    wanted = instance.partition("/")[0]
    try:
        for i in range(nvml.nvmlDeviceGetMaxMigDeviceCount(parent)):
            handle = nvml.nvmlDeviceGetMigDeviceHandleByIndex(parent, i)
            if str(nvml.nvmlDeviceGetGpuInstanceId(handle)) == wanted:
                slices: int = nvml.nvmlDeviceGetAttributes(handle).gpuInstanceSliceCount
                return slices / SLICES
    except nvml.NVMLError:
        return None
    return None


def _uuid(nvml: Any, handle: Any) -> str:
    uuid = nvml.nvmlDeviceGetUUID(handle)
    return uuid.decode() if isinstance(uuid, bytes) else str(uuid)


def _channel(nvml: Any, handle: Any, share: float) -> Channel:
    name = nvml.nvmlDeviceGetName(handle)
    uuid = _uuid(nvml, handle)
    kind, unit = _best_meter(nvml, handle)
    return Channel(
        name=f"gpu/{nvml.nvmlDeviceGetIndex(handle)}",
        kind=kind,
        part=Part.GPU,
        unit=unit,
        covers=f"gpu/{uuid}",
        power_max_w=GPU_MAX_W,
        refresh_s=REFRESH_S,
        share=share,
        device=name.decode() if isinstance(name, bytes) else str(name),
        uuid=uuid,
        note=f"a MIG slice: {share:.0%} of the GPU's energy is taken" if share < 1 else "",
    )


def _best_meter(nvml: Any, handle: Any) -> tuple[Kind, str]:
    """Energy, else power, else utilisation; power that is never told where a GPU has none of them."""
    if _has(nvml, nvml.nvmlDeviceGetTotalEnergyConsumption, handle):
        return Kind.COUNTER, "mJ"
    if _has(nvml, nvml.nvmlDeviceGetPowerUsage, handle):
        return Kind.POWER, "mW"
    busy = _has(nvml, nvml.nvmlDeviceGetUtilizationRates, handle)
    return (Kind.GAUGE, "%") if busy else (Kind.POWER, "mW")


def _has(nvml: Any, ask: Callable[[Any], Any], handle: Any) -> bool:
    try:
        ask(handle)
    except nvml.NVMLError_NotSupported:
        return False
    except nvml.NVMLError:
        return True  # lost for now; it has one when it is back
    return True
