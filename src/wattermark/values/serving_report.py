"""What requests to models took, by whom or what they were: measured and estimated side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wattermark.values.policy import ActiveIdle, Idle
from wattermark.values.range import Range
from wattermark.values.served import Outcome


class By(StrEnum):
    """What rows of a report are of."""

    MODEL = "model"
    TENANT = "tenant"
    HOUR = "hour"
    ROUTE = "route"


class Basis(StrEnum):
    """How a side of a report was come by."""

    MEASURED = "measured"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many requests, and their tokens, as far as these were told; ``untold`` requests told none.

    ``input_tokens`` hold ``cached_tokens``, ``output_tokens`` hold ``reasoning_tokens``. ``known``
    requests have an energy.
    """

    requests: int
    known: int
    untold: int
    input_tokens: float
    cached_tokens: float
    output_tokens: float
    reasoning_tokens: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledgers:
    """Three parts of an IT energy, at the best values: work, and rest with and without requests. [J]"""

    dynamic_j: float
    active_idle_j: float
    provisioned_idle_j: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """IT energy of a request at three percentiles, at the best values. [J]"""

    p50_j: float
    p90_j: float
    p99_j: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedRow:
    """One row: all quantities of a footprint, each None where it is not known.

    ``outcome`` is None where a row holds several: of the whole, and of idle capacity. ``per`` tells the main
    quantities for one ``request``, for ``1000 tokens`` (in and out) and for ``1000 output tokens``.
    """

    name: str
    outcome: Outcome | None
    tally: Tally
    quantities: Mapping[str, Range | None]
    per: Mapping[str, Mapping[str, Range]]
    ledgers: Ledgers | None
    spread: Spread | None
    quality: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedHour:
    """IT energy of an hour that began at ``begin_s`` [s since 1970], by row and of idle capacity. [J]"""

    begin_s: float
    by_row_j: Mapping[str, float]
    idle_j: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedSide:
    """All requests that were come by in one way.

    ``meter_j`` is what the meters of these runs saw, accounted without any look at requests; None where
    nothing was metered. ``idle`` is the row of capacity that nobody used. ``place`` is where.
    """

    basis: Basis
    runs: tuple[str, ...]
    place: str
    rows: tuple[ServedRow, ...]
    idle: ServedRow | None
    total: ServedRow
    meter_j: float | None
    hours: tuple[ServedHour, ...]
    flags: tuple[str, ...] = ()

    @property
    def every_row(self) -> tuple[ServedRow, ...]:
        """The rows, that of idle capacity last."""
        return self.rows if self.idle is None else (*self.rows, self.idle)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedWhatIf:
    """The same requests otherwise: main quantities as they are, and as they would be."""

    basis: Basis
    asked: Mapping[str, str]
    now: Mapping[str, Range | None]
    then: Mapping[str, Range | None]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingReport:
    """Both sides, never added up: what was measured, and what is estimated."""

    by: By
    idle: Idle
    active_idle: ActiveIdle
    sides: tuple[ServedSide, ...]
    what_if: tuple[ServedWhatIf, ...] = ()
    flags: tuple[str, ...] = ()
