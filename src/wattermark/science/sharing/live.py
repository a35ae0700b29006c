"""What is known of requests while they are served: windows that are settled, and what one weighs.

Shares are those of ``share_windows``: a window is settled once, when all that touched it have ended, so the
sums of all of them are what the whole would have given at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import NamedTuple

import numpy as np

from wattermark.science.sharing.arrays import summed
from wattermark.science.sharing.columns import Columns, Cost, Floats
from wattermark.science.sharing.concurrency import reading_share_j, step_share_j
from wattermark.science.sharing.idle import at_rest, quiet_windows
from wattermark.science.sharing.weights import Tokens, own_of
from wattermark.science.sharing.windows import Windows, share_windows
from wattermark.values.units import NS_PER_S, S_PER_NS

MINUTE_NS = 60 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What a meter saw between two looks. [ns], [J], [g CO2e], [L]"""

    begin_ns: int
    end_ns: int
    energy_j: float
    carbon_g: float
    water_l: float


class Part(NamedTuple):
    """A request as far as it is known: its group, the place of its costs, its times [ns], tokens and
    pieces of its answer [1].

    nan is what nobody said.
    """

    group: int
    model: int
    begin_ns: int
    first_ns: float
    end_ns: int
    read: float
    cached: float
    written: float
    passes: float
    chunks: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The energy of some stretches, which adds up to what the meter saw. [J]

    ``request_j`` is by request (m,), of both ledgers; the others by group. A joule of it stands for
    ``carbon_g_per_j`` and ``water_l_per_j``. ``running`` of them ran at a time, at least one [1];
    ``quiet`` are the energy [J] and the length [s] of windows in which nobody ran.
    """

    dynamic_j: Floats
    active_idle_j: Floats
    provisioned_idle_j: float
    request_j: Floats
    carbon_g_per_j: float
    water_l_per_j: float
    running: float
    quiet: tuple[tuple[float, float], ...]


def settle(
    stretches: Sequence[Stretch], parts: Sequence[Part], costs: list[Cost], *, groups: int, idle_w: float
) -> Settled:
    """Share stretches that follow each other among the requests that ran in them.

    Parameters
    ----------
    stretches : sequence of Stretch
        One at least.
    parts : sequence of Part
        All that touched them.
    costs : list of Cost
        By the requests' ``model``.
    groups : int
        How many there are. [1]
    idle_w : float
        What the server draws at rest. [W]
    """
    zero_ns = stretches[0].begin_ns
    edge_s = np.array([0, *(one.end_ns - zero_ns for one in stretches)], np.float64) * S_PER_NS
    energy_j = np.array([one.energy_j for one in stretches], np.float64)
    columns = columns_of(parts, zero_ns)
    quiet = quiet_windows(edge_s, columns)
    shared = share_windows(Windows(edge_s=edge_s, energy_j=energy_j, idle_w=idle_w), columns, costs)
    group = np.array([part.group for part in parts], np.int64)
    dynamic_j, active_j = np.nan_to_num(shared.dynamic_j), np.nan_to_num(shared.active_idle_j)
    whole_j = float(energy_j.sum())
    return Settled(
        dynamic_j=summed(group, dynamic_j, groups),
        active_idle_j=summed(group, active_j, groups),
        provisioned_idle_j=float(np.nan_to_num(shared.provisioned_idle_j).sum()),
        request_j=dynamic_j + active_j,
        carbon_g_per_j=_ratio(sum(one.carbon_g for one in stretches), whole_j),
        water_l_per_j=_ratio(sum(one.water_l for one in stretches), whole_j),
        running=_running(edge_s, columns),
        quiet=tuple(zip(energy_j[quiet].tolist(), np.diff(edge_s)[quiet].tolist(), strict=True)),
    )


def rest_w(quiet: Iterable[tuple[float, float]], *, otherwise_w: float) -> float:
    """Power at rest, by windows in which nobody ran. [W]

    Parameters
    ----------
    quiet : iterable of (float, float)
        Their energy [J] and length [s].
    otherwise_w : float
        What to say where they do not. [W]
    """
    energy_j, length_s = np.array([*quiet], np.float64).reshape(-1, 2).T
    return at_rest(energy_j, length_s, otherwise_w=otherwise_w).power_w


def power_w(stretch: Stretch) -> float:
    """Mean power of a stretch. [W]

    Parameters
    ----------
    stretch : Stretch
        With a length.
    """
    return stretch.energy_j / ((stretch.end_ns - stretch.begin_ns) * S_PER_NS)


def scaled(amount: float, per_unit: float) -> float:
    """So many units of something, of which each is so much.

    Parameters
    ----------
    amount, per_unit : float
        In units that belong together.
    """
    return amount * per_unit


def milliseconds(time_s: float) -> float:
    """As others count time. [ms]

    Parameters
    ----------
    time_s : float
        [s]
    """
    return time_s * 1000


def duration_s(begin_ns: int, end_ns: int) -> float:
    """How long something took. [s]

    Parameters
    ----------
    begin_ns, end_ns : int
        Of one clock. [ns]
    """
    return (end_ns - begin_ns) * S_PER_NS


def or_none(tokens: float) -> float:
    """Tokens, where somebody said so many; else none. [1]

    Parameters
    ----------
    tokens : float
        nan where nobody did. [1]
    """
    return 0.0 if isnan(tokens) else tokens


def weight_j(cost: Cost, running: float, part: Part) -> float:
    """What a request weighs among so many that run, as it does in ``share_windows``. [J of the prior]

    Parameters
    ----------
    cost : Cost
        Of its model.
    running : float
        At a time, this one included. [1]
    part : Part
        Its tokens; what nobody said counts as none, a piece of the answer as a token.
    """
    written = or_none(part.chunks if isnan(part.written) else part.written)
    passes = written if isnan(part.passes) else part.passes
    tokens = Tokens(read=or_none(part.read), cached=or_none(part.cached), written=written, passes=passes)
    if not tokens.read + tokens.cached + tokens.written > 0:
        return 0.0
    own = own_of(lambda name: getattr(cost, name), tokens)
    together = max(running, 1.0)
    reading_j = own.read_j + reading_share_j(tokens.read, together - 1, cost)
    return float(reading_j + own.written_j(1.0, 0.5) + own.passes * step_share_j(together, cost))


class Tried(NamedTuple):
    """What a request took that has ended: its energy [J] and weight [J of the prior]."""

    at_ns: int
    energy_j: float
    weight_j: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """The last minute: energy by weight [J/J], how many run at a time [1], and what a joule stands for."""

    energy_per_weight: float
    running: float
    carbon_g_per_j: float
    water_l_per_j: float


def lately(tried: Iterable[Tried], last: Settled) -> Lately | None:
    """What requests took lately by their weight; None where none has ended, or none weighed anything.

    Parameters
    ----------
    tried : iterable of Tried
        Requests that have ended, each weighed among those that ran with it.
    last : Settled
        How many run now, and what a joule stands for.
    """
    held = list(tried)
    weight = sum(one.weight_j for one in held)
    if weight <= 0:
        return None
    return Lately(
        energy_per_weight=sum(one.energy_j for one in held) / weight,
        running=last.running,
        carbon_g_per_j=last.carbon_g_per_j,
        water_l_per_j=last.water_l_per_j,
    )


LEDGERS = ("dynamic", "active_idle", "provisioned_idle", "undivided")
"""The last one holds estimates, which nobody divided."""


class Ledgers:
    """Running sums by group and ledger, which only rise: energy [J], carbon [g CO2e], water [L]."""

    __slots__ = ("_sums",)

    def __init__(self, groups: int) -> None:
        self._sums = np.zeros((len(LEDGERS), 3, groups))

    def add(self, settled: Settled) -> None:
        """What was settled; provisioned idle is group 0's, which is nobody."""
        per_j = np.array([[1.0], [settled.carbon_g_per_j], [settled.water_l_per_j]])
        groups = len(settled.dynamic_j)
        self._sums[0, :, :groups] += settled.dynamic_j * per_j
        self._sums[1, :, :groups] += settled.active_idle_j * per_j
        self._sums[2, :, 0] += settled.provisioned_idle_j * per_j[:, 0]

    def add_estimate(self, group: int, energy_j: float, carbon_g: float, water_l: float) -> None:
        """One request that was not metered."""
        self._sums[3, :, group] += (energy_j, carbon_g, water_l)

    def rows(self) -> list[tuple[int, str, float, float, float]]:
        """Group, ledger, energy, carbon and water of all that is not nothing."""
        found = np.argwhere(self._sums[:, 0, :] > 0)
        return [(int(g), LEDGERS[i], *self._sums[i, :, g].tolist()) for i, g in found.tolist()]

    @property
    def metered_j(self) -> float:
        """All that was settled, estimates aside. [J]"""
        return float(self._sums[:3, 0, :].sum())


def columns_of(parts: Sequence[Part], zero_ns: int) -> Columns:
    """Requests that are known so far as arrays; what nobody said stays open.

    Parameters
    ----------
    parts : sequence of Part
        m of them.
    zero_ns : int
        Where the windows begin. [ns]
    """
    table = np.array([part[2:] for part in parts], np.float64).reshape(-1, 8)
    times_s = (table[:, :3] - zero_ns) * S_PER_NS
    return Columns(
        begin_s=times_s[:, 0],
        first_s=times_s[:, 1],
        end_s=times_s[:, 2],
        read_tokens=table[:, 3],
        cached_tokens=table[:, 4],
        written_tokens=table[:, 5],
        passes=table[:, 6],
        model=np.array([part.model for part in parts], np.int64),
        chunks=table[:, 7],
    )


def _running(edge_s: Floats, columns: Columns) -> float:
    inside_s = np.minimum(columns.end_s, edge_s[-1]) - np.maximum(columns.begin_s, edge_s[0])
    return max(_ratio(float(np.maximum(inside_s, 0).sum()), float(edge_s[-1] - edge_s[0])), 1.0)


def _ratio(of: float, over: float) -> float:
    return float(of / over) if over > 0 else 0.0
