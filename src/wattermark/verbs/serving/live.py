"""What requests have taken so far, while they are served: provisional, bounded, and beside the event loop."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from math import nan
from pathlib import Path

from wattermark.errors import FOREIGN, WattermarkError
from wattermark.factors.table import named
from wattermark.science.sharing.columns import Cost
from wattermark.science.sharing.live import (
    MINUTE_NS,
    Lately,
    Part,
    Settled,
    Stretch,
    Tried,
    lately,
    or_none,
    power_w,
    rest_w,
    scaled,
    settle,
    weight_j,
)
from wattermark.science.sharing.rates import Rates
from wattermark.values.jobs import Site
from wattermark.values.served import NO_ANSWER, Route, Served
from wattermark.verbs.ambient import place_asked
from wattermark.verbs.estimates.ground import accelerator_of
from wattermark.verbs.live import Look, looks
from wattermark.verbs.serving.counts import Counts, Sums, Who, word
from wattermark.verbs.serving.elsewhere import place_is_told
from wattermark.verbs.serving.priors import MOST_MODELS, base_of, cost_named
from wattermark.verbs.serving.rates import TYPICAL_GPU, rates_named
from wattermark.verbs.tell import tell
from wattermark.wiring.config import Config

BEAT_S = 1.0
MOST_PARTS = 200_000
"""Requests that wait for their windows to be settled; of more, the oldest get nothing."""
OPEN = "open"
"""How a request ended that has not, when its first windows are settled."""
MOST_QUIET = 600
"""Windows in which nobody ran, that tell the power at rest."""


class Open:
    """A request that is under way; whoever relays it may say when its answer began, and count its pieces."""

    __slots__ = ("begin_ns", "chunks", "energy_j", "first_ns", "model", "route", "tenant")

    def __init__(self, begin_ns: int, model: str, tenant: str, route: Route) -> None:
        self.begin_ns, self.model, self.tenant, self.route = begin_ns, model, tenant, route
        self.first_ns: int | None = None
        self.chunks = 0
        self.energy_j = 0.0  # of windows that could not wait for its end


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
        self._pid, self._gpu = os.getpid(), gpu
        self._site = _site(config, here=self.metered)
        self._rest = named("defaults", "gpu_idle_fraction").value.best
        self._looks: Iterator[Look] | None = looks(spool) if spool is not None else None
        self._lock, self._wake, self._over = threading.RLock(), threading.Event(), threading.Event()
        self._notes: deque[tuple[Served, Open | None]] = deque()
        self._open: dict[int, Open] = {}
        self._counts = Counts()
        self._models: dict[str, int] = {}
        self._bases: dict[str, int] = {}
        self._costs: list[Cost] = []
        self._rates: dict[str, Rates | None] = {}
        self._parts: list[Part] = []
        self._joules: list[float] = []
        self._stretches: list[Stretch] = []
        self._last: Look | None = None
        self._tried: deque[Tried] = deque()
        self._quiet: deque[tuple[float, float]] = deque(maxlen=MOST_QUIET)
        self._most_w = 0.0
        self._power_w: float | None = None
        self._told: set[str] = set()
        self._thread = threading.Thread(target=self._live, name="wattermark-live", daemon=True)
        if start:
            self._thread.start()

    def begins(self, begin_ns: int, *, model: str = "", tenant: str = "", route: Route = Route.OTHER) -> Open:
        """A request came; what is answered belongs to its ``note``."""
        seat = Open(begin_ns, word(model), word(tenant), route)
        self._open[id(seat)] = seat
        if seat.model not in self._rates and len(self._models) < MOST_MODELS:
            self._wake.set()  # so that its rates are known before it ends
        return seat

    def note(self, served: Served, seat: Open | None = None) -> None:
        """It ended, however it did."""
        if os.getpid() == self._pid and not self._over.is_set():
            self._notes.append((served, seat))
        if seat is not None:
            self._open.pop(id(seat), None)

    def learn(self, model: str) -> None:
        """Look a model up now, in the caller's time: milliseconds, once."""
        if model not in self._models:
            with self._lock:
                self._place("")
                self._place(model)

    def rates(self, model: str) -> Rates | None:
        """What requests to a model are estimated to take, as far as that is known by now."""
        return self._rates.get(word(model))

    def cost(self, model: str) -> Cost | None:
        """What requests to a model weigh, as far as that is known by now."""
        place = self._models.get(word(model))
        return None if place is None else self._costs[place]

    def close(self) -> None:
        """Take what is left, and end; twice is no harm."""
        if self._over.is_set() or os.getpid() != self._pid:
            return
        self._over.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def sums(self) -> Sums:
        """What there is to tell now."""
        with self._lock:
            return self._counts.sums(
                quality=self.quality,
                meter_j=self._last.so_far.it_energy_j if self._last else 0.0,
                power_w=self._power_w,
                still=len(self._open),
            )

    def beat(self) -> None:
        """Take what was noted and what the meters saw since, and settle what can be settled."""
        for model in {"", *(one.model for one in list(self._open.values()))}:
            self.learn(model)
        now_ns = time.monotonic_ns()
        waiting = list(self._open.values())  # before notes are taken: who ends now is in one of both
        with self._lock:
            taken = self._take()
        if self._looks is None:
            return
        with suppress(StopIteration):
            self._see(next(self._looks))
        still = [one for one in waiting if id(one) not in taken]  # what ends from here on is in the next beat
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

    def _place(self, model: str, provider: str = "") -> int:
        """The place of a model's costs; those that nobody knows, and too many, share one."""
        place = self._models.get(model)
        if place is not None and provider and self._rates[model] is None:  # who provides it was not known yet
            self._rates[model] = rates_named(model, self._site, provider, self._gpu)
        if place is None:
            if len(self._models) >= MOST_MODELS:
                return 0
            base = base_of(model)
            place = self._bases.setdefault(base, len(self._costs))
            if place == len(self._costs):
                self._costs.append(cost_named(base, accelerator_of(self._gpu).id))
            self._rates[model] = rates_named(model, self._site, provider, self._gpu)
            self._models[model] = place
        return place

    def _take(self) -> set[int]:
        """Count what was noted; answers whose seats these were."""
        taken: set[int] = set()
        with suppress(IndexError):
            while True:
                one, seat = self._notes.popleft()
                self._count(one, seat)
                taken.add(id(seat))
        too_many = max(len(self._parts) - MOST_PARTS, 0)
        del self._parts[:too_many], self._joules[:too_many]
        return taken

    def _count(self, one: Served, seat: Open | None) -> None:
        part = part_of(one, self._counts.count(one), self._place(word(one.model), one.provider))
        if self.metered:
            self._parts.append(part)
            self._joules.append(seat.energy_j if seat is not None else 0.0)
        elif one.worked:
            self._estimate(one, part)

    def _estimate(self, one: Served, part: Part) -> None:
        rates = self.rates(one.model)
        if rates is None or not one.usage.is_known:
            self._counts.unaccounted += 1
            return
        self._counts.estimate(
            part.group, word(one.model), rates.of(or_none(part.read), or_none(part.written))
        )

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
            groups=self._counts.groups,
            idle_w=rest_w(self._quiet, otherwise_w=scaled(self._most_w, self._rest)),
        )
        with self._lock:
            self._counts.settle(found)
            del self._stretches[: len(ready)]
            shares_j = found.request_j.tolist()
            for i, energy_j in zip(touching, shares_j, strict=False):
                self._joules[i] += energy_j
            for one, energy_j in zip(still, shares_j[len(touching) :], strict=True):
                one.energy_j += energy_j
            self._let_go(end_ns, found.running)
        self._quiet.extend(found.quiet)
        self._remember(found, end_ns)

    def _let_go(self, end_ns: int, running: float) -> None:
        """Requests all of whose windows are settled."""
        kept_parts, kept_joules = [], []
        names = self._counts.names
        for part, energy_j in zip(self._parts, self._joules, strict=True):
            if part.end_ns > end_ns:
                kept_parts.append(part)
                kept_joules.append(energy_j)
            elif energy_j > 0:
                self._counts.request_energy(names[part.group].model, energy_j)
                weight = weight_j(self._costs[part.model], running, part)
                self._tried.append(Tried(end_ns, energy_j, weight))
        self._parts, self._joules = kept_parts, kept_joules

    def _remember(self, found: Settled, end_ns: int) -> None:
        """Requests of the last minute that is settled."""
        since_ns = end_ns - MINUTE_NS
        while self._tried and self._tried[0].at_ns < since_ns:
            self._tried.popleft()
        now = lately(self._tried, found)
        if now is None and self.lately is not None:  # nobody ended: what the last ones took still holds
            now = replace(self.lately, running=found.running)
        self.lately = now

    def _under_way(self, one: Open, now_ns: int) -> Part:
        group = self._counts.group(Who(one.model, one.tenant, one.route, OPEN))
        first_ns = nan if one.first_ns is None else one.first_ns
        place = self._place(one.model)
        return Part(group, place, one.begin_ns, first_ns, now_ns, nan, 0.0, nan, nan, one.chunks)


def part_of(served: Served, group: int = 0, model: int = 0) -> Part:
    """A request that ended, as shares and weights see it; one that no model saw took no time."""
    usage = served.usage
    if not served.worked:
        return Part(group, model, served.begin_ns, served.begin_ns, served.begin_ns, 0.0, 0.0, 0.0, 0.0)
    cached = float(usage.cached_tokens or 0)
    read = nan if usage.input_tokens is None else max(float(usage.input_tokens) - cached, 0.0)
    written = nan if usage.output_tokens is None else float(usage.output_tokens)
    if usage.output_tokens is None and served.route in NO_ANSWER:
        written = 0.0
    first_ns = served.first_ns if served.first_ns is not None and served.streamed else nan
    passes = nan if usage.passes is None else float(usage.passes)
    return Part(
        group, model, served.begin_ns, first_ns, served.end_ns, read, cached, written, passes, served.chunks
    )


def _site(config: Config, *, here: bool) -> Site:
    """Where the models run: here, or where others have them."""
    placed = here or place_is_told(config)
    return Site(
        place=place_asked(config).place if placed else None,
        pue=config.pue,
        wue=config.wue,
        market_intensity=config.market_intensity,
    )
