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
        import platform

        return platform.processor()
    lines = (text.partition(":")[2].strip() for text in head.splitlines() if text.startswith("model name"))
    return next(lines, "")


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
        return 0
