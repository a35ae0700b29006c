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
from numpy.typing import NDArray

from wattermark.science.sharing.columns import Columns, Cost, Floats
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
    """A request as far as it is known: its group, the place of its costs, its times [ns] and tokens [1].

    nan is what nobody said.
    """

    group: int
    model: int
    begin_ns: int
    first_ns: int
    end_ns: int
    read: float
    cached: float
    written: float
    passes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The energy of some stretches, which adds up to what the meter saw. [J]

    ``request_j`` is by request (m,), of both ledgers; the others by group. A joule of it stands for
    ``carbon_g_per_j`` and ``water_l_per_j``. ``running`` of them ran at a time, at least one [1];
    ``quiet_w`` is the power of windows in which nobody ran [W].
    """

    dynamic_j: Floats
    active_idle_j: Floats
    provisioned_idle_j: float
    request_j: Floats
    carbon_g_per_j: float
    water_l_per_j: float
    running: float
    quiet_w: Floats


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
    columns = _columns(parts, zero_ns)
    shared = share_windows(Windows(edge_s=edge_s, energy_j=energy_j, idle_w=idle_w), columns, costs)
    group = np.array([part.group for part in parts], np.int64)
    dynamic_j, active_j = np.nan_to_num(shared.dynamic_j), np.nan_to_num(shared.active_idle_j)
    whole_j = float(energy_j.sum())
    return Settled(
        dynamic_j=_summed(group, dynamic_j, groups),
        active_idle_j=_summed(group, active_j, groups),
        provisioned_idle_j=float(np.nan_to_num(shared.provisioned_idle_j).sum()),
        request_j=dynamic_j + active_j,
        carbon_g_per_j=_ratio(sum(one.carbon_g for one in stretches), whole_j),
        water_l_per_j=_ratio(sum(one.water_l for one in stretches), whole_j),
        running=_running(edge_s, columns),
        quiet_w=_quiet_w(edge_s, energy_j, columns),
    )


def idle_w(quiet_w: Sequence[float], most_w: float, fraction: float) -> float:
    """Power at rest: the median of what was seen while nobody ran, else a part of the most that was seen.

    Parameters
    ----------
    quiet_w : sequence of float
        Of windows in which nobody ran. [W]
    most_w : float
        The highest mean of a window. [W]
    fraction : float
        Of it, that hardware draws at rest. [1]
    """
    return float(np.median(list(quiet_w))) if quiet_w else most_w * fraction


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
    """What a request weighs among so many that run. [J of the prior]

    Parameters
    ----------
    cost : Cost
        Of its model.
    running : float
        At a time, this one included. [1]
    part : Part
        Its tokens; what nobody said counts as none.
    """
    read, cached, written = or_none(part.read), or_none(part.cached), or_none(part.written)
    passes = written if isnan(part.passes) else part.passes
    together = max(running, 1.0)
    ahead = read + cached
    context = ahead + written / 2
    step_j = cost.step_j + cost.experts_j * (1 - cost.missed**together)
    return float(
        (passes + (read > 0)) * step_j / together
        + read * (cost.read_token_j + cost.pair_j * ahead)
        + written * (cost.written_token_j + (cost.context_token_j + 2 * cost.pair_j) * context)
    )


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


def _columns(parts: Sequence[Part], zero_ns: int) -> Columns:
    table = np.array([part[2:] for part in parts], np.float64).reshape(-1, 7)
    times = (table[:, :3] - zero_ns) * S_PER_NS
    length_s = times[:, 2] - times[:, 0]
    read = _filled(table[:, 3], np.ones(len(parts)))
    written = _filled(table[:, 5], length_s)
    return Columns(
        begin_s=times[:, 0],
        first_s=times[:, 1],
        end_s=times[:, 2],
        read_tokens=read,
        cached_tokens=np.nan_to_num(table[:, 4]),
        written_tokens=written,
        passes=np.where(np.isnan(table[:, 6]), written, table[:, 6]),
        model=np.array([part.model for part in parts], np.int64),
    )


def _filled(tokens: Floats, amount: Floats) -> Floats:
    """Where nobody told tokens, as many for each of an amount as those who told had; else one for each."""
    told = np.isfinite(tokens) & (amount > 0)
    each = _ratio(tokens[told].sum(), amount[told].sum()) if told.any() else 1.0
    return np.where(np.isfinite(tokens), tokens, each * amount)


def _running(edge_s: Floats, columns: Columns) -> float:
    inside_s = np.minimum(columns.end_s, edge_s[-1]) - np.maximum(columns.begin_s, edge_s[0])
    return max(_ratio(float(np.maximum(inside_s, 0).sum()), float(edge_s[-1] - edge_s[0])), 1.0)


def _quiet_w(edge_s: Floats, energy_j: Floats, columns: Columns) -> Floats:
    length_s = np.diff(edge_s)
    first = np.searchsorted(edge_s, columns.begin_s, "right") - 1
    last = np.searchsorted(edge_s, columns.end_s, "left") - 1
    begun = np.zeros(len(edge_s) + 1)
    np.add.at(begun, np.clip(first, 0, len(length_s)), 1)
    np.add.at(begun, np.clip(np.maximum(first, last) + 1, 0, len(length_s)), -1)
    quiet = np.cumsum(begun)[: len(length_s)] == 0
    return np.asarray(energy_j[quiet] / length_s[quiet], np.float64)


def _summed(group: NDArray[np.int64], amount: Floats, groups: int) -> Floats:
    return np.asarray(np.bincount(group, amount, groups), np.float64)


def _ratio(of: float, over: float) -> float:
    return float(of / over) if over > 0 else 0.0
