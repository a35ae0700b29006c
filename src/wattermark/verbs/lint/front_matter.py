"""The front matter of a card: ``co2_eq_emissions`` as Hugging Face wants it, in grams."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wattermark.errors import UsageError
from wattermark.science.lint.printed import read_number
from wattermark.values.claims import Claim
from wattermark.verbs.lint.cells import read_value
from wattermark.verbs.lint.devices import named_device
from wattermark.verbs.lint.grouping import Devices, grams_field
from wattermark.verbs.lint.keys import split_heading

FIELD = "co2_eq_emissions"
MOST_CHARACTERS = 400_000
"""Cards that list every benchmark have a few hundred thousand."""
_DEEPEST = 40
_OTHER_UNIT = re.compile(r"\b(?:kg|kilograms?|t|tons?|tonnes?)(?=co[2₂]|\b)", re.IGNORECASE)
_HEADINGS = {"energy_consumed": "energy (kWh)", "hours_used": "hours used (h)", "pue": "PUE"}


def front_claims(front: str, name: str, devices: Devices) -> list[Claim]:
    """The claims of the field. Only scalars are values, and an alias is refused before it is followed."""
    if FIELD not in front:
        return []
    if len(front) > MOST_CHARACTERS:
        raise UsageError(
            f"the front matter of {name} is longer than {MOST_CHARACTERS:,} characters", fix="Shorten it"
        )
    field = _member(_parsed(front, name), FIELD)
    if field is None:
        return []
    if isinstance(field.value, str):
        return list(_entry(front, FIELD, field, devices))
    pairs = [pair for pair in field.value if isinstance(pair, tuple)]
    plain = [(key.value, value) for key, value in pairs if isinstance(value.value, str)]
    return [claim for key, value in plain for claim in _entry(front, str(key), value, devices)]


def _parsed(front: str, name: str) -> Any:
    """The node of the front matter: every scalar as the text that stands there, with its place."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        _refuse(yaml.parse(front, Loader=loader), name, yaml)
        return yaml.compose(front, Loader=loader)
    except UsageError:
        raise
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problem = getattr(error, "problem", None) or (str(error) or "it is nested too deeply").splitlines()[0]
        raise UsageError(f"the front matter of {name} is not YAML: {problem}", fix="Mend it") from error


def _refuse(events: Any, name: str, yaml: Any) -> None:
    """Aliases let a page of text stand for more values than there is memory; and nobody nests so deeply."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 2
            raise UsageError(
                f"the front matter of {name} refers to itself (*{event.anchor} on line {line})",
                fix="Write out what it stands for",
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise UsageError(f"the front matter of {name} is nested too deeply", fix="Write it flat")


def _member(node: Any, key: str) -> Any:
    """What stands under a key of a mapping."""
    pairs = node.value if node is not None and isinstance(node.value, list) else []
    found = [pair[1] for pair in pairs if isinstance(pair, tuple) and pair[0].value == key]
    return found[-1] if found else None


def _entry(front: str, key: str, node: Any, devices: Devices) -> Iterator[Claim]:
    """One entry of the field, with its number as it is printed."""
    line, value = node.start_mark.line + 2, node.value
    where = FIELD if key == FIELD else f"{FIELD}.{key}"
    if key in ("emissions", FIELD):
        remark = front[node.end_mark.index :].partition("\n")[0].partition("#")[2]
        claim = _emissions(value, remark, where, line)
        yield from [] if claim is None else [claim]
    elif key == "hardware_used":
        yield from named_device(value, where, line, devices)
    elif key in _HEADINGS:
        claim = read_value(split_heading(_HEADINGS[key]), _HEADINGS[key], value, where, line)
        yield from [] if claim is None else [claim]


def _emissions(text: str, remark: str, where: str, line: int) -> Claim | None:
    """Grams, by the schema. Where the line says another unit, it is that, and still stands in the field."""
    number = read_number(text)
    if number is None:
        return None
    said = _OTHER_UNIT.search(f"{text[number.end :]} {remark}")
    unit = "g" if said is None else said[0]
    claim = read_value(None, "carbon", f"{number.text} {unit}", where, line)
    return claim and grams_field(claim)
