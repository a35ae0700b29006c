"""Claims in JSON: one object, a list of them, or a list under ``claims``."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from wattermark.errors import UsageError
from wattermark.science.lint.printed import Unit, make_claim, read_number, read_unit
from wattermark.values.claims import Claim, Group, Page, Total
from wattermark.verbs.lint.cells import read_value
from wattermark.verbs.lint.claims_own import own_documents, read_own
from wattermark.verbs.lint.devices import named_device
from wattermark.verbs.lint.grouping import ADDITIVE, Devices, explicit, inherited, of_all, totals_of
from wattermark.verbs.lint.keys import DEVICE_KEYS, split_key, with_unit
from wattermark.verbs.lint.quantities import words_of
from wattermark.verbs.lint.sections import TRAININGS, phase_of

NAME_KEYS = ("name", "case_id", "model", "model_id", "id", "row")
PLAIN_KEYS = (*NAME_KEYS, "source", "citation", "notes", "note", "comment", "url", "region")
_SUMMED = {"g": "carbon_g", "J": "energy_j", "L": "water_l"}
"""What parts of a dimension add up to."""
Located = Mapping[str, tuple[int, Any]]
"""An object: the line and the value of each key."""


class Digits(str):
    """A number as it stands in the file: 6.0 is not 6."""

    __slots__ = ()


def read_json(text: str, name: str, devices: Devices) -> Page:
    """The claims of a JSON text. ``devices`` knows what a name stands for."""
    try:
        return _read(text, name, devices)
    except RecursionError as error:
        raise UsageError(f"{name} is nested too deeply", fix="Give a list of flat objects") from error


def _read(text: str, name: str, devices: Devices) -> Page:
    document = _parsed(text, name)
    if ours := own_documents(document):
        return read_own(ours, name)
    lines = _key_lines(text)
    root = _located(document, lines)
    shared: list[Claim] = []
    reader = _Reader(devices)
    rows = root if isinstance(root, list) else [root]
    if isinstance(root, dict) and isinstance(root.get("claims", (0, None))[1], list):
        rest = {key: entry for key, entry in root.items() if key != "claims"}
        shared = reader.claims(rest, "")
        rows = root["claims"][1]
    objects = [(i, one) for i, row in enumerate(rows) if isinstance(row, dict) for one in _works(row)]
    if not objects:
        raise UsageError(f"{name} holds no object with claims", fix='Write one: {"gpu_hours": 1000, ...}')
    table = [(_name(row, i), reader.claims(row, f"[{i}]." if len(rows) > 1 else "")) for i, row in objects]
    groups = [Group(label, inherited(claims, shared)) for label, claims in table]
    totals = [total for _, row in objects for total in reader.totals(row)]
    summed = {part.where for total in totals for part in total.parts}
    unknown = [
        where
        for where in dict.fromkeys(reader.unknown)
        if where not in summed and where.partition("].")[2] not in summed
    ]
    return Page(tuple(groups), (*totals, *totals_of(table)), tuple(unknown))


def _parsed(text: str, name: str) -> Any:
    def no_constant(word: str) -> NoReturn:
        raise UsageError(f"{name} holds {word}, which is not JSON", fix="Write null for what is unknown")

    def no_double(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        doubled = [key for key, count in counts.items() if count > 1]
        if doubled:
            raise UsageError(
                f"{name} has the key {doubled[0]!r} twice in one object", fix="Leave one of them"
            )
        return dict(pairs)

    try:
        return json.loads(
            text, parse_float=Digits, parse_int=Digits, parse_constant=no_constant,
            object_pairs_hook=no_double,
        )  # fmt: skip
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{name} is not JSON: line {error.lineno}: {error.msg}",
            fix="Mend that line; a model card ends in .md",
        ) from error


def _key_lines(text: str) -> Iterator[int]:
    """The line of every key, in the order of the text."""
    line, at = 1, 0
    for hit in re.finditer(r'"(?:[^"\\]|\\.)*"(\s*:)?', text):
        line += text.count("\n", at, hit.start())
        at = hit.start()
        if hit[1]:
            yield line


def _works(row: Located) -> Iterator[Located]:
    """An object, and those in it that are about the use of a model and not about its training."""
    apart = {key: entry for key, entry in row.items() if isinstance(entry[1], dict) and _is_use(key)}
    yield {key: entry for key, entry in row.items() if key not in apart}
    for key, entry in apart.items():
        yield {key: entry}


def _is_use(key: str) -> bool:
    return phase_of(key.replace("_", " ")) not in ("", *TRAININGS)


def _located(value: Any, lines: Iterator[int]) -> Any:
    if isinstance(value, dict):
        return {key: (next(lines), _located(inner, lines)) for key, inner in value.items()}
    return [_located(inner, lines) for inner in value] if isinstance(value, list) else value


def _name(row: Located, i: int) -> str:
    return next((str(row[key][1]) for key in NAME_KEYS if key in row), f"claims {i + 1}")


class _Reader:
    """Reads objects, and keeps the keys that it did not understand."""

    def __init__(self, devices: Devices) -> None:
        self.devices = devices
        self.unknown: list[str] = []

    def claims(self, row: Located, where: str) -> list[Claim]:
        found: list[Claim] = []
        triple = {"unit", "value"} <= row.keys() and ("quantity" in row or "published_quantity" in row)
        for key, (line, value) in row.items():
            if triple and key in ("unit", "value", "quantity", "published_quantity"):
                continue
            if isinstance(value, dict):
                found += self.claims(value, f"{where}{key}.")
            else:
                found += self._claim(key, value, f"{where}{key}", line)
        if triple:
            found += self._triple(row, where)
        return of_all(explicit(found), [(key, str(value)) for key, (_, value) in row.items()])

    def _claim(self, key: str, value: Any, where: str, line: int) -> Iterator[Claim]:
        if isinstance(value, str) and not isinstance(value, Digits) and key.lower() in DEVICE_KEYS:
            yield from named_device(value, where, line, self.devices)
            return
        if value is None or key.lower() in PLAIN_KEYS:
            return
        meant = split_key(key)
        claim = None
        if isinstance(value, Digits):
            number = read_number(value)
            claim = make_claim(*_ordered(meant, number), where, line) if meant and number else None
        elif isinstance(value, str):
            claim = read_value(meant, key.replace("_", " "), value, where, line)
        if claim is not None:
            yield claim
        else:
            self.unknown.append(where)

    def _triple(self, row: Located, where: str) -> Iterator[Claim]:
        key = "quantity" if "quantity" in row else "published_quantity"
        (line, value), words, unit = row["value"], str(row[key][1]), read_unit(str(row["unit"][1]))
        meant = with_unit(words, unit) or (split_key(words) if str(row["unit"][1]) in ("1", "") else None)
        number = read_number(value) if isinstance(value, str) else None
        if meant is None or number is None:
            self.unknown.append(f"{where}{words}")
        else:
            yield make_claim(meant[0], number, meant[1], f"{where}{words}", line)

    def totals(self, row: Located) -> Iterator[Total]:
        """A total whose inputs are nothing but parts of it, each under a name of its own or in a list."""
        if not {"inputs", "value", "unit", "published_quantity"} <= row.keys():
            return
        inputs, unit = row["inputs"][1], read_unit(str(row["unit"][1]))
        words, number = words_of(str(row["published_quantity"][1])), read_number(str(row["value"][1]))
        if not isinstance(inputs, dict) or unit is None or number is None:
            return
        parts = [part for key, entry in inputs.items() for part in _parts(key, entry, unit)]
        quantity = _SUMMED.get(unit.dimension)
        listed = any(isinstance(value, list) for _, value in inputs.values())
        complete = len(parts) >= max(2, len(inputs)) and all(parts)
        if quantity in ADDITIVE and complete and (listed or "total" in words):
            total = make_claim(quantity, number, unit, str(row["published_quantity"][1]), row["value"][0])
            yield Total(total, tuple(part for part in parts if part), listed=True)


def _ordered(meant: tuple[str, Unit], number: Any) -> tuple[str, Any, Unit]:
    return meant[0], number, meant[1]


def _parts(key: str, entry: tuple[int, Any], unit: Unit) -> Iterator[Claim | None]:
    """The parts under a key; a None for what is none."""
    line, value = entry
    quantity = _SUMMED.get(unit.dimension)
    own = read_unit(key.rpartition("_")[2])
    for one in value if isinstance(value, list) else [value]:
        number = read_number(one) if isinstance(one, Digits) else None
        fits = own is not None and own.dimension == unit.dimension and number is not None and quantity
        yield (
            make_claim(quantity, number, own, f"inputs.{key}", line)
            if fits and quantity and number and own
            else None
        )
