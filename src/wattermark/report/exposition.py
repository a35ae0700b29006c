"""What a run has cost so far in the text that Prometheus reads: counters in base units.

References: Prometheus, "Exposition formats" (text format 0.0.4) and "Metric and label naming" (base units,
``_total`` for counters).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wattermark.science.running import Running
    from wattermark.values.records import RunHeader

COUNTERS: Final = {
    "wattermark_run_seconds_total": ("elapsed_s", "Time that the run was recorded."),
    "wattermark_run_energy_joules_total": ("it_energy_j", "IT energy of the run, best value."),
    "wattermark_run_carbon_grams_total": (
        "carbon_g",
        "Carbon of the run in CO2e, embodied included, best value.",
    ),
    "wattermark_run_water_liters_total": ("water_l", "Water that the run consumed, best value."),
}


def exposition(header: RunHeader, so_far: Running) -> str:
    """Four counters of one run, which only rise while it lasts.

    Parameters
    ----------
    header : RunHeader
        Lends the labels.
    so_far : Running
        Sums since the start.
    """
    return "".join(_lines(header, so_far))


def _lines(header: RunHeader, so_far: Running) -> Iterator[str]:
    labels = {"run": header.run, "name": header.name, "host": header.host}
    told = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    for name, (field, meaning) in COUNTERS.items():
        if value := getattr(so_far, field):  # what was not seen yet is absent, and no zero
            yield f"# HELP {name} {meaning}\n# TYPE {name} counter\n{name}{{{told}}} {value!r}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
