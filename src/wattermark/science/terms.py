"""A term: the energy of one part of the machine, as a function of the factors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number
from wattermark.values.kinds import Quality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wattermark.science.timeline import Timeline

Energy = Callable[[Values], Number]


@dataclass(frozen=True, slots=True)
class Slots:
    """The energy of a part without a meter, in slots of the run: ``edge_s`` (n + 1,) [s], energy (n,) [J]."""

    edge_s: NDArray[np.float64]
    energy_j: Callable[[Values], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The energy of one part, as a function of the factors. [J]"""

    name: str
    kind: str
    quality: Quality
    run: Energy | None
    machine: Energy | None = None
    others: Energy | None = None
    idle: Energy | None = None
    seen_s: float = 0.0
    unseen_s: float = 0.0
    counted: bool = True
    device: str = ""
    how: str = ""
    track: Timeline | None = None
    slots: Slots | None = None
