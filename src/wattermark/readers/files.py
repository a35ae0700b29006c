"""Files of the kernel's that hold one number, and how often a number that is only a moment is read."""

from __future__ import annotations

import os
import re
from pathlib import Path

AMD = r"cpu:type:x86,ven(0002|0009)fam"
SAMPLES_PER_INTERVAL = 10  # power is only a moment: look more often than at a counter
SLOWEST_SAMPLE_S = 1.0
MOST_DIGITS = 18  # what 64 bits hold for sure


def sampling_s(interval_s: float) -> float:
    """How often power is looked at, when the user asked for an interval. [s]

    Parameters
    ----------
    interval_s : float
        [s]
    """
    return min(interval_s / SAMPLES_PER_INTERVAL, SLOWEST_SAMPLE_S)


class NumberFile:
    """One number, kept open; a file that was denied or lost is opened again at the next look.

    Parameters
    ----------
    path : Path
        Of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = _open(path)

    @property
    def denied(self) -> bool:
        """Whether it may not be read at all; a device that sleeps gives no answer, and may wake up."""
        return self._fd is None and not (self.path.is_file() and os.access(self.path, os.R_OK))

    @property
    def opened(self) -> bool:
        """Whether it could be read at the last look."""
        return self._fd is not None

    def read(self) -> int | None:
        """Its number now; None where it cannot be read."""
        if self._fd is None:
            self._fd = _open(self.path)
        if self._fd is None:
            return None
        try:
            return _number(self._fd)
        except (OSError, ValueError):
            self.close()
            return None

    def close(self) -> None:
        """Give the file back; twice is no harm."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class ProductFile:
    """The product of two numbers, as of current and voltage; None where one of them cannot be read.

    Parameters
    ----------
    first, second : Path
        Of the files.
    divisor : int
        What the product is divided by, to come to the unit that is wanted. [1]
    """

    def __init__(self, first: Path, second: Path, divisor: int = 1) -> None:
        self._files = (NumberFile(first), NumberFile(second))
        self._divisor = divisor
        self.path = first

    @property
    def denied(self) -> bool:
        """Whether one of them may not be read at all."""
        return any(file.denied for file in self._files)

    def read(self) -> int | None:
        """Their product now, without a sign: drivers do not agree on which way a current flows."""
        first, second = (file.read() for file in self._files)
        return None if first is None or second is None else abs(first * second) // self._divisor

    def close(self) -> None:
        """Give the files back; twice is no harm."""
        for file in self._files:
            file.close()


def text_of(path: Path) -> str:
    """What a small file says, without its line end; nothing where it cannot be read.

    Parameters
    ----------
    path : Path
        Of the file.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def number_of(path: Path) -> int | None:
    """The whole number in a small file; None where there is none, or one that no device would mean.

    Parameters
    ----------
    path : Path
        Of the file.
    """
    text = text_of(path)
    if not (text.isascii() and text.isdecimal()) or len(text) > MOST_DIGITS:
        return None
    return int(text)


def folders_in(root: Path) -> list[Path]:
    """What a folder holds; nothing where there is none.

    Parameters
    ----------
    root : Path
        The folder.
    """
    try:
        return [root / name for name in os.listdir(root)]
    except OSError:
        return []


def made_by_amd(root: Path) -> bool:
    """Whether the processor is of AMD's make, or Hygon's, by the name that the kernel loads drivers by.

    Parameters
    ----------
    root : Path
        Where ``/sys`` is.
    """
    return re.match(AMD, text_of(root / "devices/system/cpu/modalias")) is not None


def _open(path: Path) -> int | None:
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        _number(fd)
    except (OSError, ValueError):
        os.close(fd)
        return None
    return fd


def _number(fd: int) -> int:
    if hasattr(os, "pread"):
        return int(os.pread(fd, 32, 0))
    os.lseek(fd, 0, os.SEEK_SET)  # Windows
    return int(os.read(fd, 32))
