"""What a run has cost so far, in best values only, for a line that is painted every second."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wattermark.values.footprint import Footprint
    from wattermark.values.range import Range
    from wattermark.values.records import Channel

REFRESHES = 10.0
"""So often, at least, each meter is renewed in a stretch that is done."""
LONGEST_S = 1800.0
"""No stretch is kept longer for a counter that moves too slowly to tell of it. [s]"""


@dataclass(frozen=True, slots=True)
class Running:
    """Sums since the start. [s], [J], [W], [g CO2e], [L]; ``power_w`` is of the last stretch."""

    elapsed_s: float = 0.0
    it_energy_j: float = 0.0
    power_w: float = 0.0
    carbon_g: float = 0.0
    water_l: float = 0.0

    def known(self) -> dict[str, float | None]:
        """Each by its name; what was not seen yet is none, and no zero. Without energy there is no power."""
        power_w = self.power_w if self.it_energy_j else None
        return {name: value or None for name, value in asdict(self).items()} | {"power_w": power_w}

    def no_less_than(self, before: Running) -> Running:
        """The same, but for sums that would fall: what was estimated anew may be a little less."""
        return Running(
            elapsed_s=max(self.elapsed_s, before.elapsed_s),
            it_energy_j=max(self.it_energy_j, before.it_energy_j),
            power_w=self.power_w,
            carbon_g=max(self.carbon_g, before.carbon_g),
            water_l=max(self.water_l, before.water_l),
        )

    def plus(self, stretch: Running) -> Running:
        """Add a stretch that follows."""
        if stretch.elapsed_s <= 0:
            return self
        return Running(
            self.elapsed_s + stretch.elapsed_s,
            self.it_energy_j + stretch.it_energy_j,
            stretch.it_energy_j / stretch.elapsed_s,
            self.carbon_g + stretch.carbon_g,
            self.water_l + stretch.water_l,
        )

    def since(self, earlier: Running) -> Running:
        """What was added after an earlier sum of the same run; ``power_w`` is the mean of it."""
        elapsed_s = self.elapsed_s - earlier.elapsed_s
        it_energy_j = self.it_energy_j - earlier.it_energy_j
        return Running(
            elapsed_s,
            it_energy_j,
            it_energy_j / elapsed_s if elapsed_s > 0 else 0.0,
            self.carbon_g - earlier.carbon_g,
            self.water_l - earlier.water_l,
        )


def so_far(footprint: Footprint, before: Running) -> Running:
    """The best values of a footprint; power since the moment before, as it was then if no meter spoke since.

    Parameters
    ----------
    footprint : Footprint
        Of a run as it stands.
    before : Running
        The same run, a moment ago.
    """
    found = Running(
        elapsed_s=footprint.duration_s,
        it_energy_j=_best(footprint.it_energy_j),
        carbon_g=_best(footprint.carbon_g),
        water_l=_best(footprint.water_l),
    )
    if found.elapsed_s <= before.elapsed_s:
        return replace(found, power_w=before.power_w)
    return replace(found, power_w=max(0.0, found.since(before).power_w))


def _best(value: Range | None) -> float:
    return value.best if value else 0.0


def is_settled(stretch: Running, channels: Iterable[Channel], *, waits: bool) -> bool:
    """Whether a stretch is long enough to be added up with the next one.

    In a short one a slow exporter's counter stands still while the node's meter goes on: what the parts took
    would be taken for the rest of the machine. And a counter of the node that hardly moved would never tell.

    Parameters
    ----------
    stretch : Running
        What was seen in it.
    channels : iterable of Channel
        The meters.
    waits : bool
        Whether a counter of the node may speak later.
    """
    slowest_s = max((channel.refresh_s for channel in channels), default=0.0)
    long_enough = stretch.elapsed_s >= REFRESHES * slowest_s
    return long_enough and (not waits or stretch.elapsed_s >= LONGEST_S)
