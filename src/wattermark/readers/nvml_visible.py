"""Which NVIDIA GPUs a program may see, and how much of each: ``CUDA_VISIBLE_DEVICES`` and MIG.

NVML counts GPUs in PCI order and CUDA, unless ``CUDA_DEVICE_ORDER=PCI_BUS_ID``, fastest first: a bare
index is taken in PCI order, and where GPUs of different kinds make that a guess the channel says so.
``NVIDIA_VISIBLE_DEVICES`` needs no look: it tells the container runtime which devices to let in, and
NVML in there shows no others.

On a GPU that is cut in slices CUDA gives a program that names none the first instance that it finds.

References: CUDA C++ Programming Guide, "CUDA Environment Variables"; NVIDIA MIG User Guide, "CUDA Device
Enumeration" (one compute instance a program; names before and after driver 470) and "Supported MIG
Profiles" (7 slices of an A100 or H100, 4 of an A30); NVML API Reference Guide, "Multi Instance GPU
Management" (nvmlDeviceGetMaxMigDeviceCount, nvmlDeviceGetAttributes).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from wattermark.readers.visible import each_named, share_of

SLICES = 7  # of most GPUs that can be cut; asked of each
PCI_ORDER = "PCI_BUS_ID"
GUESSED = "taken in PCI order; set CUDA_DEVICE_ORDER=PCI_BUS_ID so that CUDA does the same"


class Seen(NamedTuple):
    """A GPU that the program may see; no handle if it does not answer (yet)."""

    number: int
    handle: Any | None
    uuid: str = ""
    share: float = 1.0
    note: str = ""
    slices: Mapping[str, float] = {}


class _Slice(NamedTuple):
    """A MIG device of a GPU: what it is called, and its part of the GPU."""

    uuid: str
    old_name: str
    share: float


def visible_gpus(nvml: Any, visible: str | None) -> list[Seen]:
    """The GPUs that the program may see, each once, with the part of it that is ours.

    Parameters
    ----------
    nvml : module
        The binding, initialised.
    visible : str or None
        As ``CUDA_VISIBLE_DEVICES``; None is all that CUDA would show, and what may come back.

    Raises
    ------
    NVMLError
        If NVML does not even count them.
    """
    every = [_seen(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
    answering = [gpu for gpu in every if gpu.handle is not None]
    slices = {gpu.uuid: list(_slices(nvml, gpu.handle)) for gpu in answering if _is_cut(nvml, gpu.handle)}
    if visible is None:
        return [*_without_a_name(every, slices)]
    found: dict[str, dict[str, Seen]] = {}
    for part, gpu in each_named(visible, lambda entry: _named(answering, slices, entry)):
        found.setdefault(gpu.uuid, {})[part] = gpu
    gpus = [_joined(list(parts.values())) for parts in found.values()]
    guessed = _by_index(visible) and len({_name(nvml, gpu) for gpu in answering}) > 1
    return [gpu._replace(note=GUESSED) if guessed and not gpu.note else gpu for gpu in gpus]


def uuid_of(nvml: Any, handle: Any) -> str:
    """A device's UUID."""
    uuid = nvml.nvmlDeviceGetUUID(handle)
    return uuid.decode() if isinstance(uuid, bytes) else str(uuid)


def _seen(nvml: Any, index: int) -> Seen:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        return Seen(index, handle, uuid_of(nvml, handle))
    except nvml.NVMLError:
        return Seen(index, None)  # lost already: it hides no other, and may come back


def _is_cut(nvml: Any, handle: Any) -> bool:
    try:
        return bool(nvml.nvmlDeviceGetMigMode(handle)[0])
    except nvml.NVMLError:
        return False  # most GPUs cannot be


def _slices(nvml: Any, handle: Any) -> Iterator[_Slice]:
    """The MIG devices of a GPU. One compute instance of several takes its part of their GPU instance."""
    most = _most_slices(nvml, handle)
    for i in range(most):
        try:
            device = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, i)
            held = nvml.nvmlDeviceGetAttributes(device)
            numbers = (nvml.nvmlDeviceGetGpuInstanceId(device), nvml.nvmlDeviceGetComputeInstanceId(device))
            uuid = uuid_of(nvml, device)
        except nvml.NVMLError:
            continue  # no device in this place
        mine = min(held.computeInstanceSliceCount or held.gpuInstanceSliceCount, held.gpuInstanceSliceCount)
        old_name = "MIG-{}/{}/{}".format(uuid_of(nvml, handle), *numbers)
        yield _Slice(uuid, old_name, min(1.0, mine / most))


def _most_slices(nvml: Any, handle: Any) -> int:
    try:
        return int(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)) or SLICES
    except nvml.NVMLError:
        return SLICES


def _without_a_name(every: Sequence[Seen], slices: dict[str, list[_Slice]]) -> Iterator[Seen]:
    """All GPUs that are whole; of those that are cut the first instance, which is what CUDA shows."""
    first = next((gpu for gpu in every if slices.get(gpu.uuid)), None)
    for gpu in every:
        if gpu.handle is None or gpu.uuid not in slices:
            yield gpu
        elif gpu is first:
            yield _first_of(gpu, slices[gpu.uuid])


def _first_of(gpu: Seen, slices: Sequence[_Slice]) -> Seen:
    told = f"the first of {len(slices)} instances, as CUDA_VISIBLE_DEVICES names none; "
    return _sliced(gpu, {slices[0].uuid: slices[0].share}, told if len(slices) > 1 else "")


def _sliced(gpu: Seen, held: Mapping[str, float], told: str = "") -> Seen:
    share = share_of(held)
    note = f"a MIG slice: {told}{share:.0%} of the GPU's energy is taken" if share < 1 else ""
    return gpu._replace(share=share, note=note, slices=held)


def _joined(parts: Sequence[Seen]) -> Seen:
    """Several slices of one GPU, or the GPU itself."""
    if len(parts) == 1:
        return parts[0]
    return _sliced(parts[0], {name: share for part in parts for name, share in part.slices.items()})


def _named(gpus: Sequence[Seen], slices: dict[str, list[_Slice]], entry: str) -> tuple[str, Seen] | None:
    """What an entry names: a part of a GPU (empty: all of it), and the GPU with the share of that part."""
    if entry.startswith("MIG-"):
        return _named_slice(gpus, slices, entry)
    if entry.isascii() and entry.isdecimal():
        gpu = gpus[int(entry)] if int(entry) < len(gpus) else None
    else:
        gpu = _only([one for one in gpus if entry.startswith("GPU-") and one.uuid.startswith(entry)])
    if gpu is None or gpu.uuid not in slices:
        return None if gpu is None else ("", gpu)
    inside = slices[gpu.uuid]
    return (inside[0].uuid, _first_of(gpu, inside)) if inside else None


def _named_slice(
    gpus: Sequence[Seen], slices: dict[str, list[_Slice]], entry: str
) -> tuple[str, Seen] | None:
    found = [
        (one.uuid, _sliced(gpu, {one.uuid: one.share}))
        for gpu in gpus
        for one in slices.get(gpu.uuid, ())
        if one.uuid.startswith(entry) or one.old_name == entry
    ]
    return found[0] if len(found) == 1 else None


def _only(found: Sequence[Seen]) -> Seen | None:
    return found[0] if len(found) == 1 else None


def _by_index(visible: str) -> bool:
    """Whether an index is named, and nobody fixed what it means to CUDA."""
    indices = any(entry.strip().isdecimal() for entry in visible.split(","))
    return indices and os.environ.get("CUDA_DEVICE_ORDER") != PCI_ORDER


def _name(nvml: Any, gpu: Seen) -> Any:
    try:
        return nvml.nvmlDeviceGetName(gpu.handle)
    except nvml.NVMLError:
        return ""
