"""Settings: option > environment > file > default, and each one knows where it came from."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wattermark.errors import UsageError, nearest

if TYPE_CHECKING:
    from pathlib import Path

PROJECT_FILE = "wattermark.toml"
SHORTEST_S, LONGEST_S = 0.01, 3600.0
SCOPES = ("process", "machine")


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that may be set: how it is checked, and what it means."""

    name: str
    check: Callable[[str, Any], Any]
    help: str

    @property
    def variable(self) -> str:
        return f"WATTERMARK_{self.name.upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What holds now. ``origin`` names, for each field, the option, variable or file that set it."""

    place: str | None = None
    pue: float | None = None
    wue: float | None = None
    market_intensity: float | None = None
    scope: str = "process"
    interval: float = 1.0
    ledger: str | None = None
    equivalents: bool = False
    origin: Mapping[str, str] = field(default_factory=dict)


def check_number(low: float, high: float, meaning: str) -> Callable[[str, Any], float]:
    """A check for a number between two ends."""

    def check(name: str, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not low <= number <= high or isinstance(value, bool):
            raise UsageError(
                f"{name} is {value!r}, but {meaning}", fix=f"Give a number from {low:g} to {high:g}"
            )
        return number

    return check


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{name} is {value!r}, not a name", fix=f"Give {name} as text")
    return value.strip()


def _scope(name: str, value: Any) -> str:
    if value not in SCOPES:
        raise UsageError(f"{name} is {value!r}", fix=f"Choose from: {', '.join(SCOPES)}")
    return str(value)


def _yes_no(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    answers = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).lower() not in answers:
        raise UsageError(f"{name} is {value!r}", fix="Say true or false")
    return answers[str(value).lower()]


check_pue = check_number(1.0, 5.0, "facility energy over IT energy lies between 1 and 5")
check_wue = check_number(0.0, 50.0, "litres per kWh are not negative, nor that many")
check_intensity = check_number(0.0, 5000.0, "grams CO2e per kWh are not negative, nor that many")
check_grid_water = check_number(0.0, 200.0, "litres per kWh are not negative, nor that many")
check_interval = check_number(SHORTEST_S, LONGEST_S, "a beat takes from 10 ms to an hour [s]")

SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "place", _text, "where it runs: deu, US-CAMX, aws:eu-west-1 (default: found out, else WORLD)"
        ),
        Setting("pue", check_pue, "facility energy per IT energy (default: the place's)"),
        Setting("wue", check_wue, "on-site water per IT energy [L/kWh] (default: the place's)"),
        Setting("market_intensity", check_intensity, "intensity of the contracted supply [g CO2e/kWh]"),
        Setting("scope", _scope, "process: the command and its children; machine: all that the meters saw"),
        Setting("interval", check_interval, "seconds between two looks at the meters"),
        Setting("ledger", _text, "the folder that keeps the runs"),
        Setting("equivalents", _yes_no, "show everyday equivalents"),
    )
}


def load_config(options: Mapping[str, Any] | None = None) -> Config:
    """All settings, each from the strongest place that names it.

    Raises
    ------
    UsageError
        If a value cannot be meant, or a file names a setting that does not exist.
    """
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for path in (_user_path(), PROJECT_FILE):  # the stronger one last
        for name, value in _file(path).items():
            values[name] = SETTINGS[name].check(f"{name} in {path}", value)
            origin[name] = path
    for name, setting in SETTINGS.items():
        if text := os.environ.get(setting.variable):
            values[name], origin[name] = setting.check(setting.variable, text), setting.variable
    for name, value in (options or {}).items():
        if value is not None:
            values[name], origin[name] = SETTINGS[name].check(name, value), "option"
    return Config(**values, origin={name: origin.get(name, "default") for name in SETTINGS})


def user_file() -> Path:
    """The user's own settings (XDG on Linux)."""
    from pathlib import Path

    return Path(_user_path())


def _user_path() -> str:
    """As a text: an estimate reads settings, and ``pathlib`` takes longer to import than they to read."""
    home = os.path.expanduser("~")  # stays "~" for a user who has none; then there is no such file
    if sys.platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
    elif sys.platform == "win32":
        base = os.environ.get("APPDATA") or os.path.join(home, "AppData", "Roaming")
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return os.path.join(base, "wattermark", "config.toml")


def keep(name: str, text: str) -> Path:
    """Write one setting to the user's file; comments and other settings stay as they are.

    Raises
    ------
    UsageError
        If there is no such setting, the value cannot be meant, or the file cannot be written.
    """
    _known(name, "this command")
    value = SETTINGS[name].check(name, text)
    return _change(lambda document: document.update({name: value}))


def forget(name: str) -> Path:
    """Take one setting out of the user's file.

    Raises
    ------
    UsageError
        If there is no such setting, or the file cannot be written.
    """
    _known(name, "this command")
    if not user_file().exists():
        return user_file()
    return _change(lambda document: document.pop(name, None))


def _change(change: Callable[[MutableMapping[str, Any]], object]) -> Path:
    import tomlkit

    path = user_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
        change(document)
        path.write_text(tomlkit.dumps(document), encoding="utf-8")
    except (OSError, ValueError, tomlkit.exceptions.TOMLKitError) as error:
        raise UsageError(
            f"{path} cannot be changed: {error}", fix="Mend the file or its permissions"
        ) from error
    return path


def _file(path: str) -> Mapping[str, Any]:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", fix="Mend its permissions") from error
    import tomllib

    try:
        values = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML: {error}", fix="Mend or remove the file") from error
    for name in values:
        _known(name, path)
    return values


def _known(name: str, where: str) -> None:
    if name not in SETTINGS:
        near = nearest(name, SETTINGS, most=1)
        fix = f"Did you mean {near[0]}?" if near else f"Settings are: {', '.join(SETTINGS)}"
        raise UsageError(f"there is no setting {name!r} (in {where})", fix=fix)
