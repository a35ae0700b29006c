"""Meters by name. Ours are listed here; a stranger's come by the entry point ``wattermark.readers``.

Looking entry points up costs 40 ms (importlib.metadata), more than all the rest of a start, so
only who names a stranger's reader pays for it (decision 0002).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from wattermark.errors import PluginError
from wattermark.values.ports import Reader

GROUP = "wattermark.readers"
VARIABLE = "WATTERMARK_READERS"

OWN: Mapping[str, str] = {
    "perf": "wattermark.readers.perf:PerfReader",
    "rapl": "wattermark.readers.rapl:RaplReader",
    "nvml": "wattermark.readers.nvml:NvmlReader",
    "amd": "wattermark.readers.amd:AmdReader",
    "gaudi": "wattermark.readers.gaudi:GaudiReader",
    "hwmon": "wattermark.readers.hwmon:HwmonReader",
    "level_zero": "wattermark.readers.level_zero:LevelZeroReader",
    "battery": "wattermark.readers.battery:BatteryReader",
    "apple": "wattermark.readers.apple:AppleReader",
    "emi": "wattermark.readers.emi:EmiReader",
    "ipmi": "wattermark.readers.ipmi:IpmiReader",
    "redfish": "wattermark.readers.redfish:RedfishReader",
    "prometheus": "wattermark.readers.prometheus:PrometheusReader",
    "load": "wattermark.readers.load:LoadReader",
}
ONLY_ON: Mapping[str, str] = {
    **dict.fromkeys(("perf", "rapl", "amd", "gaudi", "hwmon", "level_zero", "battery", "ipmi"), "linux"),
    "apple": "darwin",
    "emi": "win32",
}
"""Meters of one system, by its ``sys.platform``: others do not even import them, nor advise to mend them."""


def reader_openers(names: tuple[str, ...] | None = None) -> dict[str, Callable[..., Reader]]:
    """What opens each reader, imported only when it is called.

    Parameters
    ----------
    names : tuple of str, optional
        Which; by default those of ours that this system can have, and those that ``WATTERMARK_READERS``
        (commas) adds.
    """
    if names is None:
        named = os.environ.get(VARIABLE, "")
        names = (
            *(name for name in OWN if ONLY_ON.get(name, sys.platform) == sys.platform),
            *(name.strip() for name in named.split(",") if name.strip() and name.strip() not in OWN),
        )
    return {name: _opener(name) for name in names}


def load(group: str, own: Mapping[str, str], name: str, kind: str) -> Any:
    """What stands behind a name: one of ours, or what an installed package offers.

    Parameters
    ----------
    group : str
        Of entry points.
    own : mapping
        Ours, as ``module:attribute``.
    name, kind : str
        Which, and what it is, for errors.

    Raises
    ------
    PluginError
        If there is none, there are two, or it cannot be imported.
    """
    if name in own:
        module, _, attribute = own[name].partition(":")
        return getattr(import_module(module), attribute)
    from importlib.metadata import entry_points

    found = list(entry_points(group=group, name=name))
    if not found:
        raise PluginError(f"no {kind} {name!r} is installed", fix=f"Choose from: {', '.join(own)}")
    if len(found) > 1:
        raise PluginError(
            f"two packages offer a {kind} {name!r}",
            fix=f"Uninstall one of: {', '.join(point.value for point in found)}",
        )
    try:
        return found[0].load()
    except AttributeError as error:
        raise PluginError(
            f"the {kind} {name!r} is not what its package says: {error}", fix="Report it to its makers"
        ) from error
    except ImportError as error:
        raise PluginError(
            f"the {kind} {name!r} needs {error.name}", fix=f"Run: pip install {error.name}"
        ) from error


def _opener(name: str) -> Callable[..., Reader]:
    def opened(*arguments: Any, **options: Any) -> Reader:
        opener: Callable[..., Reader] = load(GROUP, OWN, name, "reader")
        return opener(*arguments, **options)

    return opened
