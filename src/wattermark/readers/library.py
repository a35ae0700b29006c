"""Load a library of the system whose calls have no binding."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

from wattermark.errors import ReaderUnavailable


def loaded(place: str, calls: Mapping[str, tuple[Any, ...]], *, fix: str) -> Any:
    """A library whose calls know what they give and take.

    Parameters
    ----------
    place : str
        Its path, or its name where the system looks for it.
    calls : mapping of str to tuple
        For each call the type of what it gives, then the types of what it takes.
    fix : str
        What to do where it is not there.

    Raises
    ------
    ReaderUnavailable
        If it cannot be loaded, or lacks a call.
    """
    load = getattr(ctypes, "WinDLL", ctypes.CDLL)  # Windows of 32 bits has a calling convention of its own
    try:
        library = load(place)
        for name, (gives, *takes) in calls.items():
            call = getattr(library, name)
            call.restype, call.argtypes = gives, takes
    except (OSError, AttributeError) as error:
        raise ReaderUnavailable(f"{place} cannot be used: {error}", fix=fix) from error
    return library
