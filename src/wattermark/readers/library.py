"""A C library that has no binding: loaded where it is installed, and asked for its handles."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

from wattermark.errors import ReaderAbsent, ReaderUnavailable


def load_library(places: Sequence[str], *, problem: str, fix: str, needs: Sequence[str] = ()) -> Any:
    """The first library that can be loaded and has all functions that are needed.

    Parameters
    ----------
    places : sequence of str
        Paths or names, in the order in which they are tried.
    problem, fix : str
        What is wrong and what to do where there is none.
    needs : sequence of str
        Functions that older versions lack.

    Raises
    ------
    ReaderUnavailable
        If there is none, or only one that is too old.
    """
    for place in places:
        try:
            library = ctypes.CDLL(place)
        except OSError:
            continue
        lacks = [name for name in needs if not hasattr(library, name)]
        if lacks:
            raise ReaderUnavailable(f"{place} is too old: it has no {lacks[0]}", fix="Update the driver")
        return library
    raise ReaderAbsent(problem, fix=fix)


def handles(call: Any, *parent: Any) -> list[ctypes.c_void_p]:
    """All that a function lists which is first asked how many there are; none where it fails.

    Parameters
    ----------
    call : function of the library
        Takes the parent, a pointer to the count, and an array or nothing.
    *parent : handles
        Whose they are.
    """
    count = ctypes.c_uint32()
    if call(*parent, ctypes.byref(count), None) != 0 or not count.value:
        return []
    found = (ctypes.c_void_p * count.value)()
    if call(*parent, ctypes.byref(count), found) != 0:
        return []
    return [ctypes.c_void_p(handle) for handle in found[: count.value]]


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
