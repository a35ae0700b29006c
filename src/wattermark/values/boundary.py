"""Energy at a boundary. IT energy and facility energy are different things, so they are different types.

PUE turns one into the other, once. WUE multiplies IT energy; the grid's carbon and water multiply
facility energy. A function that is handed the wrong one raises ``TypeError``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Number: TypeAlias = "float | NDArray[np.float64]"
"""One value, or one for each draw."""


@dataclass(frozen=True, slots=True)
class ItEnergy:
    """Energy that the IT equipment took. [J]"""

    joules: Number


@dataclass(frozen=True, slots=True)
class FacilityEnergy:
    """Energy that the building took for it, cooling and losses included. [J]"""

    joules: Number
