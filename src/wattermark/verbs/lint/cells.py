"""Values as people write them: a number, perhaps a scale, perhaps a unit, perhaps a name."""

from __future__ import annotations

import re

from wattermark.science.lint.printed import Number, Unit, make_claim, read_number, read_unit, scaled
from wattermark.values.claims import NAMES, Claim
from wattermark.verbs.lint.keys import PLAIN, split_heading, with_unit

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
    """The number that a text begins with, and what follows. A range or a bound is no number."""
    plain = re.sub(r"[*`]|^[~≈\s]+|^(about|around|approximately|approx\.)\s+", "", text.strip())
    number = read_number(plain)
    if number is None or not plain.startswith(number.text):
        return None
    rest = plain[number.end :]
    return None if re.match(r"\s*([-\u2013]|to\s)\s*\d", rest) else (number, rest)


def read_value(meant: Meant, label: str, text: str, where: str, line: int) -> Claim | None:
    """A claim from a label and the text beside it: the text's own unit counts before the label's."""
    found = first_number(text)
    if found is None:
        return None
    amount = _amount(*found, meant, label)
    if amount is None:
        return None
    number, own = amount
    meant = meant if own is None else _in_unit(meant, label, own)
    if meant is None or meant[0].partition("/")[0] not in NAMES:
        return None
    return make_claim(meant[0], number, meant[1], where, line)


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


def count_and_name(text: str) -> tuple[Number | None, str]:
    """``8 x A100`` is eight of a name."""
    hit = re.match(r"\s*(\d[\d,]*)\s*[x\u00d7*]?\s*(?=[A-Za-z])", text)
    if hit is None:
        return None, text
    return read_number(hit[1]), text[hit.end() :]


def device_count(number: Number, where: str, line: int) -> Claim:
    """So many devices."""
    return make_claim("devices", number, PLAIN, where, line)
