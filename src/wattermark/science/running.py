"""What a run has cost so far, in best values only, for a line that is painted every second."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Running:
    """Sums since the start. [s], [J], [W], [g CO2e], [L]; ``power_w`` is of the last stretch."""

    elapsed_s: float = 0.0
    it_energy_j: float = 0.0
    power_w: float = 0.0
    carbon_g: float = 0.0
    water_l: float = 0.0

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
