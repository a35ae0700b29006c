"""What pages of exporters tell of energy: NVIDIA's DCGM exporter, and Kepler.

References: dcgm-exporter, etc/default-counters.csv (DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION: mJ;
DCGM_FI_DEV_POWER_USAGE: W); Kepler, docs/user/metrics.md (kepler_node_cpu_joules_total by zone, since
0.10) and the names before (kepler_node_package_joules_total by package and mode; kepler_node_info names
the source of the components' power).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wattermark.readers.exposition import count_of, samples
from wattermark.values.kinds import Kind, Part

GPU_MAX_W, CPU_MAX_W, DRAM_MAX_W = 3000.0, 8000.0, 3200.0
"""Of one GPU, and of all sockets together."""
INFO = "kepler_node_info"
MODELS = ("estimator", "none", "")
"""Sources of Kepler's components that are no meter."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric means: ``per_unit`` of our unit are one of its own."""

    part: Part
    kind: Kind
    unit: str
    per_unit: int
    most_w: float
    zone: str = ""
    modelled_too: bool = False


METRICS: Mapping[str, Metric] = {
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": Metric(Part.GPU, Kind.COUNTER, "mJ", 1, GPU_MAX_W),
    "DCGM_FI_DEV_POWER_USAGE": Metric(Part.GPU, Kind.POWER, "mW", 1000, GPU_MAX_W),
    "kepler_node_cpu_joules_total": Metric(Part.CPU, Kind.COUNTER, "uJ", 10**6, CPU_MAX_W),
    "kepler_node_package_joules_total": Metric(
        Part.CPU, Kind.COUNTER, "uJ", 10**6, CPU_MAX_W, "package", modelled_too=True
    ),
    "kepler_node_dram_joules_total": Metric(
        Part.DRAM, Kind.COUNTER, "uJ", 10**6, DRAM_MAX_W, "dram", modelled_too=True
    ),
}
ZONES: Mapping[str, tuple[Part, float]] = {
    "package": (Part.CPU, CPU_MAX_W),
    "dram": (Part.DRAM, DRAM_MAX_W),
    "psys": (Part.PLATFORM, CPU_MAX_W),
}
"""Kepler's; core and uncore lie in their package."""

Key = tuple[str, str]
"""A metric, and whose it is: a GPU's UUID, or a zone."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a page tells of one key; None where no number is told."""

    labels: Mapping[str, str]
    count: int | None


Page = Mapping[Key, Row]


def page_of(body: bytes) -> Page:
    """What a page tells of the metrics that we know, several packages or modes added up.

    Parameters
    ----------
    body : bytes
        Of the page.

    Raises
    ------
    ValueError
        If it is no page of metrics, or tells of several machines.
    """
    rows: dict[Key, Row] = {}
    hosts: set[str] = set()
    for sample in samples(body.decode(), {*METRICS, INFO}):
        hosts.add(sample.labels.get("Hostname") or sample.labels.get("node_name") or "")
        if sample.name == INFO:
            rows[INFO, ""] = Row(sample.labels, None)
            continue
        metric = METRICS[sample.name]
        whose = (
            sample.labels.get("UUID", "")
            if metric.part is Part.GPU
            else sample.labels.get("zone", metric.zone)
        )
        key, count = (sample.name, whose), count_of(sample.shown, metric.per_unit)
        if key not in rows:
            rows[key] = Row(sample.labels, count)
        elif metric.part is not Part.GPU:  # each slice of a GPU tells all of it
            before = rows[key].count
            rows[key] = Row(sample.labels, None if before is None or count is None else before + count)
    if len(hosts - {""}) > 1:
        raise ValueError(f"it tells of {len(hosts - {''})} machines: name the exporter of this one")
    return rows
