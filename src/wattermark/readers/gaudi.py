"""Intel Gaudi accelerators through HLML, the library of their driver.

The energy counter is read where an accelerator has one, its power elsewhere.

References: Habana Management Library (HLML) C API reference (hlml_device_get_total_energy_consumption: mJ
since the driver was loaded; hlml_device_get_power_usage: mW); ``HABANA_VISIBLE_DEVICES`` of the container
runtime.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from typing import Any

from wattermark.errors import ReaderUnavailable
from wattermark.readers.files import sampling_s
from wattermark.readers.library import load_library
from wattermark.readers.visible import listed
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

LIBRARIES = ("/usr/lib/habanalabs/libhlml.so", "libhlml.so")
MOST_W = 2000.0
REFRESH_S = 0.1
MOST_LETTERS = 64
NOT_SUPPORTED = 3


class GaudiReader:
    """One channel for each accelerator that the program may see.

    Parameters
    ----------
    library : str, optional
        The driver's library; its usual places by default.
    visible : str or None, optional
        As ``HABANA_VISIBLE_DEVICES``: indices, or ``all``. None is all.

    Raises
    ------
    ReaderUnavailable
        If there is no driver, or no accelerator may be seen.
    """

    def __init__(self, library: str | None = None, visible: str | None = None) -> None:
        self._hlml = load_library(
            (library,) if library else LIBRARIES,
            problem="no Gaudi driver library here",
            fix="Install the driver if this machine has such an accelerator",
        )
        visible = os.environ.get("HABANA_VISIBLE_DEVICES") if visible is None else visible
        if self._hlml.hlml_init() != 0:
            raise ReaderUnavailable("HLML does not start", fix="See what 'hl-smi' says")
        found = _handles(self._hlml)
        self._handles = [found[i] for i in _seen(visible, len(found))]
        if not self._handles:
            raise ReaderUnavailable(
                f"no Gaudi accelerator may be seen (HABANA_VISIBLE_DEVICES={visible!r})",
                fix="Set it to the accelerators that the program uses, or unset it",
            )
        self.channels: Sequence[Channel] = [
            _channel(self._hlml, handle, i, len(found) - len(self._handles))
            for i, handle in enumerate(self._handles)
        ]

    def period_s(self, interval_s: float) -> float:
        """The user's interval; a tenth of it where power has to be sampled. [s]"""
        counters = all(channel.kind is Kind.COUNTER for channel in self.channels)
        return interval_s if counters else sampling_s(interval_s)

    def read(self) -> Sequence[int | None]:
        """Millijoules since the driver was loaded, or milliwatts now, an accelerator each."""
        return [
            _energy(self._hlml, handle)[0] if channel.kind is Kind.COUNTER else _power(self._hlml, handle)
            for handle, channel in zip(self._handles, self.channels, strict=True)
        ]

    def close(self) -> None:
        """HLML stays initialised: another reader of this process may use it."""


def _handles(hlml: Any) -> list[ctypes.c_void_p]:
    count = ctypes.c_uint()
    if hlml.hlml_device_get_count(ctypes.byref(count)) != 0:
        return []
    found = []
    for i in range(count.value):
        handle = ctypes.c_void_p()
        if hlml.hlml_device_get_handle_by_index(i, ctypes.byref(handle)) == 0:
            found.append(handle)
    return found


def _seen(visible: str | None, count: int) -> list[int]:
    everything = visible is None or visible.strip().lower() == "all"
    return listed([""] * count, None if everything else visible)


def _energy(hlml: Any, handle: ctypes.c_void_p) -> tuple[int | None, int]:
    """The counter, if it answers, and what the library said. [mJ]"""
    value = ctypes.c_ulonglong()
    code = hlml.hlml_device_get_total_energy_consumption(handle, ctypes.byref(value))
    return (value.value if code == 0 else None), code


def _power(hlml: Any, handle: ctypes.c_void_p) -> int | None:
    value = ctypes.c_uint()
    return value.value if hlml.hlml_device_get_power_usage(handle, ctypes.byref(value)) == 0 else None


def _text(call: Any, handle: ctypes.c_void_p) -> str:
    text = ctypes.create_string_buffer(MOST_LETTERS)
    return text.value.decode(errors="replace") if call(handle, text, MOST_LETTERS) == 0 else ""


def _channel(hlml: Any, handle: ctypes.c_void_p, number: int, hidden: int) -> Channel:
    counter = _energy(hlml, handle)[1] != NOT_SUPPORTED  # one that is lost has a counter when it is back
    uuid = _text(hlml.hlml_device_get_uuid, handle)
    return Channel(
        name=f"hpu/{number}", kind=Kind.COUNTER if counter else Kind.POWER, part=Part.GPU,
        unit="mJ" if counter else "mW", covers=f"hpu/{uuid or number}", power_max_w=MOST_W,
        refresh_s=REFRESH_S, device=f"Gaudi {_text(hlml.hlml_device_get_name, handle)}".strip(), uuid=uuid,
        hidden=hidden,
    )  # fmt: skip
