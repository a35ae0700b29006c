"""What a plan really saved, told afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from wattermark.values.plan import Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """IT energy that a run took in a stretch of time, ``paused`` or not. [s since 1970], [J]"""

    begin_s: float
    end_s: float
    it_energy_j: float
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One quantity, by the signals as they became final; None where a gap in them leaves it open.

    ``quantity`` is one of a plan's weights (``carbon``, ``carbon-marginal``, ``water`` ...), the amounts are
    in its base unit: as it ran, as if it had been started at once at home, and at the best time and place
    that there was. ``planned_saving`` is what the plan said, as a share.
    """

    quantity: str
    realised: float | None
    start_now: float | None
    oracle: float | None
    planned_saving: float | None

    @property
    def saving(self) -> float | None:
        """The share of start-now that was saved. [1]"""
        return _share(self.realised, self.start_now)

    @property
    def oracle_saving(self) -> float | None:
        """The share that could have been saved. [1]"""
        return _share(self.oracle, self.start_now)


def _share(amount: float | None, of: float | None) -> float | None:
    """Of its size: what takes less than nothing (at a price below zero) may still take less."""
    return None if amount is None or not of else (of - amount) / abs(of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """All claims on a run. ``refused`` says why none is made; it is empty where one is."""

    run: str
    plan: str
    claims: tuple[Claim, ...]
    refused: str
    heard: tuple[Heard, ...]
    flags: tuple[str, ...] = ()
