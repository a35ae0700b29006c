"""Which claims stand side by side: a row and what the page says once, a total and its parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from wattermark.values.claims import Claim, Total
from wattermark.verbs.lint.cells import more_than_one
from wattermark.verbs.lint.quantities import words_of

ADDITIVE = ("device_time_s", "it_energy_j", "facility_energy_j", "energy_j", "carbon_g", "water_l")
OF_SITE = ("pue", "intensity_g_per_kwh", "wue_l_per_kwh", "ewif_l_per_kwh")
OF_DEVICE = ("power_w", "system_power_w", "tdp_w", "peak_flops")
SHARED = (*OF_SITE, *OF_DEVICE)
"""What a page may say once, for all of its rows."""
Devices = Callable[[str, str, int], tuple[Claim, ...]]
"""What is known of a device by its name, where it is named, and on which line."""
_TOTAL = re.compile(
    r"\W*(?:grand |cumulative |combined )?(?:total|sum|overall|all(?= (?:models|runs|stages)))"
    r"(?: (?:of|for|the|all|a?cross|models?|runs?|stages?|phases?|parts?|project|family|training|pretraining"
    r"|energy|emissions?|carbon|footprint|consumption|cost|gpu|hours))*\W*"
    r"(?:\((?!.*\b(?:excl|incl|excluding|including|without|w/o|ours|pue|only)\b).*\)\W*)?",
    re.IGNORECASE,
)
_NO_PART = re.compile(
    r"\W*(?:average|avg|mean|median|min(?:imum)?|max(?:imum)?|std|sd|range|per |sub-?total|\u03a3"
    r"|of which|thereof|including|incl)\b(?!-)"
    r"|\s*(?:[-\u2013\u2022\u21b3\u2514>]|&nbsp;)|.*\b(?:sub-?)?total\W*$",
    re.IGNORECASE,
)
"""Rows that say something of the others, or are a part of one of them."""
_WHOLE = re.compile(r"\b(?:total|overall|all|nodes)\b", re.IGNORECASE)
NO_WORK = re.compile(
    r"\W*(?:carbon\s+)?(?:offsets?|credits?|savings?|saved|avoided|removals?)"
    r"(?:\s+(?:emissions?|carbon|energy))?\W*(?:\(.*\))?\W*$",
    re.IGNORECASE,
)
"""Rows of what was not emitted."""
MULTIPLIERS = {
    "devices": {"nodes", "node", "servers", "hosts", "machines", "runs", "seeds", "trials", "jobs"},
    "tokens": {"epochs", "epoch"},
}
"""What a number beside them is multiplied by: it is that of one node, one run, one epoch."""


def explicit(claims: Sequence[Claim]) -> list[Claim]:
    """What a page says of a device counts before what our tables know of its name."""
    said = {claim.quantity for claim in claims if not claim.ours}
    return [claim for claim in claims if not claim.ours or claim.quantity not in said]


def of_all(claims: Sequence[Claim], entries: Iterable[tuple[str, str]]) -> list[Claim]:
    """Claims without those that something beside them multiplies: labels or headings, and their values.

    A count that says that it is the total, or that was made of nodes itself, is no part.
    """
    words = {word for label, value in entries if more_than_one(value) for word in words_of(label)}
    multiplied = {quantity for quantity, names in MULTIPLIERS.items() if not names.isdisjoint(words)}
    return [claim for claim in claims if claim.quantity not in multiplied or _WHOLE.search(claim.where)]


def inherited(
    own: Sequence[Claim], page: Iterable[Claim], *, other_device: bool = False
) -> tuple[Claim, ...]:
    """A row's claims, and those of the page that hold for every row and that it does not make itself.

    What belongs to a device does not hold for a row that names another one.
    """
    mine = {claim.quantity for claim in own}
    if other_device or mine & set(OF_DEVICE[:2]):
        mine |= set(OF_DEVICE if other_device else OF_DEVICE[:2])
    return (*own, *(claim for claim in page if claim.quantity in SHARED and claim.quantity not in mine))


def totals_of(rows: Sequence[tuple[str, Sequence[Claim]]], *, listed: bool = False) -> list[Total]:
    """What the row that is called a total should be the sum of, where every other row says its part."""
    whole = [claims for name, claims in rows if _TOTAL.fullmatch(name)]
    apart = (_TOTAL.fullmatch, _NO_PART.match, NO_WORK.match)
    parts = [claims for name, claims in rows if not any(fits(name) for fits in apart)]
    if len(whole) != 1 or len(parts) < 2:
        return []
    found = []
    for total in whole[0]:
        mine = [one for claims in parts for one in claims if one.quantity == total.quantity]
        if total.quantity in ADDITIVE and len(mine) == len(parts):
            found.append(Total(total, tuple(mine), listed))
    return found


def grams_field(claim: Claim) -> Claim:
    """A claim in a field whose schema says grams."""
    return replace(claim, grams_field=True)
