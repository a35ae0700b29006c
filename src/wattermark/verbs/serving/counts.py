"""All that monitoring is told of requests: running sums by a bounded number of labels, which only rise."""

from __future__ import annotations

from dataclasses import dataclass

from wattermark.science.sharing.live import Ledgers, Settled, duration_s
from wattermark.science.sharing.spread import Spread, edges_by_decade
from wattermark.values.served import Served

MOST_GROUPS = 1000
"""Sets of labels; what comes after them goes together."""
MOST_SPREADS = 100
"""Models with histograms of their own."""
ENERGY_EDGES_J = edges_by_decade(1e-3, 1e6, (1.0, 2.5, 5.0))
TIME_EDGES_S = edges_by_decade(1e-2, 1e3, (1.0, 2.5, 5.0))
MOST_WORD = 128
"""Letters of a label."""
TOKENS = ("input", "cached", "output", "reasoning")
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Who:
    """Whose energy it is, by words of few values; all empty: nobody's."""

    model: str = ""
    tenant: str = ""
    route: str = ""
    outcome: str = ""


NOBODY = Who()
REST = Who(OTHER, OTHER, OTHER, OTHER)
Spreads = tuple[tuple[str, list[tuple[float, int]], float], ...]
"""By model: each edge with how many were no larger, and the sum of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """All that is told, at a moment. Counters only rise. [J], [g CO2e], [L], [s], [W]

    ``energy`` has group, ledger, quality, energy, carbon and water; what meters told of it and
    ``unsettled_j`` add up to ``meter_j``.
    """

    energy: tuple[tuple[Who, str, str, float, float, float], ...]
    requests: tuple[tuple[Who, int], ...]
    tokens: tuple[tuple[Who, str, int], ...]
    request_energy: Spreads
    request_time: Spreads
    unaccounted: int
    open: int
    meter_j: float
    unsettled_j: float
    power_w: float | None


class Counts:
    """Kept by one thread; ``sums`` is asked by others, under the lock of whoever holds both."""

    def __init__(self) -> None:
        self.unaccounted = 0
        self._groups: dict[Who, int] = {NOBODY: 0}
        self._ledgers = Ledgers(MOST_GROUPS + 2)
        self._requests: dict[int, int] = {}
        self._tokens: dict[tuple[int, str], int] = {}
        self._energies: dict[str, Spread] = {}
        self._times: dict[str, Spread] = {}

    @property
    def groups(self) -> int:
        """How many there are."""
        return len(self._groups)

    @property
    def metered_j(self) -> float:
        """All that was settled. [J]"""
        return self._ledgers.metered_j

    @property
    def names(self) -> list[Who]:
        """Groups by their numbers."""
        return list(self._groups)

    def group(self, who: Who) -> int:
        """The number of a group; the first of too many opens the rest."""
        group = self._groups.get(who)
        if group is None:
            if len(self._groups) >= MOST_GROUPS and who != REST:
                return self.group(REST)
            group = self._groups[who] = len(self._groups)
        return group

    def count(self, one: Served) -> int:
        """One request that ended; answers its group."""
        who = Who(word(one.model), word(one.tenant), one.route, one.outcome)
        group = self.group(who)
        self._requests[group] = self._requests.get(group, 0) + 1
        usage = one.usage
        told = (usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.reasoning_tokens)
        for kind, many in zip(TOKENS, told, strict=True):
            if many is not None:
                self._tokens[group, kind] = self._tokens.get((group, kind), 0) + many
        _of(self._times, who.model, TIME_EDGES_S).add(duration_s(one.begin_ns, one.end_ns))
        return group

    def settle(self, found: Settled) -> None:
        """Windows that are shared for good."""
        self._ledgers.add(found)

    def estimate(self, group: int, model: str, amounts: tuple[float, float, float]) -> None:
        """One request that was not metered: energy, carbon, water."""
        self._ledgers.add_estimate(group, *amounts)
        self.request_energy(model, amounts[0])

    def request_energy(self, model: str, energy_j: float) -> None:
        """What one request took in all."""
        _of(self._energies, model, ENERGY_EDGES_J).add(energy_j)

    def sums(self, *, quality: str, meter_j: float, power_w: float | None, still: int) -> Sums:
        """What there is to tell now."""
        names = list(self._groups)
        settled_j = self._ledgers.metered_j
        return Sums(
            energy=tuple(
                (names[group], ledger, "estimated" if ledger == "undivided" else quality, j, g, litres)
                for group, ledger, j, g, litres in self._ledgers.rows()
            ),
            requests=tuple((names[group], many) for group, many in self._requests.items()),
            tokens=tuple((names[group], kind, many) for (group, kind), many in self._tokens.items()),
            request_energy=tuple((m, s.cumulative(), s.total) for m, s in self._energies.items()),
            request_time=tuple((m, s.cumulative(), s.total) for m, s in self._times.items()),
            unaccounted=self.unaccounted,
            open=still,
            meter_j=max(meter_j, settled_j),
            unsettled_j=max(meter_j, settled_j) - settled_j,
            power_w=power_w,
        )


def word(text: str) -> str:
    """A name that anybody gave us as a label: short, and of characters that every program takes."""
    return text[:MOST_WORD].encode("utf-8", "replace").decode("utf-8")


def _of(spreads: dict[str, Spread], model: str, edges: list[float]) -> Spread:
    name = model if model in spreads or len(spreads) < MOST_SPREADS else OTHER
    if name not in spreads:
        spreads[name] = Spread(edges)
    return spreads[name]
