"""What every estimate stands on: the factors of a site, the hardware that is held, and the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from wattermark.errors import UsageError
from wattermark.factors.accelerators import accelerator_named
from wattermark.factors.hardware import host_factors, host_power_factor, sheet_factors
from wattermark.factors.table import named
from wattermark.factors.training import system_power_factor
from wattermark.report.numbers import COUNT, say
from wattermark.science.sizes import experts_like, layers_like
from wattermark.science.sketch_training import sheet_powers, system_power
from wattermark.science.terms import Energy
from wattermark.values.factors import Factor, Place
from wattermark.values.jobs import Site
from wattermark.values.workload import Accelerator, Architecture
from wattermark.verbs.place import check_place, factors_at, place_recorded

LIFE = ("server_lifetime_years", "accelerator_utilisation")
GIVEN = ("pue", "wue", "market_intensity", "intensity", "grid_water")
DEVICES = (
    ("embodied_device_carbon", "embodied_device_water"),
    ("embodied_host_carbon", "embodied_host_water"),
)


@dataclass(frozen=True, slots=True)
class Ground:
    """A place, and all factors that do not depend on the work."""

    place: Place
    factors: tuple[Factor, ...]
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrainingPower:
    """What an accelerator draws while it trains, by parts, and how that is known."""

    powers: Mapping[str, Energy]
    factors: tuple[Factor, ...]
    assumption: str


def training_power(accelerator: Accelerator, given_w: float | None = None) -> TrainingPower:
    """As given, as measured of this accelerator, else by its data sheet."""
    if given_w is not None:
        return TrainingPower(system_power(), (given_factor("training_system_w", given_w, "W"),), "")
    measured = system_power_factor(accelerator.id)
    if measured is not None:
        said = f"power of {accelerator.id} with its host as others measured it (--power-w)"
        return TrainingPower(system_power(), (measured,), said)
    said = "power as published runs drew it, and a host around the accelerators (--power-w)"
    factors = (*defaults(("training_power_fraction",)), host_power_factor(accelerator.tdp_w))
    return TrainingPower(sheet_powers(accelerator.tdp_w), factors, said)


@lru_cache(maxsize=256)
def ground(site: Site, accelerator_id: str) -> Ground:
    """The factors of a site, and of the hardware that is held there.

    Raises
    ------
    UsageError
        If the place is not known, or a number of the site cannot be meant.
    """
    place = check_place(site.place) if site.place else place_recorded(None, "")
    factors = (
        *factors_at(place, **_given(site)),
        *(named("defaults", name) for name in LIFE),
        *sheet_factors(accelerator_id),
        *host_factors(accelerators=True),
    )
    nowhere = () if site.place else ("no place was given: the world's mean, with a wide interval",)
    return Ground(place, factors, nowhere)


def _given(site: Site) -> dict[str, Any]:
    """What the user gave of the site, checked as settings are."""
    given = {name: value for name in GIVEN if (value := getattr(site, name)) is not None}
    if not given:
        return {}
    from wattermark.wiring.checks import check_grid_water, check_intensity
    from wattermark.wiring.config import SETTINGS

    checks = {
        **{name: SETTINGS[name].check for name in ("pue", "wue", "market_intensity")},
        "intensity": check_intensity,
        "grid_water": check_grid_water,
    }
    return {name: checks[name](name, value) for name, value in given.items()}


def accelerator_of(name: str) -> Accelerator:
    """The data sheet of an accelerator.

    Raises
    ------
    UsageError
        If nobody knows it; the nearest names are offered.
    """
    return _accelerators(name)


@lru_cache(maxsize=256)
def _accelerators(name: str) -> Accelerator:
    return accelerator_named(name)


def model_of(
    *, model: str | None, config: str | None, params: float | None, active_params: float | None
) -> Architecture:
    """A model by its name, by its ``config.json`` or by its size.

    Raises
    ------
    UsageError
        If the name is not known, the file cannot be understood, or nothing was given.
    """
    if model is not None:
        from wattermark.factors.shapes.models import architecture_named

        return architecture_named(model)
    if config is not None:
        from pathlib import Path

        from wattermark.factors.shapes.model_config import read_config

        return read_config(Path(config))
    if params is None:
        raise UsageError("the model is not known", fix="Give --model, --config or --params")
    return _by_size(params, active_params)


def _by_size(params: float, active_params: float | None) -> Architecture:
    return Architecture(
        name=f"a model of {say(params, COUNT)} parameters",
        params=params,
        active_params=active_params or params,
        experts=experts_like(params, active_params or params),
        layers=round(layers_like(params)),
    )


def defaults(names: Iterable[str]) -> tuple[Factor, ...]:
    """Factors of our table of defaults."""
    return tuple(named("defaults", name) for name in names)


def given_factor(name: str, value: float, unit: str) -> Factor:
    """A factor that the user gave."""
    from wattermark.factors.places import given

    return given(name, value, unit, 0)
