"""Work that was not run: its terms, and the time that it holds hardware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wattermark.science.terms import Energy, Term
from wattermark.values.boundary import Number
from wattermark.values.kinds import Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """Work that was not run: its terms, the accelerator time that it holds, and what else is asked.

    ``held_s`` are seconds times accelerators; ``amounts`` functions of the factors as well.
    """

    terms: tuple[Term, ...]
    held_s: Energy
    amounts: Mapping[str, Energy]


def known_besides(sketch: Sketch, amounts: Mapping[str, Number]) -> Sketch:
    """A sketch, and what else is known of it.

    Parameters
    ----------
    sketch : Sketch
        The work.
    amounts : mapping
        By name, in the unit that ends it.
    """
    known = {name: _constant(value) for name, value in amounts.items()}
    return Sketch(terms=sketch.terms, held_s=sketch.held_s, amounts={**sketch.amounts, **known})


def _constant(value: Number) -> Energy:
    return lambda _: value


def together(first: Sketch, second: Sketch) -> Sketch:
    """Two works that belong to one another; amounts of both names are added.

    Parameters
    ----------
    first : Sketch
        One of them; its other amounts go before those of the second.
    second : Sketch
        The other.
    """
    both = {**second.amounts, **first.amounts}
    added = {
        name: _sum(first.amounts[name], second.amounts[name])
        for name in first.amounts.keys() & second.amounts.keys()
    }
    return Sketch(
        terms=(*first.terms, *second.terms),
        held_s=_sum(first.held_s, second.held_s),
        amounts={**both, **added},
    )


def _sum(one: Energy, other: Energy) -> Energy:
    return lambda values: one(values) + other(values)


def term(name: str, run: Energy) -> Term:
    """A part that was not run.

    Parameters
    ----------
    name : str
        Of the part; it tells what kind it is.
    run : callable
        From the factors to its energy. [J]
    """
    kind = {"hosts": "host", "experiments": "experiments", "service": "service"}.get(name, "gpu")
    return Term(name=name, kind=kind, quality=Quality.MODELLED, run=run, how="estimated")
