"""A page of metrics, looked up by name; and what every engine here is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from wattermark.values.served import EngineLook

Sample = tuple[str, Mapping[str, str], float]
Row = tuple[Mapping[str, str], float]
MOST = 2.0**62
"""No counter shows more, and no cache holds more tokens."""
MODEL_LABELS = ("model_name", "model", "model_id")


@dataclass(frozen=True, slots=True)
class Page:
    """The samples of a page, by the name of their metric."""

    rows: Mapping[str, Sequence[Row]]

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Page:
        """What is not finite, below nothing or beyond ``MOST`` is no amount, and is left out."""
        found: dict[str, list[Row]] = {}
        for name, labels, value in samples:
            if 0 <= value <= MOST:
                found.setdefault(name, []).append((labels, value))
        return cls(found)

    def told(self, *names: str) -> Sequence[Row]:
        """The rows of the first of some names that the page has: the new one stands before the old one."""
        return next((self.rows[name] for name in names if name in self.rows), ())

    def models(self, *names: str) -> list[str]:
        """The models that rows of these names are of; an empty name where none is told."""
        rows = [row for name in names for row in self.rows.get(name, ())]
        return sorted({model_of(labels) for labels, _ in rows})

    def total(self, names: Sequence[str], model: str, **where: str) -> float | None:
        """The sum of a model's rows of the first name that has any; None where it is not told."""
        for name in names:
            found = [
                v for labels, v in self.rows.get(name, ()) if is_of(labels, model) and _fits(labels, where)
            ]
            if found:
                return sum(found)
        return None

    def totals(self, counters: Mapping[str, Sequence[str]], model: str) -> dict[str, Any]:
        """For each of our words what a model's metrics show, by the names that they may have."""
        return {word: self.total(names, model) for word, names in counters.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine: the metrics that are read, those by which it is known, and how they become looks.

    ``path`` is where its metrics usually are; ``energy_path`` where it tells its own energy, if it does.
    """

    name: str
    wanted: frozenset[str]
    known_by: tuple[str, ...]
    looks: Callable[[Page, int], list[EngineLook]]
    path: str = "/metrics"
    energy_path: str = ""


def model_of(labels: Mapping[str, str]) -> str:
    """Which model a row is of; empty where it does not say."""
    return next((labels[name] for name in MODEL_LABELS if labels.get(name)), "")


def is_of(labels: Mapping[str, str], model: str) -> bool:
    """Whether a row is of a model, or of the whole page."""
    return model_of(labels) in (model, "")


def sane(look: EngineLook) -> EngineLook:
    """A look without what no engine can have, such as more kept tokens than there are bytes."""
    wrong: dict[str, Any] = {
        field.name: None
        for field in fields(look)
        if isinstance(value := getattr(look, field.name), float) and not 0 <= value <= MOST
    }
    return replace(look, **wrong) if wrong else look


def plus(one: float | None, other: float | None) -> float | None:
    """The sum of what is known; None where neither is."""
    return one if other is None else other if one is None else one + other


def _fits(labels: Mapping[str, str], where: Mapping[str, str]) -> bool:
    return all(labels.get(name) == value for name, value in where.items())
