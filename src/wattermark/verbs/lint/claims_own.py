"""Our own documents: what ``show``, ``estimate`` and ``runs`` print with ``--json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wattermark.errors import UsageError
from wattermark.science.lint.printed import make_claim, read_number
from wattermark.values.claims import Claim, Group, Page, Total
from wattermark.verbs.lint.keys import split_key

_LISTS = ("rows", "runs")
_CHECKED = ("it_energy_j", "facility_energy_j", "carbon_operational_g")
_SUMS = {
    "carbon_g": ("carbon_operational_g", "carbon_embodied_g"),
    "water_l": (*("water_onsite_l", "water_offsite_thermal_l", "water_offsite_hydro_l", "water_embodied_l"),),
}
"""Wholes of a footprint, and their parts."""


def own_documents(document: Any) -> list[Mapping[str, Any]]:
    """The documents of ours with a footprint that stand in a file; none, where it is somebody else's."""
    if not isinstance(document, dict) or "schema" not in document:
        return []
    inner = next((document[key] for key in _LISTS if isinstance(document.get(key), list)), [document])
    return [one for one in inner if isinstance(one, dict) and _is_footprint(one.get("footprint"))]


def _is_footprint(value: Any) -> bool:
    return isinstance(value, dict) and {"it_energy_j", "carbon_operational_g", "water_onsite_l"} <= set(value)


def read_own(documents: Sequence[Mapping[str, Any]], name: str) -> Page:
    """The best values of each footprint, and its sums."""
    groups: list[Group] = []
    totals: list[Total] = []
    for i, document in enumerate(documents):
        best = dict(_best(document["footprint"], f"[{i}]." if len(documents) > 1 else ""))
        groups.append(Group(f"footprint {i + 1}", tuple(best[key] for key in _CHECKED if key in best)))
        totals += _totals(best)
    if not any(group.claims for group in groups):
        raise UsageError(f"{name} is a file of wattermark's own, and its footprint holds no number",
                         fix="Give a model card, or a JSON of claims")  # fmt: skip
    kind = "footprint is" if len(documents) == 1 else "footprints are"
    return Page(tuple(groups), tuple(totals), note=f"{name} is a file of wattermark's own; its {kind} read")


def _best(footprint: Mapping[str, Any], where: str) -> Iterator[tuple[str, Claim]]:
    for key, value in footprint.items():
        words = {"water_offsite_thermal_l": "offsite_water_l", "water_offsite_hydro_l": "offsite_water_l",
                 "water_embodied_l": "water_l"}.get(key, key)  # fmt: skip
        meant = split_key(words)
        number = read_number(str(value["best"])) if isinstance(value, dict) and value.get("best") else None
        if meant is not None and number is not None:
            yield key, make_claim(meant[0], number, meant[1], f"{where}footprint.{key}")


def _totals(best: Mapping[str, Claim]) -> Iterator[Total]:
    for whole, parts in _SUMS.items():
        told = [best[part] for part in parts if part in best]
        if whole in best and len(told) == len(parts):
            yield Total(best[whole], tuple(told), listed=True)
