"""Numbers from outside, with their papers; and the place that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from wattermark.values.range import Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A number from outside.

    ``name`` is its part in the formulas (``pue``), ``key`` whose value it is (``aws:eu-west-1``).
    Both together are its identity: the same factor in two footprints has the same error.
    ``least`` is a physical bound that no draw may pass (a PUE is at least 1).
    """

    name: str
    value: Range
    unit: str
    key: str
    year: int
    basis: str
    source: str
    note: str = ""
    least: float = 0.0

    @property
    def identity(self) -> str:
        return f"{self.name}@{self.key}"


def of_this_run(name: str, value: Range, *, basis: str, note: str) -> Factor:
    """What nobody knows of one run, as a factor of its own; its low end is the least that it can be. [1]

    Parameters
    ----------
    name : str
        Its part in the formulas.
    value : Range
        Of the energy that it is about. [1]
    basis, note : str
        What it rests on, and what is to be said of it.
    """
    return Factor(
        name=name, value=value, unit="1", key="this run", year=0, basis=basis, source="run", note=note,
        least=value.low,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A paper, a report or a data set that numbers come from; ``url`` may be ``doi:...``."""

    id: str
    title: str
    publisher: str
    version: str
    licence: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something ran: what was asked, what that was taken for, and by which steps."""

    asked: str | None
    resolved: str
    name: str
    steps: tuple[str, ...]
    grid: str
    scarcity_site: str
    scarcity_grid: str
    region: str = ""
    guess: bool = False
    unknown: bool = False
    flags: tuple[str, ...] = ()
