"""Exporters that the user named, as meters: NVIDIA's DCGM exporter, and Kepler.

For machines on which the exporter may read a meter and the program may not. What NVML or RAPL read here
is not read there: ``covers`` says the same words. What Kepler models is no measurement, and is left out.

References: dcgm-exporter, README (by default it collects every 30 s); Kepler, docs/user/configuration.md
(monitor.interval: 5 s).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from wattermark.errors import NamedMeterUnavailable, ReaderAbsent
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

if TYPE_CHECKING:
    from wattermark.readers.exporters import Key, Page
    from wattermark.readers.web import Poller, Site

VARIABLE = "WATTERMARK_PROMETHEUS_URL"
DCGM_REFRESH_S, KEPLER_REFRESH_S = 30.0, 5.0
SHORTEST_S = 1.0
ACCEPT = "text/plain;version=0.0.4"


class PrometheusReader:
    """One channel for each GPU that the program may see, and for each zone of Kepler's.

    Parameters
    ----------
    addresses : str, optional
        Of the exporters, separated by spaces; by default what ``WATTERMARK_PROMETHEUS_URL`` says.
    visible : str or None, optional
        As ``CUDA_VISIBLE_DEVICES``: indices, UUIDs or their prefixes. None is all.

    Raises
    ------
    ReaderUnavailable
        If none is named, or none answers with a metric that we know.
    """

    def __init__(self, addresses: str | None = None, visible: str | None = None) -> None:
        named = (os.environ.get(VARIABLE, "") if addresses is None else addresses).split()
        if not named:
            raise ReaderAbsent(
                "no exporter is named",
                fix=f"If one tells energy here, set {VARIABLE}=http://localhost:9400/metrics",
            )
        visible = os.environ.get("CUDA_VISIBLE_DEVICES") if visible is None else visible
        from wattermark.readers.web import Site

        self._pollers = _asked([Site(address, VARIABLE) for address in named])
        found = _found(self._pollers, visible)
        self._sources = [(poller, key) for poller, key, _ in found]
        self.channels: Sequence[Channel] = [channel for _, _, channel in found]

    def period_s(self, interval_s: float) -> float:
        """The user's interval, or a second where power has to be sampled; never less than a second. [s]"""
        counters = all(channel.kind is Kind.COUNTER for channel in self.channels)
        return max(SHORTEST_S, interval_s) if counters else SHORTEST_S

    def read(self) -> Sequence[int | None]:
        """Millijoules and milliwatts of GPUs, microjoules of zones, as the last pages told.

        Raises
        ------
        OSError
            If no exporter tells anything any more: why.
        """
        pages = {id(poller): poller.latest() for poller in self._pollers}
        if not any(page is not None for page in pages.values()):
            _complain(self._pollers)
        told = [(pages[id(poller)] or {}).get(key) for poller, key in self._sources]
        return [None if row is None else row.count for row in told]

    def close(self) -> None:
        for poller in self._pollers:
            poller.close()


def _asked(sites: Iterable[Site]) -> list[Poller[Page]]:
    """All at once: each answers in its own time."""
    from wattermark.readers.web import Poller

    return [Poller(partial(_page, site), site.name) for site in sites]


def _page(site: Site) -> Page:
    from wattermark.readers.exporters import page_of

    try:
        return page_of(site.fetch(accept=ACCEPT))
    except ValueError as error:
        why = "not UTF-8" if isinstance(error, UnicodeError) else error
        raise ValueError(f"{site.name} tells no metrics: {why}") from None


def _found(pollers: Sequence[Poller[Page]], visible: str | None) -> list[tuple[Poller[Page], Key, Channel]]:
    """What they tell, each part once."""
    from wattermark.readers.web import PATIENCE_S

    until_s = time.monotonic() + PATIENCE_S
    found: dict[str, tuple[Poller[Page], Key, Channel]] = {}
    for poller in pollers:
        page = poller.first(max(0.0, until_s - time.monotonic()))
        for key, channel in _channels(page or {}, visible):
            found.setdefault(channel.name, (poller, key, channel))
    if not found:
        for poller in pollers:
            poller.close()
        why = "; ".join(poller.problem or f"{poller.name} tells no energy that we know" for poller in pollers)
        raise NamedMeterUnavailable(why, fix=f"Correct or unset {VARIABLE}")
    return list(found.values())


def _complain(pollers: Iterable[Poller[Page]]) -> None:
    problems = [poller.problem for poller in pollers if poller.problem]
    if problems:
        raise OSError("; ".join(problems))


def _channels(page: Page, visible: str | None) -> list[tuple[Key, Channel]]:
    return [*_gpus(page, visible), *_zones(page)]


def _gpus(page: Page, visible: str | None) -> list[tuple[Key, Channel]]:
    """By their energy where it is told, else by their power."""
    from wattermark.readers.exporters import METRICS

    chosen: dict[str, Key] = {}
    for name, metric in METRICS.items():
        for key in page:
            if key[0] == name and metric.part is Part.GPU and key[1] and page[key].count is not None:
                chosen.setdefault(key[1], key)
    seen = _seen([(uuid, page[key].labels.get("gpu", "")) for uuid, key in chosen.items()], visible)
    return [(chosen[uuid], _gpu(chosen[uuid], page, len(chosen) - len(seen))) for uuid in seen]


def _seen(gpus: Sequence[tuple[str, str]], visible: str | None) -> list[str]:
    """UUIDs that the program may see."""
    if visible is None:
        return [uuid for uuid, _ in gpus]
    from wattermark.readers.visible import each_named

    return list(dict.fromkeys(each_named(visible, lambda entry: _named(gpus, entry))))


def _named(gpus: Sequence[tuple[str, str]], entry: str) -> str | None:
    by_prefix = entry.startswith("GPU-")
    named = [uuid for uuid, index in gpus if (uuid.startswith(entry) if by_prefix else index == entry)]
    return named[0] if entry and len(named) == 1 else None


def _gpu(key: Key, page: Page, hidden: int) -> Channel:
    from wattermark.readers.exporters import METRICS

    metric, labels = METRICS[key[0]], page[key].labels
    return Channel(
        name=f"gpu/{labels.get('gpu') or key[1]}", kind=metric.kind, part=Part.GPU, unit=metric.unit,
        covers=f"gpu/{key[1]}", power_max_w=metric.most_w, refresh_s=DCGM_REFRESH_S, uuid=key[1],
        device=labels.get("modelName", ""), hidden=hidden,
        note="as its exporter tells, up to half a minute late",
    )  # fmt: skip


def _zones(page: Page) -> list[tuple[Key, Channel]]:
    from wattermark.readers.exporters import INFO, METRICS, MODELS, ZONES

    source = page[INFO, ""].labels.get("components_power_source") if (INFO, "") in page else None
    found: dict[str, tuple[Key, Channel]] = {}
    for key in page:
        metric = METRICS.get(key[0])
        if metric is None or metric.part is Part.GPU or key[1] not in ZONES:
            continue
        if not (metric.modelled_too and source in MODELS):
            found.setdefault(key[1], (key, _zone(key[1], *ZONES[key[1]])))
    return list(found.values())


def _zone(zone: str, part: Part, most_w: float) -> Channel:
    counted = part is not Part.PLATFORM
    return Channel(
        name=f"{part}/kepler-{zone}", kind=Kind.COUNTER, part=part, unit="uJ", power_max_w=most_w,
        covers=part.value if counted else "", refresh_s=KEPLER_REFRESH_S, counted=counted, device="Kepler",
    )  # fmt: skip
