"""The few calls of Windows that find devices of a kind and ask them; nothing is decided here.

Texts are made and read as bytes of UTF-16, not as the C library's wide characters, so that the same lines
run against a library on another system, which is how they are tested.

References: Microsoft Learn, CM_Get_Device_Interface_ListW (cfgmgr32.h), CreateFileW, DeviceIoControl.
"""

from __future__ import annotations

import ctypes
import uuid
from collections.abc import Mapping
from typing import Any

from wattermark.readers.library import loaded

LIBRARIES = ("cfgmgr32", "kernel32")
FIX = "Report it: a Windows without it is not known to us"
READ, SHARED, EXISTING, NORMAL, PRESENT = 0x80000000, 3, 3, 0x80, 0
NO_HANDLE = ctypes.c_void_p(-1).value
_P, _U32 = ctypes.c_void_p, ctypes.c_uint32
_MANAGER: Mapping[str, tuple[Any, ...]] = {
    "CM_Get_Device_Interface_List_SizeW": (_U32, _P, ctypes.c_char_p, _P, _U32),
    "CM_Get_Device_Interface_ListW": (_U32, ctypes.c_char_p, _P, _P, _U32, _U32),
}
_KERNEL: Mapping[str, tuple[Any, ...]] = {
    "CreateFileW": (_P, ctypes.c_char_p, _U32, _U32, _P, _U32, _U32, _P),
    "DeviceIoControl": (ctypes.c_int, _P, _U32, _P, _U32, _P, _U32, _P, _P),
    "CloseHandle": (ctypes.c_int, _P),
}
"""What each call gives, and what it takes."""


class Device:
    """A device that is open for reading.

    Parameters
    ----------
    kernel : object
        The library that was loaded.
    handle : int
        Of the device.
    """

    def __init__(self, kernel: Any, handle: int) -> None:
        self._kernel, self._handle = kernel, handle

    def ask(self, code: int, size_b: int) -> bytes:
        """What it answers to a control code, at most so many bytes.

        Raises
        ------
        OSError
            If it does not answer.
        """
        out, told_b = ctypes.create_string_buffer(size_b), _U32()
        if not self._handle or not self._kernel.DeviceIoControl(
            self._handle, code, None, 0, out, size_b, ctypes.byref(told_b), None
        ):
            raise OSError(f"the device does not answer to {code:#x}")
        return out.raw[: told_b.value]

    def close(self) -> None:
        """Give it back; twice is no harm."""
        if self._handle:
            self._kernel.CloseHandle(self._handle)
            self._handle = 0


def devices_of(interface: str, libraries: tuple[str, str] | None = None) -> list[Device]:
    """Every device of a kind that may be opened for reading.

    Parameters
    ----------
    interface : str
        The GUID of the kind.
    libraries : tuple of str, optional
        ``cfgmgr32`` and ``kernel32``; those of Windows by default.

    Raises
    ------
    ReaderUnavailable
        If one of them cannot be loaded, or lacks a call.
    """
    manager_name, kernel_name = libraries or LIBRARIES
    manager, kernel = loaded(manager_name, _MANAGER, fix=FIX), loaded(kernel_name, _KERNEL, fix=FIX)
    opened = (_opened(kernel, path) for path in _paths(manager, uuid.UUID(interface).bytes_le))
    return [Device(kernel, handle) for handle in opened if handle not in (None, NO_HANDLE)]


def _paths(manager: Any, guid: bytes) -> list[str]:
    letters = _U32()
    if manager.CM_Get_Device_Interface_List_SizeW(ctypes.byref(letters), guid, None, PRESENT) != 0:
        return []
    found = ctypes.create_string_buffer(2 * letters.value)
    if manager.CM_Get_Device_Interface_ListW(guid, None, found, letters, PRESENT) != 0:
        return []
    return [path for path in found.raw.decode("utf-16-le", "replace").split("\0") if path]


def _opened(kernel: Any, path: str) -> Any:
    return kernel.CreateFileW((path + "\0").encode("utf-16-le"), READ, SHARED, None, EXISTING, NORMAL, None)
