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


class CarbonTracker:
    """One epoch. DRAM is folded into its CPU figure; its PUE is left out, as no meter sees it."""

    def __init__(self, interval: float | None) -> None:
        from carbontracker.tracker import CarbonTracker as Their

        every = {} if interval is None else {"update_interval": interval}
        self._tracker = Their(epochs=1, epochs_before_pred=0, verbose=0, **every)
        self._samples = self._tracker.tracker

    def start(self) -> None:
        self._tracker.epoch_start()

    def stop(self) -> None:
        self._tracker.epoch_end()

    def result(self) -> Result:
        times = self._samples.epoch_times
        joules = {
            one.name: float(sum(one.energy_usage(times))) * J_PER_KWH for one in self._samples.components
        }
        return {"joules": joules, "range": {}, "says": [], "guesses": []}


class Eco2ai:
    """TDP times the process's own utilisation; it reads no counter of a processor."""

    def __init__(self, interval: float | None) -> None:
        import warnings

        warnings.simplefilter("ignore")
        import eco2ai

        every = {} if interval is None else {"measure_period": interval}
        self._tracker = eco2ai.Tracker(
            file_name="emission.csv", alpha_2_code="FR", ignore_warnings=True, **every
        )

    def start(self) -> None:
        self._tracker.start()
        one = self._tracker
        self._parts = {"cpu": one._cpu, "dram": one._ram, "gpu": one._gpu}  # stop() lets go of them

    def stop(self) -> None:
        self._tracker.stop()

    def result(self) -> Result:
        joules = {name: part._consumption * J_PER_KWH for name, part in self._parts.items()}
        return {"joules": joules, "range": {}, "says": [], "guesses": []}


class Zeus:
    """A window; it takes no interval."""

    def __init__(self, interval: float | None) -> None:
        from zeus.monitor import ZeusMonitor

        self._monitor = ZeusMonitor()

    def start(self) -> None:
        self._monitor.begin_window("job", sync_execution=False)

    def stop(self) -> None:
        self._found = self._monitor.end_window("job", sync_execution=False)

    def result(self) -> Result:
        found = self._found
        parts = {"cpu": found.cpu_energy, "dram": found.dram_energy, "gpu": found.gpu_energy}
        joules = {name: float(sum(each.values())) for name, each in parts.items() if each}
        return {"joules": joules, "range": {}, "says": [], "guesses": []}


class Perun:
    """It calls a function of the user's; here that function waits, in a thread of its own, for the stop."""

    def __init__(self, interval: float | None) -> None:
        from perun.configuration import config, sanitize_config, save_to_config
        from perun.core import Perun as Their

        save_to_config("data_out", "perun")
        save_to_config("format", "json")
        if interval is not None:
            save_to_config("sampling_period", interval)
        sanitize_config(config)
        self._config, self._perun = config, Their(config)
        self._nodes: list[Any] = []
        self._perun._postprocess_callbacks["bench"] = self._nodes.append

    def start(self) -> None:
        import threading

        from perun.monitoring.application import Application

        began, self._over = threading.Event(), threading.Event()

        def body() -> None:
            began.set()
            self._over.wait()

        job = (Application(body, self._config),)
        self._thread = threading.Thread(target=self._perun.monitor_application, args=job, daemon=True)
        self._thread.start()
        if not began.wait(60):
            raise RuntimeError("perun did not begin")

    def stop(self) -> None:
        self._over.set()
        self._thread.join(90)

    def result(self) -> Result:
        node = self._nodes[0]
        run = next(iter(node.nodes.values())) if node.nodes else node
        metrics = {str(name): metric for name, metric in run.metrics.items()}
        names = {"cpu": "cpu_energy", "dram": "dram_energy", "gpu": "gpu_energy"}
        joules = {part: _si(metrics[name]) for part, name in names.items() if name in metrics}
        return {"joules": joules, "range": {}, "says": [], "guesses": []}


def _si(metric: Any) -> float:
    """A metric of perun's in its base unit."""
    value = metric.value if hasattr(metric, "value") else metric.mean
    return float(value) * float(metric.metric_md.mag.value)


class PyJoules:
    """Two reads and a difference; it takes no interval."""

    def __init__(self, interval: float | None) -> None:
        from pyJoules.device import DeviceFactory
        from pyJoules.energy_meter import EnergyMeter

        self._meter = EnergyMeter(DeviceFactory.create_devices())

    def start(self) -> None:
        self._meter.start("job")

    def stop(self) -> None:
        self._meter.stop()

    def result(self) -> Result:
        energy = dict(self._meter.get_trace()[0].energy)
        words = {"cpu": ("package", 1e-6), "dram": ("dram", 1e-6), "gpu": ("nvidia", 1e-3)}
        joules = {}
        for part, (word, joules_each) in words.items():
            found = [count * joules_each for name, count in energy.items() if name.startswith(word)]
            if found:
                joules[part] = float(sum(found))
        return {"joules": joules, "range": {}, "says": [], "guesses": []}


TRACKERS: dict[str, Callable[[float | None], Tracker]] = {
    "wattermark": Wattermark,
    "codecarbon": CodeCarbon,
    "zeus": Zeus,
    "carbontracker": CarbonTracker,
    "perun": Perun,
    "eco2ai": Eco2ai,
    "pyJoules": PyJoules,
}
NO_INTERVAL = ("zeus", "pyJoules")
"""Tools that look when a window begins and ends, whatever is asked."""


def tracker(tool: str, interval: float | None = None) -> Tracker:
    """A new tracker that keeps its files in the current folder."""
    return TRACKERS[tool](interval)


def first_line(tool: str) -> None:
    """Import what a user's first line names."""
    if tool == "wattermark":
        from wattermark import track  # noqa: F401
    else:
        from codecarbon import OfflineEmissionsTracker  # noqa: F401
