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


GROUPED: Final = ("model", "tenant", "route", "outcome")
"""Labels of what requests took; all are empty where it is nobody's (provisioned idle)."""
SERVING: Final = {
    "wattermark_serving_energy_joules_total": "IT energy of requests; all ledgers add up to the meter.",
    "wattermark_serving_carbon_grams_total": "Carbon of requests in CO2e, embodied included.",
    "wattermark_serving_water_liters_total": "Water that requests consumed, embodied included.",
    "wattermark_serving_requests_total": "Requests that ended, however they did.",
    "wattermark_serving_tokens_total": "Tokens; cached ones are input, reasoning ones are output as well.",
    "wattermark_serving_unaccounted_requests_total": "Requests of which no energy can be told or estimated.",
    "wattermark_serving_request_energy_joules": "Energy of a request, dynamic and active idle, once settled.",
    "wattermark_serving_request_duration_seconds": "From the head of a request to the end of its answer.",
    "wattermark_serving_meter_energy_joules_total": "IT energy that the meters of this machine saw.",
    "wattermark_serving_meter_power_watts": "Mean power between the last two looks at the meters.",
    "wattermark_serving_unsettled_energy_joules": "Energy of the meters that waits for open requests to end.",
    "wattermark_serving_open_requests": "Requests that are under way.",
}
"""What ``/metrics`` of a relay tells, and what it means."""
