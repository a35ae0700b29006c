"""What a GPU is asked for: its energy or its power, and on a superchip those of its module.

The energy counter is read where a GPU has one (Volta and later), its power elsewhere, and how busy it is
where it has neither, as some virtual ones: what it draws is then a model's.

On a superchip (GH200, GB200) the same numbers are told for two scopes: the GPU, which is added, and
the module, which holds the Grace CPU too and is only shown. There the GPU is asked by field and scope.
NVML's header calls ``nvmlDeviceGetTotalEnergyConsumption`` and field 83 those "for the GPU" and field
191 the same counter for a scope, so the plain call is the GPU's alone there too.

References: NVML API Reference Guide (nvmlDeviceGetTotalEnergyConsumption: mJ since the driver was
loaded; nvmlDeviceGetPowerUsage: mW, within 5 %, a mean of 1 s on Ampere and later but GA100;
nvmlDeviceGetFieldValues; nvmlDeviceGetUtilizationRates); nvml.h, NVML_FI_DEV_POWER_AVERAGE to
NVML_FI_DEV_ENERGY (``scopeId`` 0 GPU, 1 module, which is the GPU and an NVIDIA CPU).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from wattermark.readers.nvml_visible import Seen
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

GPU_MAX_W, MODULE_MAX_W = 3000.0, 6000.0
REFRESH_S = 0.1
GPU_SCOPE, MODULE_SCOPE = 0, 1

Ask = Callable[[Any, Any], int]
"""From the binding and a handle to a raw number."""


def meters_of(nvml: Any, gpu: Seen) -> Iterator[tuple[Ask, Channel]]:
    """The GPU, and the module around it where there is one.

    Parameters
    ----------
    nvml : module
        The binding, initialised.
    gpu : Seen
        Which; one that does not answer is taken to have a counter.
    """
    module = list(_module_of(nvml, gpu))
    by_field = [_of_scope(nvml, GPU_SCOPE)] if module else []
    energies = [*(energy for energy, _ in by_field), _energy]
    power = by_field[0][1] if by_field else _power
    may = [
        *((ask, Kind.COUNTER, "mJ") for ask in energies),
        (power, Kind.POWER, "mW"),
        (_busy, Kind.GAUGE, "%"),
    ]
    usual = (power, Kind.POWER, "mW")  # of a GPU that tells nothing: a gap
    ask, kind, unit = next((one for one in may if _may_answer(nvml, gpu.handle, one[0])), usual)
    yield ask, _channel(nvml, gpu, kind, unit)
    yield from module


def _energy(nvml: Any, handle: Any) -> int:
    return int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle))


def _power(nvml: Any, handle: Any) -> int:
    return int(nvml.nvmlDeviceGetPowerUsage(handle))


def _busy(nvml: Any, handle: Any) -> int:
    """Percent of the last sample period in which any kernel ran."""
    return int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)


def _field(nvml: Any, handle: Any, *, field: int, scope: int) -> int:
    """One field of one scope; an error as of any other call where it is not told."""
    (told,) = nvml.nvmlDeviceGetFieldValues(handle, [(field, scope)])
    if told.nvmlReturn != nvml.NVML_SUCCESS:
        raise nvml.NVMLError(told.nvmlReturn)
    whole = {nvml.NVML_VALUE_TYPE_UNSIGNED_INT: "uiVal", nvml.NVML_VALUE_TYPE_UNSIGNED_LONG: "ulVal"}
    return int(getattr(told.value, whole.get(told.valueType, "ullVal")))


def _of_scope(nvml: Any, scope: int) -> tuple[Ask, Ask]:
    """Energy and power of a scope."""
    return (
        partial(_field, field=nvml.NVML_FI_DEV_ENERGY, scope=scope),
        partial(_field, field=nvml.NVML_FI_DEV_POWER_INSTANT, scope=scope),
    )


def _module_of(nvml: Any, gpu: Seen) -> Iterator[tuple[Ask, Channel]]:
    if gpu.handle is None or not hasattr(nvml, "NVML_FI_DEV_ENERGY"):
        return  # a binding that is too old for scopes
    energy, power = _of_scope(nvml, MODULE_SCOPE)
    for ask, kind, unit in ((energy, Kind.COUNTER, "mJ"), (power, Kind.POWER, "mW")):
        with suppress(nvml.NVMLError):
            ask(nvml, gpu.handle)
            yield ask, Channel(
                name=f"platform/module-{gpu.number}", kind=kind, part=Part.PLATFORM, unit=unit, counted=False,
                power_max_w=MODULE_MAX_W, refresh_s=REFRESH_S, device=_name(nvml, gpu.handle), uuid=gpu.uuid,
            )  # fmt: skip
            return


def _channel(nvml: Any, gpu: Seen, kind: Kind, unit: str) -> Channel:
    return Channel(
        name=f"gpu/{gpu.number}",
        kind=kind,
        part=Part.GPU,
        unit=unit,
        covers=f"gpu/{gpu.uuid or gpu.number}",
        power_max_w=GPU_MAX_W,
        refresh_s=REFRESH_S,
        share=gpu.share,
        slices=gpu.slices if gpu.share < 1 else {},
        device=_name(nvml, gpu.handle) if gpu.handle is not None else "",
        uuid=gpu.uuid,
        note=gpu.note,
    )


def _name(nvml: Any, handle: Any) -> str:
    with suppress(nvml.NVMLError):
        name = nvml.nvmlDeviceGetName(handle)
        return name.decode() if isinstance(name, bytes) else str(name)
    return ""


def _may_answer(nvml: Any, handle: Any | None, ask: Ask) -> bool:
    """Whether a question is one that this GPU answers; what fails now may be back later."""
    if handle is None:
        return True
    try:
        ask(nvml, handle)
    except nvml.NVMLError_NotSupported:
        return False
    except nvml.NVMLError:
        return True
    return True
