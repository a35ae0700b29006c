"""Providers of signals by name, and what of the settings each one needs.

Ours are listed here; a stranger's comes by the entry point ``wattermark.signals`` when the setting
``signals`` names it (decision 0002). It is called without arguments, and finds its own key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wattermark.errors import UsageError
from wattermark.values.ports import MixProvider, Provider
from wattermark.wiring.config import SETTINGS, Config
from wattermark.wiring.registry import load

GROUP = "wattermark.signals"

OWN: Mapping[str, str] = {
    "electricity_maps": "wattermark.signals.electricity_maps:ElectricityMaps",
    "watttime": "wattermark.signals.watttime:WattTime",
    "uk": "wattermark.signals.uk:UkCarbonIntensity",
    "carbon_aware_sdk": "wattermark.signals.carbon_aware_sdk:CarbonAwareSdk",
    "entsoe": "wattermark.signals.entsoe:Entsoe",
    "eia": "wattermark.signals.eia:Eia",
    "open_meteo": "wattermark.signals.open_meteo:OpenMeteo",
}
NEEDS: Mapping[str, tuple[str, ...]] = {
    "electricity_maps": ("electricity_maps_key",),
    "watttime": ("watttime_user", "watttime_password"),
    "carbon_aware_sdk": ("carbon_aware_sdk_url",),
    "entsoe": ("entsoe_key",),
    "eia": ("eia_key",),
}
"""Settings without which a provider is not asked; they are its first arguments."""
TAKES: Mapping[str, Mapping[str, str]] = {
    "electricity_maps": {"basis": "signals_basis"},
    "carbon_aware_sdk": {"source": "carbon_aware_sdk_source"},
    "entsoe": {"basis": "signals_basis"},
    "eia": {"basis": "signals_basis"},
    "open_meteo": {"key": "openmeteo_key"},
}
"""Arguments of a provider, and the settings that they are."""
ADDRESSED = ("electricity_maps", "watttime", "uk", "entsoe", "eia", "open_meteo")
"""Those that a variable such as ``WATTERMARK_UK_URL`` sends elsewhere: a proxy, or a test."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A provider that the user named, and their zone of it: for one place, or for any."""

    name: str
    zone: str = ""
    place: str = ""


def wanted(config: Config) -> tuple[Wanted, ...]:
    """Who is to be asked, in that order: ``uk, electricity_maps=DE@deu``.

    Raises
    ------
    UsageError
        If a word cannot be meant.
    """
    words = [word.strip() for word in (config.signals or "").split(",")]
    return tuple(_wanted(word, config) for word in words if word)


def build(name: str, config: Config) -> Provider | MixProvider:
    """The provider of that name, with what the user set for it.

    Raises
    ------
    UsageError
        If it needs a setting that is not there.
    PluginError
        If nobody of that name is installed, or it cannot be used.
    """
    for setting in NEEDS.get(name, ()):
        if getattr(config, setting) is None:
            raise UsageError(
                f"{name} needs {setting}",
                fix=f"Run: wattermark config set {setting} -, or set {SETTINGS[setting].variable}",
            )
    given = [getattr(config, setting) for setting in NEEDS.get(name, ())]
    taken = {word: getattr(config, setting) for word, setting in TAKES.get(name, {}).items()}
    address = os.environ.get(f"WATTERMARK_{name.upper()}_URL", "")
    if address and name in ADDRESSED:
        taken["address"] = SETTINGS["carbon_aware_sdk_url"].check(f"WATTERMARK_{name.upper()}_URL", address)
    opener: Callable[..., Any] = load(GROUP, OWN, name, "provider")
    provider: Provider | MixProvider = opener(*given, **taken)
    return provider


def _wanted(word: str, config: Config) -> Wanted:
    name, equals, rest = (part.strip() for part in word.partition("="))
    zone, at, place = (part.strip() for part in rest.partition("@"))
    if not name or (equals and not zone) or (at and not place):
        raise UsageError(
            f"signals holds {word!r} ({config.origin.get('signals', 'option')})",
            fix="Write providers with commas between them, as in: uk, electricity_maps=DE@deu",
        )
    return Wanted(name, zone, place)
