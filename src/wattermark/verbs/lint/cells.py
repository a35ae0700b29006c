"""Values as people write them: a number, perhaps a scale, perhaps a unit, perhaps a name."""

from __future__ import annotations

import re

from wattermark.science.lint.printed import (
    Number,
    Unit,
    make_claim,
    read_number,
    read_unit,
    same_amount,
    scaled,
)
from wattermark.values.claims import NAMES, Claim
from wattermark.verbs.lint.keys import PLAIN, split_heading, with_unit

_GOES_ON = re.compile(
    r"\s\d|\+|(?:\s*\([^)\d]*\))?\s*(?:[-\u2013\u00b1+/]|\+/?-|to\s|and\s|or\s|[x\u00d7*](?=\d))\s*\d"
    r"|\s*(?:h|hrs?|hours?|d|days?)[\s,]*(?:and\s+)?\d+\s*(?:h|hrs?|hours?|m|mins?|minutes?)\b",
    re.IGNORECASE,
)
"""``1 234`` may be one number or two; ``10-20``, ``8x7B``, ``10,000+``, ``2 h 45 min`` are not read."""
_OTHERS = re.compile(r"\bper (?:run|seed|node|server|machine|trial|model)\b|\bactiv", re.IGNORECASE)
"""Of a value that is one of several, or holds another."""
_LONGEST = 200
"""How far behind a value another one is looked for. [characters]"""
Meant = tuple[str, Unit] | None
"""A quantity, and the unit that a label says."""


def unit_after(text: str) -> Unit | None:
    """The longest unit that a text begins with."""
    words = re.split(r"[(),;]", text.strip(), maxsplit=1)[0].split()
    for count in range(min(len(words), 6), 0, -1):
        unit = read_unit(" ".join(words[:count]))
        if unit is not None:
            return unit
    return None


def first_number(text: str) -> tuple[Number, str] | None:
    """The number that a text begins with, and what follows. A range, a bound or a sum is no number."""
    plain = re.sub(r"[*`]|^[~≈\s]+|^(about|around|approximately|approx\.)\s+", "", text.strip())
    number = read_number(plain)
    if number is None or not plain.startswith(number.text):
        return None
    rest = plain[number.end :]
    return None if _GOES_ON.match(rest) else (number, rest)


def more_than_one(text: str) -> bool:
    """Whether a text begins with a number above one."""
    found = first_number(text)
    return found is not None and found[0].value > 1


def read_value(meant: Meant, label: str, text: str, where: str, line: int) -> Claim | None:
    """A claim from a label and the text beside it: the text's own unit counts before the label's."""
    found = first_number(text)
    if found is None:
        return None
    amount = _amount(*found, meant, label)
    if amount is None:
        return None
    number, own = amount
    if _OTHERS.search(found[1][:_LONGEST]):
        return None
    meant = meant if own is None else _in_unit(meant, label, own)
    if own is not None and _says_another(number, own, found[1]):
        return None
    if meant is None or meant[0].partition("/")[0] not in NAMES:
        return None
    return make_claim(meant[0], number, meant[1], where, line)


def _says_another(number: Number, own: Unit, rest: str) -> bool:
    """Whether another value of the kind follows: ``250 g/kWh (mean), 600 g/kWh (marginal)``."""
    rest = rest[:_LONGEST]
    for hit in re.finditer(r"(?<![\w.,-])\d", rest):
        found = first_number(rest[hit.start() :])
        unit = unit_after(found[1]) if found else None
        if found and unit and unit.dimension == own.dimension:
            return not same_amount((number, own), (found[0], unit))
    return False


def _amount(number: Number, rest: str, meant: Meant, label: str) -> tuple[Number, Unit | None] | None:
    """A number and its own unit. A letter behind a space may be a scale (12 K) or a unit (5 T of carbon)."""
    own, larger = unit_after(rest), scaled(number, rest)
    if larger is None:
        return number, own
    if own is not None and (" " in own.text or _in_unit(meant, label, own)):
        return number, own
    after = larger[1].strip()
    return (larger[0], None) if not after or after[0] in "(),;" else None


def _in_unit(meant: Meant, label: str, own: Unit) -> Meant:
    """What a label means with a value that has a unit of its own."""
    bare = re.sub(r"[(\[][^)\]]*[)\]]", "", label)
    known = split_heading(label)
    return (
        with_unit(bare, own)
        or (known and with_unit(meant[0] if meant else "", own))
        or _same_dimension(known, own)
    )


def _same_dimension(meant: Meant, own: Unit) -> Meant:
    return (meant[0], own) if meant and meant[1].dimension == own.dimension else None


def device_count(number: Number, where: str, line: int) -> Claim:
    """So many devices."""
    return make_claim("devices", number, PLAIN, where, line)
