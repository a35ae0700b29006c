"""What a footprint is made from: the energy of each part of a machine, seen or estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wattermark.science.terms import Term
from wattermark.values.factors import Factor
from wattermark.values.kinds import Scope

if TYPE_CHECKING:  # an estimate has none of them, and answers sooner without
    from wattermark.science.load import Load
    from wattermark.values.records import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All terms of a run, the factors of their own that they need, and what must be said.

    ``wall`` names the meter of the whole node that told the rest of the machine, if one did.
    """

    terms: tuple[Term, ...]
    duration_s: float
    scope: Scope
    load: Load | None
    gaps: tuple[Factor, ...] = ()
    flags: tuple[str, ...] = ()
    gpus: tuple[Channel, ...] = ()
    wall: str = ""
