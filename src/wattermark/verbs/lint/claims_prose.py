"""Claims in sentences. What a sentence says of one work hangs together; one of two works is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wattermark.science.lint.counting import WORDS
from wattermark.science.lint.printed import Unit, make_claim
from wattermark.science.lint.twice import thousands_apart
from wattermark.values.claims import NAMES, Claim, Group
from wattermark.verbs.lint.cells import first_number, read_value, unit_after
from wattermark.verbs.lint.devices import named_device
from wattermark.verbs.lint.grouping import Devices
from wattermark.verbs.lint.keys import split_heading
from wattermark.verbs.lint.sentences import Sentence

_SAID = (
    (re.compile(r"\bPUE\)?\s+(?:of|is|was|=)\s+(?:about\s+)?([\d.]*\d)"), "PUE"),
    (re.compile(r"\bintensity\s+(?:of|is|was|=)\s+(?:about\s+)?([\d.,]*\d\s*k?g\S*(?:\s*[A-Zc]\S*)?\s*(?:/|per)\s*[kM]Wh)"),
     "carbon intensity"),
)  # fmt: skip
_TWO_WORKS = re.compile(
    r"\b(compar\w+|than|versus|vs|whereas|while|instead|respectively|previous\w*|earlier|another|others?|both"
    r"|sav(?:e|es|ed|ing|ings)|reduc\w+|offset\w*|avoid\w*|equivalent to|equals|would|could|if|market|but"
    r"|embodied|manufactur\w+|ablations?|experiments?|(?<!W )each|every|daily|annual\w*|yearly|monthly"
    r"|final (?:model|run)(?=.*\b(?:total|project))|(?:total|project)\b.*\bfinal (?:model|run)"
    r"|utili[sz]ation"
    r"|per (?:day|week|month|year|hour)|at (?:least|most)|up to|(?:less|more|fewer) than|between"
    r"|households?|homes?|cars?|flights?|fine.?tun\w+|inference|evaluat\w+|pre.?trained)\b",
    re.IGNORECASE,
)
"""Words of a sentence about more than one work, or about no work at all."""
_ELSEWHERE = re.compile(
    r"\b((?:average|mean)(?= (?:carbon|grid|intensity|PUE|data))|world\w*|global\w*|assum\w+|calculator"
    r"|industry|typical\w*|defaults?|would|could|if|compar\w+|whereas|while|instead|than|versus|vs|market)\b",
    re.IGNORECASE,
)
"""Words of a sentence whose PUE or intensity is not that of the page."""
_NUMBER = re.compile(r"(?<![\w.,/-])[~\u2248]?\d")
_SEVERAL = re.compile(
    rf"\b(?:\d+|{'|'.join(WORDS)}|several|all)\s+(?:\w+\s)?(?:models|runs|seeds|trials|jobs|times|repetitions)\b",
    re.IGNORECASE,
)
"""Works that share a number of devices, or follow each other on them."""
_COUNTED = {"J", "W", "g", "L", "device_s", "g/J", "L/J"}
"""Dimensions of a footprint: whoever has such numbers should know whether they were read."""
_CERTAIN = {"J": "energy_j", "device_s": "device_time_s", "g/J": "intensity_g_per_kwh"}
_LEAST_S, _MOST_W = 3600.0, 1.0
_WINDOW, _LONGEST = 120, 1500
"""How far around a number its words are looked for, and how long a sentence is at most. [characters]"""


@dataclass(frozen=True, slots=True)
class _Number:
    """A number of a sentence with its unit, and its claim, if it is one."""

    unit: Unit
    claim: Claim | None


def read_said(told: Iterable[Sentence]) -> Iterator[Claim]:
    """``a PUE of 1.1`` and ``a carbon intensity of 385 g/kWh``, which hold for the whole page."""
    for sentence in told:
        for pattern, label in () if _ELSEWHERE.search(sentence.text) else _SAID:
            for hit in pattern.finditer(sentence.text):
                claim = read_value(split_heading(label), label, hit[1], label, sentence.line_at(hit.start()))
                yield from [] if claim is None else [claim]


def restated(told: Iterable[Sentence], field: Claim) -> Iterator[Claim]:
    """Where a sentence has the number of a field, in a unit a thousand times as large or more."""
    for sentence in told:
        for number in _numbers(sentence):
            claim = number.claim
            if claim and claim.quantity == field.quantity and thousands_apart(claim, field):
                yield claim


def read_prose(told: Iterable[Sentence], devices: Devices) -> tuple[list[Group], int]:
    """A group for each sentence about one work, and how many numbers with units were left alone."""
    groups: list[Group] = []
    unread = 0
    for sentence in told:
        numbers = list(_numbers(sentence))
        claims = tuple(_claims(sentence, numbers, devices))
        if _is_of_one_work(sentence, claims):
            groups.append(Group(f"the sentence on line {sentence.line}", claims, prose=True))
        else:
            claims = tuple(read_said([sentence]))
        read = {claim.text for claim in claims}
        unread += sum(one.claim is None or one.claim.text not in read for one in numbers if _counts(one))
    return groups, unread


def _is_of_one_work(sentence: Sentence, claims: tuple[Claim, ...]) -> bool:
    printed = [claim.quantity for claim in claims if not claim.ours]
    once = len(set(printed)) == len(printed) > 1
    return once and len(sentence.text) <= _LONGEST and not _TWO_WORKS.search(sentence.text)


def _counts(number: _Number) -> bool:
    """Whether a number is one that should have been read."""
    above, per, _ = number.unit.dimension.partition("/")
    return number.unit.dimension in _COUNTED or (bool(per) and above in ("J", "g", "L"))


def _claims(sentence: Sentence, numbers: list[_Number], devices: Devices) -> Iterator[Claim]:
    yield from (number.claim for number in numbers if number.claim is not None)
    yield from (claim for claim in read_said([sentence]) if claim.quantity == "pue")
    if len(sentence.text) <= _LONGEST and not _SEVERAL.search(sentence.text):
        yield from named_device(sentence.text, NAMES["devices"], sentence.line, devices)


def _numbers(sentence: Sentence) -> Iterator[_Number]:
    """The numbers with a unit."""
    text, about = sentence.text, sentence.text.lower()
    for hit in _NUMBER.finditer(text):
        at = hit.start()
        found = first_number(text[at : at + _WINDOW])
        unit = unit_after(found[1]) if found else None
        if found is None or unit is None or found[0].value == 0:
            continue
        quantity = _quantity(unit, _words(text[max(at - _WINDOW, 0) : at]), about)
        line = sentence.line_at(at)
        claim = make_claim(quantity, found[0], unit, NAMES[quantity], line) if quantity else None
        yield _Number(unit, claim)


def _words(text: str) -> set[str]:
    """The few words that stand before a number."""
    return set(re.findall(r"[a-z0-9]+", text.lower())[-5:])


def _quantity(unit: Unit, before: set[str], sentence: str) -> str:
    """What a number with such a unit is in a sentence; nothing where that is not certain."""
    dimension = unit.dimension
    if dimension == "g":
        told = "co2" in unit.text.lower().replace("\u2082", "2") or any(
            word.startswith(("emit", "emission", "carbon", "co2")) for word in before
        )
        return "carbon_g" if told else ""
    if dimension == "W":
        power = "tdp_w" if "tdp" in before else "power_w"
        return power if unit.base <= _MOST_W else ""
    if dimension == "s":
        return "duration_s" if unit.base >= _LEAST_S else ""
    if dimension == "L":
        return "water_l" if "water" in sentence and "site" not in sentence else ""
    return _CERTAIN.get(dimension, "")
