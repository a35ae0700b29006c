"""Requests that were served: ``<ledger>/<run>/requests/<host>-<pid>.jsonl``, a line each.

Lines, told apart by ``kind``:

- ``requests`` (the first): ``schema``, the run, and who writes
- ``request``: one that ended; what equals its default is left out
- ``engine``: what an engine's counters showed at a moment

They lie beside the spool of their run, whose beats tell the energy, and have the same steady clock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from wattermark.ledger.fields import MOST, int64, known_fields
from wattermark.ledger.spool import SpoolFile, line
from wattermark.values.served import EngineLook, Outcome, Route, Served, Usage

SCHEMA = 1
FOLDER = "requests"
MOST_WORD = 256
"""Letters of a name that anybody gave us: a model, a tenant."""


@dataclass(frozen=True, slots=True)
class Requests:
    """All that one file tells; ``bad_lines`` and ``torn_bytes`` could not be read."""

    served: list[Served]
    looks: list[EngineLook]
    bad_lines: int = 0
    torn_bytes: int = 0


def new_request_file(folder: Path, name: str) -> SpoolFile:
    """A file of this process alone, beside the spool of its run.

    Parameters
    ----------
    folder : Path
        Of the run.
    name : str
        Of the spool, without its ending.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    where = folder / FOLDER
    where.mkdir(exist_ok=True)
    file = SpoolFile(where / f"{name}.jsonl")
    file.write(line("requests", schema=SCHEMA, run=folder.name, pid=os.getpid()))
    return file


def request_line(served: Served) -> str:
    """One request."""
    return line("request", **_told(served))


def look_line(look: EngineLook) -> str:
    """What an engine's counters showed."""
    return line("engine", **_told(look))


def request_files(folder: Path) -> tuple[Path, ...]:
    """The files of one run.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    return tuple(sorted((folder / FOLDER).glob("*.jsonl")))


def read_requests(path: Path) -> Requests:
    """One file, whatever happened to it: a line that cannot be read costs no other.

    Raises
    ------
    OSError
        If it cannot be opened.
    """
    found = Requests([], [])
    bad = torn_b = 0
    with path.open("rb") as file:
        for text in file:
            if not text.endswith(b"\n"):
                torn_b = len(text)
                break
            try:
                _take(json.loads(text), found)
            except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
                bad += 1
    return Requests(found.served, found.looks, bad, torn_b)


def _take(given: Mapping[str, Any], found: Requests) -> None:
    kind = given["kind"]
    if kind == "request":
        found.served.append(_served(given))
    elif kind == "engine":
        found.looks.append(_look(given))
    elif kind == "requests" and given["schema"] > SCHEMA:
        raise ValueError("written by a newer wattermark")


def _told(record: Served | EngineLook | Usage) -> dict[str, Any]:
    """What differs from its default."""
    told = {}
    for name, default in _USUAL[type(record)].items():
        value = getattr(record, name)
        if value != default or default is _NEEDED:
            told[name] = _told(value) if isinstance(value, Usage) else value
    return told


def _usual(made: Served | EngineLook | Usage, *needed: str) -> Mapping[str, Any]:
    return {f.name: _NEEDED if f.name in needed else getattr(made, f.name) for f in fields(made)}


_NEEDED = object()
_USUAL: Mapping[type, Mapping[str, Any]] = {
    Usage: _usual(Usage()),
    Served: _usual(Served(begin_ns=0, end_ns=0), "begin_ns", "end_ns"),
    EngineLook: _usual(EngineLook(mono_ns=0, engine=""), "mono_ns", "engine"),
}


def _served(given: Mapping[str, Any]) -> Served:
    known = known_fields(Served, given)
    first = known.get("first_ns")
    served = Served(
        **{
            **known,
            "begin_ns": int64(known["begin_ns"]),
            "end_ns": int64(known["end_ns"]),
            "first_ns": None if first is None else int64(first),
            "usage": Usage(
                **{name: _count(one) for name, one in known_fields(Usage, known.get("usage", {})).items()}
            ),
            "route": Route(known.get("route", Route.OTHER)),
            "outcome": Outcome(known.get("outcome", Outcome.OK)),
            "many": _many(known.get("many", 1)),
            "unknown": tuple(map(_word, known.get("unknown", ()))),
            **{
                name: _word(known.get(name, ""))
                for name in ("model", "tenant", "provider", "upstream", "request")
            },
        }
    )
    if not served.begin_ns <= (served.first_ns or served.begin_ns) <= max(served.end_ns, served.begin_ns):
        raise ValueError("a request that ends before it begins")
    return served


def _look(given: Mapping[str, Any]) -> EngineLook:
    known = known_fields(EngineLook, given)
    words: dict[str, Any] = {name: _word(known.get(name, "")) for name in ("engine", "upstream", "model")}
    numbers: dict[str, Any] = {
        name: None if value is None else _amount(value)
        for name, value in known.items()
        if name not in words and name != "mono_ns"
    }
    return EngineLook(mono_ns=int64(known["mono_ns"]), **words, **numbers)


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a name is expected")
    return value[:MOST_WORD]


def _count(value: Any) -> int | None:
    number = None if value is None else int64(value)
    if number is not None and number < 0:
        raise ValueError("fewer than no tokens")
    return number


def _many(value: Any) -> int:
    number = int64(value)
    if number < 1:
        raise ValueError("a row stands for one request at least")
    return number


def _amount(value: Any) -> float:
    number = float(value)
    if not 0 <= number <= MOST:
        raise ValueError("no counter shows that")
    return number
