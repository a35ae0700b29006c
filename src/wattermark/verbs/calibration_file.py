"""Read what ``wattermark calibrate --json`` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path

from wattermark.errors import UsageError
from wattermark.factors.serving import COEFFICIENTS


def read_calibration(path: Path, accelerator_id: str) -> Mapping[str, float]:
    """Coefficients of an accelerator from a file.

    Raises
    ------
    UsageError
        If it cannot be read, is of another accelerator, or holds what cannot be meant.
    """
    fix = "Make it with: wattermark calibrate --gpu ... --json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        told = document["calibration"]
        gpu, after = told["gpu"], {name: told["after"][name] for name in COEFFICIENTS}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", fix=fix) from error
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UsageError(f"{path} is no calibration", fix=fix) from error
    if gpu != accelerator_id:
        raise UsageError(f"{path} is a calibration of {gpu}, not of {accelerator_id}", fix=fix)
    for name, value in after.items():
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not (isfinite(value) and value >= 0)
        ):
            raise UsageError(f"{path}: {name} is {value!r}", fix=fix)
    return after
