"""What a watch over inference engines found: their counters beside a meter, window by window."""

from __future__ import annotations

from dataclasses import dataclass

from wattermark.values.kinds import Quality

TOLD = 0.75
"""A coefficient of which the data took away so much of the prior's variance is the data's. [1]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """What one thing costs, as it was found: its value, the prior's, and how far the data told it.

    ``told`` is the part of the prior's variance that the data took away: 0 is the prior's own value, 1 the
    data's. [1] ``low`` and ``high`` are the ends of its 90 % interval, by how windows scatter. ``unit`` is of
    the value, as ``J/token``; the engine is empty where it is of all of them.
    """

    name: str
    unit: str
    low: float
    value: float
    high: float
    prior: float
    told: float
    engine: str = ""
    upstream: str = ""
    model: str = ""

    @property
    def is_the_datas(self) -> bool:
        """Whether the data told it; else it is the prior's, whatever its digits."""
        return self.told >= TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedWindow:
    """From one round of looks to the next; of all engines together. Tokens [1], energies [J].

    ``energy_j`` is the meter's, or the estimator's, and None where there was a gap. Its parts add up to it:
    input, output, active idle (what waits while a request runs), provisioned idle (while none does), and
    ``unattributed_j``, of windows in which an engine said nothing. ``residual_j`` is what the
    meter saw more than the coefficients explain, before the parts were scaled to it; None where nothing was
    fitted. Read tokens had to be computed.
    """

    begin_ns: int
    end_ns: int
    energy_j: float | None
    read_tokens: float | None
    cached_tokens: float | None
    written_tokens: float | None
    running: float | None
    input_j: float = 0.0
    output_j: float = 0.0
    active_idle_j: float = 0.0
    provisioned_idle_j: float = 0.0
    unattributed_j: float = 0.0
    residual_j: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedEngine:
    """One model of one engine, over the whole watch; None is what it does not tell.

    ``restarts`` are the times that its counters fell, ``missed`` the rounds in which it did not answer;
    ``untold`` names what would have been needed of it.
    """

    engine: str
    upstream: str
    model: str
    requests: float | None
    read_tokens: float | None
    cached_tokens: float | None
    written_tokens: float | None
    running: float | None
    input_j: float
    output_j: float
    active_idle_j: float
    restarts: int = 0
    missed: int = 0
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """All of it. ``quality`` says whether a meter spoke; then ``meter`` names it.

    ``energy_j`` is that of all windows in which it was known, ``idle_w`` what the server draws while it
    waits. ``residual_j`` is the sum of the windows' residuals without their sign, ``r2`` the part of the
    variance that the coefficients explain: None where nothing varied, or nothing was fitted. ``condition`` is
    that of the columns at equal size: where it is large, what they share cannot be told apart.
    """

    quality: Quality
    meter: str
    windows: tuple[WatchedWindow, ...]
    engines: tuple[WatchedEngine, ...]
    coefficients: tuple[Coefficient, ...]
    energy_j: float | None
    input_j: float
    output_j: float
    active_idle_j: float
    provisioned_idle_j: float
    unattributed_j: float
    idle_w: float | None
    residual_j: float | None
    r2: float | None
    condition: float | None
    unseen_s: float
    flags: tuple[str, ...] = ()
