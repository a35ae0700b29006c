"""What holds around a program that runs under us: settings and place, from outside its own arguments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from wattermark.errors import UsageError
from wattermark.verbs.tell import tell
from wattermark.wiring.config import SETTINGS, Config, load_config
from wattermark.wiring.whereami import Whereabouts, where_am_i


def ambient_config(options: Mapping[str, Any]) -> Config:
    """Settings for a program that runs under us: its own arguments must be right, and raise if
    not; a broken file or variable is told and passed over, since the program is not at fault."""
    try:
        return load_config(options)
    except UsageError:
        mine = {name: value for name, value in options.items() if value is not None}
        checked = _checked_alone(mine)
        tell("%s", _ambient_fault())
        return checked


def _checked_alone(options: Mapping[str, Any]) -> Config:
    values = {name: SETTINGS[name].check(name, value) for name, value in options.items()}
    origin = {name: "option" if name in values else "default" for name in SETTINGS}
    return Config(**values, origin=origin)


def _ambient_fault() -> str:
    try:
        load_config()
    except UsageError as error:
        return f"{error} (settings from files and variables are passed over)"
    return "settings changed while they were read"


def place_asked(config: Config) -> Whereabouts:
    if config.place is not None:
        how = config.origin.get("place", "option")
        return Whereabouts(config.place, "the option --place or place=" if how == "option" else how)
    return _whereabouts()


@cache
def _whereabouts() -> Whereabouts:
    """A process does not move."""
    return where_am_i()
