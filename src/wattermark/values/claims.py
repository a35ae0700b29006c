"""What a page claims about a piece of work, and where its numbers contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NAMES: Final = {
    "devices": "number of devices",
    "duration_s": "time",
    "used_time_s": "hours used",
    "device_time_s": "accelerator time",
    "power_w": "power of a device",
    "total_power_w": "power of all devices",
    "system_power_w": "power of a device with its host",
    "tdp_w": "TDP",
    "it_energy_j": "energy before PUE",
    "facility_energy_j": "energy with PUE",
    "energy_j": "energy",
    "energy_cpu_j": "energy of processors",
    "energy_ram_j": "energy of memory",
    "pue": "PUE",
    "intensity_g_per_kwh": "carbon intensity",
    "intensity_pue_g_per_kwh": "carbon intensity x PUE",
    "carbon_g": "carbon",
    "carbon_market_g": "market-based carbon",
    "carbon_embodied_g": "embodied carbon",
    "wue_l_per_kwh": "on-site water per energy",
    "ewif_l_per_kwh": "off-site water per energy",
    "water_l": "water",
    "water_onsite_l": "on-site water",
    "water_offsite_l": "off-site water",
    "params": "parameters",
    "active_params": "active parameters",
    "tokens": "tokens",
    "requests": "requests",
    "flops": "FLOPs",
    "peak_flops": "peak FLOP/s of a device",
    "mfu": "FLOP utilisation (MFU)",
    "share": "share",
}
"""Every quantity that can be claimed, in its base unit, and what people call it.

A ratio of two is a quantity as well, and its name is ``carbon_g/params``.
"""


class Severity(StrEnum):
    """An error cannot be; a warning hardly can."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One number that a page prints.

    ``low`` and ``high`` enclose what may have been rounded to it; they and ``value`` are in the base
    unit. ``text`` and ``unit`` are as printed, and ``base_per_unit`` is how much of the base unit one of
    that unit is. ``grams_field`` marks a field whose schema says grams, so that nothing else may stand
    there; ``ours`` one that a table of ours makes for the page, and whose interval is no rounding.
    """

    quantity: str
    value: float
    low: float
    high: float
    text: str
    unit: str
    base_per_unit: float
    where: str
    line: int = 0
    grams_field: bool = False
    ours: bool = False

    @property
    def printed(self) -> str:
        return f"{self.text} {self.unit}".strip()

    @property
    def name(self) -> str:
        above, _, below = self.quantity.partition("/")
        return f"{NAMES[above]} per {NAMES[below]}" if below else NAMES[above]


@dataclass(frozen=True, slots=True)
class Group:
    """Claims about one and the same work: a row of a table, an object, a list of a card.

    ``prose`` marks a sentence, which may speak of more than one work.
    """

    name: str
    claims: tuple[Claim, ...]
    prose: bool = False


@dataclass(frozen=True, slots=True)
class Total:
    """A total and the parts that it should be the sum of.

    ``listed`` tells whether the parts are said to be all of them; a table may leave a row out.
    """

    total: Claim
    parts: tuple[Claim, ...]
    listed: bool


@dataclass(frozen=True, slots=True)
class Page:
    """All that was read of a file, and the words that nobody understood.

    ``unread`` counts the numbers with units in sentences that were left alone; ``note`` says what kind of
    file it is, where that matters.
    """

    groups: tuple[Group, ...]
    totals: tuple[Total, ...] = ()
    not_understood: tuple[str, ...] = ()
    unread: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One contradiction.

    ``printed`` and ``expected`` are in ``unit``, as the page prints it; ``ratio`` is the first over the
    second. Where only bounds are known and no ``cause`` is recognised, ``expected`` is nothing.
    """

    rule: str
    severity: Severity
    sentence: str
    where: str
    line: int
    printed: float
    expected: float | None
    unit: str
    ratio: float | None
    cause: str = ""
