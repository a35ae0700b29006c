"""Stages: a run whose spans are opened in one hook of a trainer and closed in another."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from wattermark.science.running import Running
from wattermark.values.range import Range
from wattermark.verbs.live import watch
from wattermark.verbs.measure import Run
from wattermark.verbs.opening import rank_here
from wattermark.verbs.per import energy_per, per_units
from wattermark.verbs.track import track

TOTALS = ("it_energy_j", "carbon_g", "water_l")
OFTEN_S = 1.0
"""Costs are worked out again after this time at the soonest: who logs each step must not pay for it."""
LOOK_S, LAST_LOOK_S, GLANCE_S = 0.02, 0.1, 0.002
"""How long a cost waits, at most, for the look at the meters that was asked for: meanwhile, at the end."""


class Stages:
    """One run at a time of a trainer that calls us back, and what it has cost so far.

    Parameters
    ----------
    options : mapping
        What ``track`` takes, checked at once; ``name`` and ``tags`` hold for each run.

    Raises
    ------
    UsageError
        If an option cannot be meant.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = dict(options)
        track(**self.options)
        self.run: Run | None = None
        self._spans: list[tuple[str, AbstractContextManager[None]]] = []
        self._begin_counting(iter(()))

    def __reduce__(self) -> tuple[type[Stages], tuple[dict[str, Any]]]:
        """A copy, or what another process gets, has its own runs."""
        return Stages, (self.options,)

    @property
    def open(self) -> bool:
        """Whether a run is being recorded."""
        return self.run is not None and self.run.recording

    @staticmethod
    def records(*, first_here: bool) -> bool:
        """Whether a process has a run: each rank of a job, else the first of a machine, which sees all."""
        return first_here or rank_here() is not None

    def begin(self, name: str, tags: Mapping[str, object]) -> None:
        """Start a run; one that was left open ends."""
        self.end()
        given = self.options.get("tags") or {}
        named = {**self.options, "name": self.options.get("name") or name}
        known = {key: value for key, value in tags.items() if value not in (None, "")}
        run = self.run = track(**{**named, "tags": {**known, **given}}).start()
        self._begin_counting(watch(run.spool) if run.spool else iter(()))

    def _begin_counting(self, costs: Iterator[Running]) -> None:
        self._costs = costs
        self._total = self._counted = Running()
        self._units = 0
        self._renewed_s = -math.inf

    def enter(self, span: str, label: object = "", of: int | None = None) -> None:
        """Open a span, one ``of`` so many; one of that name that was left open ends."""
        if self.run is None or not self.open:
            return
        self.leave(span)
        opened = self.run.span(span, label, of=of)
        opened.__enter__()
        self._spans.append((span, opened))

    def leave(self, span: str) -> None:
        """Close a span and all that were opened within it; nothing if there is none."""
        while any(name == span for name, _ in self._spans):
            _, opened = self._spans.pop()
            opened.__exit__(None, None, None)

    def end(self, error: BaseException | None = None) -> None:
        """Close what is open; an exception makes the run a failed one, by its type."""
        while self._spans:
            self.leave(self._spans[0][0])
        if self.run is not None and self.open:
            self.run.__exit__(type(error) if error is not None else None, error, None)

    def costs(self) -> dict[str, float]:
        """Best values since the run began, by their names; nothing that is not known."""
        if time.monotonic() - self._renewed_s >= OFTEN_S:
            self._renew()
        return self._known()

    def last_costs(self) -> dict[str, float]:
        """The same by a look that is taken now, for the last time that costs are told."""
        if self.run is not None:
            self.run.look()
        self._renew(patience_s=LAST_LOOK_S)
        return self._known()

    def costs_of(self, unit: str) -> dict[str, float]:
        """The same at the end of an epoch, and the mean energy of the epochs since that was told."""
        self._units += 1
        found = self.costs()
        each_j = energy_per(self._total.since(self._counted).it_energy_j, self._units)
        if each_j:
            found[f"it_energy_j_per_{unit}"] = each_j
            self._counted, self._units = self._total, 0
        return found

    def per(self, counts: Mapping[str, float | None]) -> dict[str, Range | None]:
        """Energy so far for one of each; None where energy or count is not known. [J]"""
        return per_units(self.run.footprint().it_energy_j if self.run else None, counts)

    def _known(self) -> dict[str, float]:
        found = {name: getattr(self._total, name) for name in TOTALS}
        return {name: value for name, value in found.items() if value > 0}

    def _renew(self, patience_s: float = LOOK_S) -> None:
        """Read on in the spool, and wait a moment for the look that was asked for."""
        if not self.open:
            return
        before, now_s = self._total, time.monotonic()
        while self._total is before and time.monotonic() - now_s < patience_s:
            time.sleep(GLANCE_S)
            self._total = next(self._costs, before)
        self._renewed_s = time.monotonic()
