"""What machine this is: its processor's name, and its memory."""

from __future__ import annotations

import os
from functools import cache


@cache
def cpu_model() -> str:
    """The processor's name, as the system tells it."""
    try:
        with open("/proc/cpuinfo", "rb") as file:
            head = file.read(4096).decode(errors="replace")
    except OSError:
        return os.environ.get("PROCESSOR_IDENTIFIER") or _brand()  # Windows, else macOS
    lines = (text.partition(":")[2].strip() for text in head.splitlines() if text.startswith("model name"))
    return next(lines, "")


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
