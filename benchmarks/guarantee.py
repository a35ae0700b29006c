"""A behaviour that must hold, and the ways to break it that its tests must see."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One way to break it: in words, as an edit, and who must see it."""

    how: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What holds, which other tools fail it, and how it is shown that our tests do not."""

    number: int
    holds: str
    peers: str
    cases: tuple[Case, ...]

    @property
    def tests(self) -> tuple[str, ...]:
        """All tests of its cases, each once."""
        return tuple(dict.fromkeys(test for case in self.cases for test in case.tests))


def row(number: int, holds: str, peers: str, *cases: Case) -> Guarantee:
    return Guarantee(number, holds, peers, cases)


def case(how: str, file: str, old: str, new: str, *tests: str) -> Case:
    return Case(how, file, old, new, tests)
