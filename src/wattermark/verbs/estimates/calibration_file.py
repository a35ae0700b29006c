"""Read what ``wattermark calibrate --json`` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from wattermark.errors import UsageError
from wattermark.factors.serving import COEFFICIENTS
from wattermark.values.range import Range

FIX = "Make it with: wattermark calibrate --gpu ... --json"
MOST_BYTES = 1_000_000
ERROR = "serving_error"
LEAST_TIMES, MOST_TIMES = 1e-3, 1e3
MOST_J = 1e6
"""No coefficient is near it; 400 digits are not even a number of the machine."""


def read_calibration(path: Path, accelerator_id: str) -> Mapping[str, Range]:
    """Coefficients of an accelerator from a file, and the band of their errors where the file tells it.

    Raises
    ------
    UsageError
        If it cannot be read, is of another accelerator, or holds what cannot be meant.
    """
    data = _bytes(path)
    try:
        told = json.loads(data.decode("utf-8-sig"))["calibration"]
        gpu, after = told["gpu"], {name: told["after"][name] for name in COEFFICIENTS}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UsageError(f"{path} is no calibration", fix=FIX) from error
    if gpu != accelerator_id:
        raise UsageError(f"{path} is a calibration of {_short(gpu)}, not of {accelerator_id}", fix=FIX)
    for name, value in after.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_J:
            raise UsageError(f"{path}: {name} is {_short(value)}", fix=FIX)
    if not any(after.values()):
        raise UsageError(f"{path}: all of its coefficients are 0", fix=FIX)
    found = {name: Range.exact(float(value)) for name, value in after.items()}
    return found if told.get(ERROR) is None else {**found, ERROR: _band(path, told[ERROR])}


def _band(path: Path, told: object) -> Range:
    """What measured over predicted may be: around 1, and not beyond a thousand times."""
    try:
        low, best, high = (float(told[end]) for end in ("low", "best", "high"))  # type: ignore[index]
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{path}: its {ERROR} is no range", fix=FIX) from error
    if not LEAST_TIMES <= low <= best <= high <= MOST_TIMES:
        raise UsageError(f"{path}: its {ERROR} is no range around 1", fix=FIX)
    return Range(low, best, high)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except (OSError, ValueError) as error:  # a name may hold what no file can be called
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} cannot be read: {why}", fix=FIX) from error


def _short(value: object) -> str:
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
