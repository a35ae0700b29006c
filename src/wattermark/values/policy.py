"""Who bears what is no request's own work: a choice, that is told with every figure it made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Idle(StrEnum):
    """Who bears what a server takes while nobody runs."""

    APART = "apart"  # nobody: a row of its own
    TOKENS = "tokens"  # all, by their tokens
    TIME = "time"  # all, by the time that they ran


class ActiveIdle(StrEnum):
    """Who bears what a server would take at rest, while somebody runs."""

    WEIGHT = "weight"  # who runs, by the work
    EQUAL = "equal"  # who runs, each alike


class Again(StrEnum):
    """Who bears tokens that were computed again, as the engine had to drop them."""

    REQUEST = "request"  # the one that was dropped
    APART = "apart"  # nobody: it is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All three choices. The ledgers are kept whatever they are."""

    active: ActiveIdle = ActiveIdle.WEIGHT
    provisioned: Idle = Idle.APART
    again: Again = Again.REQUEST
