"""What machine this is: its processors, and its memory."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache

CPUINFO = "/proc/cpuinfo"


@dataclass(frozen=True, slots=True)
class Processors:
    """A processor's name, how many sockets hold one (0: not known), and whether the machine is virtual."""

    model: str
    sockets: int = 0
    virtual: bool = False


@cache
def processors() -> Processors:
    """Those of this machine, as the system tells them."""
    return processors_in(CPUINFO)


def processors_in(cpuinfo: str) -> Processors:
    """What a ``/proc/cpuinfo`` says; the name alone where there is none.

    The sockets of a virtual machine are what its makers chose, so that they are told beside
    ``virtual`` (the flag ``hypervisor``) and count only where that is False.

    References
    ----------
    .. [1] Linux, arch/x86/kernel/cpu/proc.c: ``physical id`` of each logical CPU, ``flags``.
    """
    try:
        with open(cpuinfo, "rb") as file:
            text = file.read()
    except OSError:
        return Processors(os.environ.get("PROCESSOR_IDENTIFIER") or _brand())  # Windows, else macOS
    sockets = set(re.findall(rb"^physical id\s*:\s*(\d+)", text, re.MULTILINE))
    first, _, _ = text.partition(b"\n\n")
    facts = dict(line.partition(":")[::2] for line in first.decode(errors="replace").splitlines())
    plain = {key.strip(): value.strip() for key, value in facts.items()}
    return Processors(
        plain.get("model name", ""), len(sockets), "hypervisor" in plain.get("flags", "").split()
    )


def _brand() -> str:
    """As sysctl(3) tells it; asking ``platform`` would start a process."""
    import ctypes

    text, size_b = ctypes.create_string_buffer(256), ctypes.c_size_t(256)
    try:
        ask = ctypes.CDLL(None).sysctlbyname
    except (OSError, AttributeError, TypeError):  # TypeError: Windows has no library of the program itself
        return ""
    told = ask(b"machdep.cpu.brand_string", text, ctypes.byref(size_b), None, ctypes.c_size_t(0)) == 0
    return text.value.decode(errors="replace") if told else ""


@cache
def machine() -> str:
    """One word for all processes of this machine, in containers as well, until it starts again."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            return file.read(64).decode(errors="replace").strip()
    except OSError:
        return ""


@cache
def memory_b() -> int:
    """Installed memory. [B]"""
    try:
        return int(os.sysconf("SC_PHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return _memory_without_sysconf()


def _memory_without_sysconf() -> int:
    try:
        import psutil  # Windows
    except ImportError:
        return 0
    return int(psutil.virtual_memory().total)
