"""One class per tool, under its documented use and without network: start, stop, joules.

Imported in the tool's own environment, also where the cost of every import is measured: nothing
but builtins is imported before a tool is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Tracker(Protocol):
        """What is asked of every tool."""

        def start(self) -> None: ...

        def stop(self) -> None: ...

        def result(self) -> Result:
            """What the tool keeps of the run."""

    Result = dict[str, Any]
    """``joules`` and ``range`` (low, high) by part: cpu, dram, gpu; ``says``: words that tell of energy
    that was not seen; ``guesses``: parts that are marked as modelled."""


J_PER_KWH = 3.6e6
TOLD = ("gap", "lost", "missing", "unread", "fail", "incomplete")


class Wattermark:
    """All that the meters saw, as the others report it."""

    def __init__(self, interval: float | None) -> None:
        import wattermark

        self._run = wattermark.track(scope="machine", interval=interval, ledger="ledger")

    def start(self) -> None:
        self._run.start()

    def stop(self) -> None:
        self._run.stop()

    def result(self) -> Result:
        footprint = self._run.footprint()
        sums: dict[str, list[float]] = {}
        for part in footprint.components:
            if part.counted and part.energy_j is not None:
                low, best, high = sums.get(part.kind, (0.0, 0.0, 0.0))
                one = part.energy_j
                sums[part.kind] = [low + one.low, best + one.best, high + one.high]
        return {
            "joules": {kind: best for kind, (_, best, _) in sums.items()},
            "range": {kind: [low, high] for kind, (low, _, high) in sums.items()},
            "says": [flag for flag in footprint.flags if flag.startswith("gap:")],
            "guesses": [part.kind for part in footprint.components if part.quality == "modelled"],
        }


class CodeCarbon:
    """The offline tracker: the online one asks the network where it is."""

    def __init__(self, interval: float | None) -> None:
        from codecarbon import OfflineEmissionsTracker

        every = {} if interval is None else {"measure_power_secs": interval}
        self._tracker = OfflineEmissionsTracker(
            country_iso_code="FRA", log_level="error", save_to_file=True, **every
        )

    def start(self) -> None:
        self._tracker.start()

    def stop(self) -> None:
        self._tracker.stop()

    def result(self) -> Result:
        found = self._tracker.final_emissions_data
        energies = {"cpu": found.cpu_energy, "dram": found.ram_energy, "gpu": found.gpu_energy}
        with open("emissions.csv") as file:
            cells = file.read().replace("\n", ",").split(",")
        return {
            "joules": {kind: kwh * J_PER_KWH for kind, kwh in energies.items()},
            "range": {},
            "says": [cell for cell in cells if any(word in cell.lower() for word in TOLD)],
            "guesses": [],  # its file has no such mark
        }


TRACKERS: dict[str, Callable[[float | None], Tracker]] = {
    "wattermark": Wattermark,
    "codecarbon": CodeCarbon,
}


def tracker(tool: str, interval: float | None = None) -> Tracker:
    """A new tracker that keeps its files in the current folder."""
    return TRACKERS[tool](interval)


def first_line(tool: str) -> None:
    """Import what a user's first line names."""
    if tool == "wattermark":
        from wattermark import track  # noqa: F401
    else:
        from codecarbon import OfflineEmissionsTracker  # noqa: F401
