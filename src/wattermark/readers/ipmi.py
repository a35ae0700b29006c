"""What the machine takes, as the controller of its board (BMC) tells the kernel: DCMI, Get Power Reading.

Shown, never added to the parts: it holds them. A controller answers in tens of milliseconds, or hangs: so
it is asked at one look, and its answer is taken at a later one.

References: Data Center Manageability Interface Specification 1.5, Get Power Reading (group DCh, command
02h: watts now, least, most, mean; bit 6 of the last byte: measuring); Linux include/uapi/linux/ipmi.h and
Documentation/driver-api/ipmi.rst (/dev/ipmi0; IPMICTL_RECEIVE_MSG answers EAGAIN where nothing waits).
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Sequence
from contextlib import suppress

from wattermark.errors import ReaderAbsent, ReaderUnavailable
from wattermark.values.kinds import Kind, Node, Part
from wattermark.values.records import Channel

DEVICE = "/dev/ipmi0"
MOST_W = 20_000.0
PERIOD_S = 1.0
PATIENCE_S = 0.5
"""Of the opening, which wants to know whether power is told at all."""
GIVEN_UP_S = 10.0
"""A question that was not answered for so long is asked again."""
FRESH_S = 3.0
REFRESH_S = 1.0

NETFN, COMMAND = 0x2C, 0x02
QUESTION = bytes((0xDC, 0x01, 0x00, 0x00))
"""The group, and the mode: power now."""
DONE, GROUP, MEASURING = 0x00, 0xDC, 0x40
ANSWER_B = 19
"""Completion code, group, four powers of two bytes, time stamp and period of four, state."""
SYSTEM_INTERFACE, BMC_CHANNEL = 0x0C, 0x0F
RESPONSE = 1


class _Address(ctypes.Structure):
    _fields_ = (("type", ctypes.c_int), ("channel", ctypes.c_short), ("lun", ctypes.c_ubyte))


class _Message(ctypes.Structure):
    _fields_ = (
        ("netfn", ctypes.c_ubyte),
        ("command", ctypes.c_ubyte),
        ("length", ctypes.c_ushort),
        ("data", ctypes.c_void_p),
    )


class _Request(ctypes.Structure):
    _fields_ = (
        ("address", ctypes.c_void_p),
        ("address_length", ctypes.c_uint),
        ("number", ctypes.c_long),
        ("message", _Message),
    )


class _Received(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("address", ctypes.c_void_p),
        ("address_length", ctypes.c_uint),
        ("number", ctypes.c_long),
        ("message", _Message),
    )


def _ioctl(direction: int, number: int, size: int) -> int:
    """The kernel's _IOC for the magic letter of IPMI; 1 writes, 2 reads."""
    return direction << 30 | size << 16 | ord("i") << 8 | number


SEND = _ioctl(2, 13, ctypes.sizeof(_Request))
RECEIVE = _ioctl(3, 11, ctypes.sizeof(_Received))
"""The one that cuts what is too long, so that it does not stay in the queue."""


class IpmiReader:
    """One channel: the power of the machine.

    Parameters
    ----------
    device : str, optional
        The kernel's; ``WATTERMARK_IPMI`` names another one.

    Raises
    ------
    ReaderUnavailable
        If there is no controller, it may not be asked, or it tells no power.
    """

    def __init__(self, device: str | None = None) -> None:
        self._device = device or os.environ.get("WATTERMARK_IPMI") or DEVICE
        self._fd: int | None = _opened(self._device)
        self._number = 0
        self._asked_s: float | None = None
        self._told: tuple[float, int] | None = None
        self._refused = False
        self._ask()
        until_s = time.monotonic() + PATIENCE_S
        while self._asked_s is not None and time.monotonic() < until_s:
            time.sleep(0.005)
            self._take()
        if self._refused:
            self.close()
            raise ReaderUnavailable(
                "the board's controller tells no power (DCMI)", fix="Nothing to do; it may tell it by Redfish"
            )
        self.channels: Sequence[Channel] = [
            Channel(
                name="platform/ipmi", kind=Kind.POWER, part=Part.PLATFORM, unit="W", power_max_w=MOST_W,
                refresh_s=REFRESH_S, counted=False, device="BMC (DCMI)", node=Node.INSIDE,
            )
        ]  # fmt: skip

    def period_s(self, interval_s: float) -> float:
        """A second: power has to be sampled, and no controller is asked more often. [s]"""
        return PERIOD_S

    def read(self) -> Sequence[int | None]:
        """Watts, as last told; None where that is too old."""
        self._take()
        now_s = time.monotonic()
        if self._asked_s is None or now_s - self._asked_s > GIVEN_UP_S:
            self._ask()
        fresh = self._told is not None and now_s - self._told[0] <= FRESH_S
        return [self._told[1] if fresh and self._told is not None else None]

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _ask(self) -> None:
        """Hand the question to the kernel, which waits for nobody."""
        import fcntl

        self._number += 1
        address = _Address(SYSTEM_INTERFACE, BMC_CHANNEL, 0)
        data = ctypes.create_string_buffer(QUESTION, len(QUESTION))
        message = _Message(NETFN, COMMAND, len(QUESTION), ctypes.addressof(data))
        request = _Request(ctypes.addressof(address), ctypes.sizeof(address), self._number, message)
        self._asked_s = None
        if self._fd is not None:
            with suppress(OSError):  # the driver may be gone for now
                fcntl.ioctl(self._fd, SEND, request)
                self._asked_s = time.monotonic()

    def _take(self) -> None:
        """Take what the controller answered meanwhile, if anything."""
        while (answer := self._received()) is not None:
            number, data = answer
            if number != self._number:  # of a question that was given up
                continue
            self._asked_s = None
            power_w = power_of(data)
            self._refused = power_w is None
            if power_w is not None:
                self._told = (time.monotonic(), power_w)

    def _received(self) -> tuple[int, bytes] | None:
        import fcntl

        address, data = _Address(), ctypes.create_string_buffer(64)
        message = _Message(0, 0, len(data), ctypes.addressof(data))
        received = _Received(0, ctypes.addressof(address), ctypes.sizeof(address), 0, message)
        if self._fd is None:
            return None
        try:
            fcntl.ioctl(self._fd, RECEIVE, received)
        except OSError:  # nothing waits
            return None
        if received.type != RESPONSE:
            return -1, b""
        return received.number, data.raw[: received.message.length]


def _opened(device: str) -> int:
    try:
        return os.open(device, os.O_RDWR | os.O_CLOEXEC)
    except PermissionError as error:
        raise ReaderUnavailable(
            f"{device} may be asked by root only",
            fix="Run as root, or let Redfish tell it: who may ask there may also switch the machine off",
        ) from error
    except OSError as error:
        raise ReaderAbsent(
            f"no controller of the board under {device}",
            fix="On a server run: sudo modprobe ipmi_si && sudo modprobe ipmi_devintf; others have none",
        ) from error


def power_of(answer: bytes) -> int | None:
    """Watts that an answer tells; None if it was refused, is cut, or nothing is being measured.

    Parameters
    ----------
    answer : bytes
        From the completion code on.
    """
    if len(answer) < ANSWER_B or answer[0] != DONE or answer[1] != GROUP:
        return None
    watts = int.from_bytes(answer[2:4], "little")
    return watts if answer[ANSWER_B - 1] & MEASURING and 0 < watts <= MOST_W else None
