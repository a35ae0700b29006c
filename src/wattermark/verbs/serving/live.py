"""What requests have taken so far, while they are served: provisional, bounded, and beside the event loop."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import nan
from pathlib import Path

from wattermark.errors import FOREIGN, WattermarkError
from wattermark.factors.table import named
from wattermark.science.sharing.columns import Cost
from wattermark.science.sharing.live import (
    Lately,
    Ledgers,
    Part,
    Rates,
    Settled,
    Spread,
    Stretch,
    Tried,
    duration_s,
    edges_by_decade,
    idle_w,
    lately,
    power_w,
    settle,
    weight_j,
)
from wattermark.values.jobs import Site
from wattermark.values.served import Outcome, Route, Served
from wattermark.values.units import NS_PER_S
from wattermark.verbs.ambient import place_asked
from wattermark.verbs.live import Look, looks
from wattermark.verbs.serving.priors import MOST_MODELS, TYPICAL_GPU, cost_named, rates_named
from wattermark.verbs.tell import tell
from wattermark.wiring.config import Config

BEAT_S = 1.0
MINUTE_NS = 60 * NS_PER_S
MOST_GROUPS = 1000
"""Sets of labels; what comes after them goes together."""
MOST_SPREADS = 100
"""Models with histograms of their own."""
MOST_PARTS = 200_000
"""Requests that wait for their windows to be settled; of more, the oldest get nothing."""
MOST_QUIET = 600
ENERGY_EDGES_J = edges_by_decade(1e-3, 1e6, (1.0, 2.5, 5.0))
TIME_EDGES_S = edges_by_decade(1e-2, 1e3, (1.0, 2.5, 5.0))
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


class Open:
    """A request that is under way; whoever relays it may say when its answer began, and count its pieces."""

    __slots__ = ("begin_ns", "chunks", "first_ns", "model", "route", "tenant")

    def __init__(self, begin_ns: int, model: str, tenant: str, route: Route) -> None:
        self.begin_ns, self.model, self.tenant, self.route = begin_ns, model, tenant, route
        self.first_ns: int | None = None
        self.chunks = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """All that is told to monitoring, at a moment. Counters only rise. [J], [g CO2e], [L], [s], [W]

    ``energy`` has group, ledger, quality, energy, carbon and water; energies of meters and ``unsettled_j``
    add up to ``meter_j``. Spreads have each edge with how many were no larger, and their sum.
    """

    energy: tuple[tuple[Who, str, str, float, float, float], ...]
    requests: tuple[tuple[Who, int], ...]
    tokens: tuple[tuple[Who, str, int], ...]
    request_energy: tuple[tuple[str, list[tuple[float, int]], float], ...]
    request_time: tuple[tuple[str, list[tuple[float, int]], float], ...]
    unaccounted: int
    open: int
    meter_j: float
    unsettled_j: float
    power_w: float | None
    quality: str


class Live:
    """Told what begins and what ends at the cost of an append; a slow thread of its own does the sums.

    Parameters
    ----------
    config : Config
        Tells the place.
    spool : Path, optional
        Of the run with the meters of the machine that serves; without one the estimator speaks.
    gpu : str
        On which open models are taken to run, for what they weigh and are estimated.
    start : bool
        Whether it has a thread; else somebody calls ``beat``.
    """

    def __init__(
        self, config: Config, spool: Path | None = None, *, gpu: str = TYPICAL_GPU, start: bool = True
    ) -> None:
        self.metered = spool is not None
        self.lately: Lately | None = None
        self.quality = "estimated"
        self._site, self._gpu = _site(config), gpu
        self._rest = named("defaults", "gpu_idle_fraction").value.best
        self._looks: Iterator[Look] | None = looks(spool) if spool is not None else None
        self._pid = os.getpid()
        self._notes: deque[Served] = deque()
        self._open: dict[int, Open] = {}
        self._lock, self._wake, self._over = threading.Lock(), threading.Event(), threading.Event()
        self._groups: dict[Who, int] = {NOBODY: 0}
        self._models: dict[str, int] = {}
        self._costs: list[Cost] = []
        self._rates: dict[str, Rates | None] = {}
        self._ledgers = Ledgers(MOST_GROUPS + 2)
        self._requests: dict[int, int] = {}
        self._tokens: dict[tuple[int, str], int] = {}
        self._energies: dict[str, Spread] = {}
        self._times: dict[str, Spread] = {}
        self._unaccounted = 0
        self._parts: list[Part] = []
        self._joules: list[float] = []
        self._stretches: list[Stretch] = []
        self._last: Look | None = None
        self._tried: deque[Tried] = deque()
        self._quiet_w: deque[float] = deque(maxlen=MOST_QUIET)
        self._most_w = 0.0
        self._power_w: float | None = None
        self._told: set[str] = set()
        if start:
            self._thread = threading.Thread(target=self._live, name="wattermark-live", daemon=True)
            self._thread.start()

    def begins(self, begin_ns: int, *, model: str = "", tenant: str = "", route: Route = Route.OTHER) -> Open:
        """A request came; what is answered belongs to its ``note``."""
        seat = Open(begin_ns, model, tenant, route)
        self._open[id(seat)] = seat
        if model not in self._rates and len(self._models) < MOST_MODELS:
            self._wake.set()  # so that its rates are known before it ends
        return seat

    def note(self, served: Served, seat: Open | None = None) -> None:
        """It ended, however it did."""
        if os.getpid() == self._pid and not self._over.is_set():
            self._notes.append(served)
        if seat is not None:
            self._open.pop(id(seat), None)

    def rates(self, model: str) -> Rates | None:
        """What requests to a model are estimated to take, as far as that is known by now."""
        return self._rates.get(model)

    def cost(self, model: str) -> Cost | None:
        """What requests to a model weigh, as far as that is known by now."""
        place = self._models.get(model)
        return None if place is None else self._costs[place]

    def close(self) -> None:
        """Take what is left, and end; twice is no harm."""
        if self._over.is_set() or os.getpid() != self._pid:
            return
        self._over.set()
        self._wake.set()
        if thread := getattr(self, "_thread", None):
            thread.join()

    def sums(self) -> Sums:
        """What there is to tell now."""
        with self._lock:
            names = list(self._groups)
            settled_j = self._ledgers.metered_j
            meter_j = max(self._last.so_far.it_energy_j if self._last else 0.0, settled_j)
            return Sums(
                energy=tuple(
                    (
                        names[group],
                        ledger,
                        "estimated" if ledger == "undivided" else self.quality,
                        j,
                        g,
                        litres,
                    )
                    for group, ledger, j, g, litres in self._ledgers.rows()
                ),
                requests=tuple((names[group], many) for group, many in self._requests.items()),
                tokens=tuple((names[group], kind, many) for (group, kind), many in self._tokens.items()),
                request_energy=tuple((m, s.cumulative(), s.total) for m, s in self._energies.items()),
                request_time=tuple((m, s.cumulative(), s.total) for m, s in self._times.items()),
                unaccounted=self._unaccounted,
                open=len(self._open),
                meter_j=meter_j,
                unsettled_j=meter_j - settled_j,
                power_w=self._power_w,
                quality=self.quality,
            )

    def beat(self) -> None:
        """Take what was noted and what the meters saw since, and settle what can be settled."""
        self._learn()
        now_ns = time.monotonic_ns()
        waiting = list(self._open.values())  # before notes are taken: who ends now is in one of both
        with self._lock:
            self._take()
        if self._looks is None:
            return
        with suppress(StopIteration):
            self._see(next(self._looks))
        still = [one for one in waiting if id(one) in self._open]
        begun_ns = min((one.begin_ns for one in waiting), default=now_ns)
        until_ns = max(begun_ns, now_ns - MINUTE_NS)
        ready = [one for one in self._stretches if one.end_ns <= until_ns]
        if ready:
            self._settle(ready, [one for one in still if one.begin_ns < ready[-1].end_ns], now_ns)

    def _live(self) -> None:
        while not self._over.is_set():
            self._wake.wait(BEAT_S)
            self._wake.clear()
            self._guarded()
        self._guarded()

    def _guarded(self) -> None:
        try:
            self.beat()
        except (*FOREIGN, WattermarkError) as error:
            self.warn("live", f"what requests take now cannot be told ({type(error).__name__}: {error})")

    def warn(self, cause: str, message: str) -> None:
        """Say something once for each cause."""
        if cause not in self._told:
            self._told.add(cause)
            tell("%s", message)

    def _learn(self) -> None:
        """Look up models that were named, of which nobody asked before; the first is the one without a name."""
        self._place("")
        for model in {one.model for one in list(self._open.values())}:
            self._place(model)

    def _place(self, model: str) -> int:
        """The place of a model's costs; those that nobody knows, and too many, share one."""
        place = self._models.get(model)
        if place is None:
            if len(self._models) >= MOST_MODELS:
                return 0
            place = len(self._costs)
            self._costs.append(cost_named(model, self._gpu))
            self._rates[model] = rates_named(model, self._site, self._gpu)
            self._models[model] = place
        return place

    def _group(self, who: Who) -> int:
        """The number of a group; the first of too many opens the rest."""
        group = self._groups.get(who)
        if group is None:
            if len(self._groups) >= MOST_GROUPS and who != REST:
                return self._group(REST)
            group = self._groups[who] = len(self._groups)
        return group

    def _take(self) -> None:
        with suppress(IndexError):
            while True:
                self._count(self._notes.popleft())
        too_many = max(len(self._parts) - MOST_PARTS, 0)
        del self._parts[:too_many], self._joules[:too_many]

    def _count(self, one: Served) -> None:
        group = self._group(Who(one.model, one.tenant, one.route, one.outcome))
        self._requests[group] = self._requests.get(group, 0) + 1
        usage = one.usage
        told = (usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.reasoning_tokens)
        for kind, many in zip(TOKENS, told, strict=True):
            if many is not None:
                self._tokens[group, kind] = self._tokens.get((group, kind), 0) + many
        _spread(self._times, one.model, TIME_EDGES_S).add(duration_s(one.begin_ns, one.end_ns))
        part = part_of(one, group, self._place(one.model))
        if self.metered:
            self._parts.append(part)
            self._joules.append(0.0)
        else:
            self._estimate(one, part)

    def _estimate(self, one: Served, part: Part) -> None:
        rates = self.rates(one.model)
        if rates is None or not one.usage.is_known or not _worked(one):
            self._unaccounted += _worked(one)
            return
        energy_j, carbon_g, water_l = rates.of(_known(part.read), _known(part.written))
        self._ledgers.add_estimate(part.group, energy_j, carbon_g, water_l)
        _spread(self._energies, one.model, ENERGY_EDGES_J).add(energy_j)

    def _see(self, look: Look) -> None:
        """A window is closed when the meters have moved, and never takes anything back."""
        if look.end_ns == 0:
            return
        self.quality = "measured" if look.measured else "modelled"
        last = self._last or Look(look.begin_ns, look.begin_ns)
        if look.end_ns <= last.end_ns or look.so_far.it_energy_j <= last.so_far.it_energy_j:
            return
        so_far = look.so_far.no_less_than(last.so_far)
        since = so_far.since(last.so_far)
        stretch = Stretch(
            begin_ns=last.end_ns,
            end_ns=look.end_ns,
            energy_j=since.it_energy_j,
            carbon_g=since.carbon_g,
            water_l=since.water_l,
        )
        self._stretches.append(stretch)
        power = self._power_w = power_w(stretch)
        self._most_w = max(self._most_w, power)
        self._last = Look(look.begin_ns, look.end_ns, so_far, look.measured)

    def _settle(self, ready: list[Stretch], still: list[Open], now_ns: int) -> None:
        """Share windows among requests that have ended, and those that go on for longer than a minute."""
        begin_ns, end_ns = ready[0].begin_ns, ready[-1].end_ns
        touching = [
            i for i, part in enumerate(self._parts) if part.begin_ns < end_ns and part.end_ns > begin_ns
        ]
        parts = [self._parts[i] for i in touching] + [self._under_way(one, now_ns) for one in still]
        found = settle(
            ready,
            parts,
            self._costs,
            groups=len(self._groups),
            idle_w=idle_w(self._quiet_w, self._most_w, self._rest),
        )
        with self._lock:
            self._ledgers.add(found)
            del self._stretches[: len(ready)]
            for i, energy_j in zip(touching, found.request_j.tolist(), strict=False):
                self._joules[i] += energy_j
            self._let_go(end_ns)
        self._quiet_w.extend(found.quiet_w.tolist())
        self._remember(found, now_ns)

    def _let_go(self, end_ns: int) -> None:
        """Requests all of whose windows are settled."""
        kept_parts, kept_joules = [], []
        names = list(self._models)
        few = self.lately.running if self.lately else 1.0
        for part, energy_j in zip(self._parts, self._joules, strict=True):
            if part.end_ns > end_ns:
                kept_parts.append(part)
                kept_joules.append(energy_j)
            elif energy_j > 0:
                _spread(self._energies, names[part.model], ENERGY_EDGES_J).add(energy_j)
                weight = weight_j(self._costs[part.model], few, part)
                self._tried.append(Tried(end_ns, energy_j, weight, duration_s(part.begin_ns, part.end_ns)))
        self._parts, self._joules = kept_parts, kept_joules

    def _remember(self, found: Settled, now_ns: int) -> None:
        since_ns = now_ns - MINUTE_NS
        while self._tried and self._tried[0].at_ns < since_ns:
            self._tried.popleft()
        begin_ns = max(since_ns, self._last.begin_ns if self._last else now_ns)
        per_j = (found.carbon_g_per_j, found.water_l_per_j)
        self.lately = lately(self._tried, since_ns=begin_ns, until_ns=now_ns, per_j=per_j)

    def _under_way(self, one: Open, now_ns: int) -> Part:
        group = self._group(Who(one.model, one.tenant, one.route, Outcome.OK))
        written = nan if not one.chunks else float(one.chunks)
        first_ns = now_ns if one.first_ns is None else one.first_ns
        place = self._place(one.model)
        return Part(group, place, one.begin_ns, first_ns, now_ns, nan, 0.0, written, nan)


def part_of(served: Served, group: int = 0, model: int = 0) -> Part:
    """A request that ended, as shares and weights see it."""
    usage = served.usage
    cached = float(usage.cached_tokens or 0)
    read = nan if usage.input_tokens is None else max(float(usage.input_tokens) - cached, 0.0)
    written = nan if usage.output_tokens is None else float(usage.output_tokens)
    if usage.output_tokens is None and served.chunks:
        written = float(served.chunks)
    if not _worked(served):
        read, cached, written = 0.0, 0.0, 0.0
    first_ns = served.first_ns if served.first_ns is not None and served.streamed else served.end_ns
    passes = nan if usage.passes is None else float(usage.passes)
    return Part(group, model, served.begin_ns, first_ns, served.end_ns, read, cached, written, passes)


def _worked(served: Served) -> bool:
    """Whether the engine had anything to do with it."""
    return served.outcome not in (Outcome.REFUSED, Outcome.UNREACHED)


def _known(tokens: float) -> float:
    return tokens if tokens == tokens else 0.0


def _spread(spreads: dict[str, Spread], model: str, edges: list[float]) -> Spread:
    name = model if model in spreads or len(spreads) < MOST_SPREADS else OTHER
    if name not in spreads:
        spreads[name] = Spread(edges)
    return spreads[name]


def _site(config: Config) -> Site:
    return Site(
        place=place_asked(config).place,
        pue=config.pue,
        wue=config.wue,
        market_intensity=config.market_intensity,
    )
