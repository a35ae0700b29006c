"""Settings: option > environment > file > default, and each one knows where it came from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wattermark.errors import UsageError, nearest
from wattermark.wiring.checks import (
    SCOPES,
    check_address,
    check_intensity,
    check_interval,
    check_patience,
    check_pue,
    check_secret,
    check_text,
    check_words,
    check_wue,
    check_yes_no,
    one_of,
)

if TYPE_CHECKING:
    from pathlib import Path

PROJECT_FILE = "wattermark.toml"


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that may be set: how it is checked, and what it means.

    A ``secret`` is told by nobody; what is not ``of_runs`` is no option of a run.
    """

    name: str
    check: Callable[[str, Any], Any]
    help: str
    secret: bool = False
    of_runs: bool = True

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
    signals: str | None = None
    signals_basis: str = "lifecycle"
    signals_patience: float = 20.0
    signals_file: str | None = None
    electricity_maps_key: str | None = field(default=None, repr=False)
    watttime_user: str | None = field(default=None, repr=False)
    watttime_password: str | None = field(default=None, repr=False)
    entsoe_key: str | None = field(default=None, repr=False)
    eia_key: str | None = field(default=None, repr=False)
    openmeteo_key: str | None = field(default=None, repr=False)
    carbon_aware_sdk_url: str | None = None
    carbon_aware_sdk_source: str = ""
    origin: Mapping[str, str] = field(default_factory=dict)


def _of_signals(name: str, check: Callable[[str, Any], Any], text: str, *, secret: bool = False) -> Setting:
    return Setting(name, check, text, secret=secret, of_runs=False)


SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "place", check_text, "where it runs: deu, US-CAMX, aws:eu-west-1 (default: found out, else WORLD)"
        ),
        Setting("pue", check_pue, "facility energy per IT energy (default: the place's)"),
        Setting("wue", check_wue, "on-site water per IT energy [L/kWh] (default: the place's)"),
        Setting("market_intensity", check_intensity, "intensity of the contracted supply [g CO2e/kWh]"),
        Setting(
            "scope",
            one_of(*SCOPES),
            "process: the command and its children; machine: all that the meters saw",
        ),
        Setting("interval", check_interval, "seconds between two looks at the meters"),
        Setting("ledger", check_text, "the folder that keeps the runs"),
        Setting("equivalents", check_yes_no, "show everyday equivalents"),
        _of_signals(
            "signals", check_words, "who is asked what changes by the hour, in order: uk, watttime=ZONE@PLACE"
        ),
        _of_signals("signals_basis", one_of("lifecycle", "direct"), "of carbon: lifecycle or direct"),
        _of_signals("signals_patience", check_patience, "seconds that anybody waits for a provider"),
        _of_signals("signals_file", check_text, "a file with signals of your own"),
        _of_signals("electricity_maps_key", check_secret, "your key of Electricity Maps", secret=True),
        _of_signals("watttime_user", check_secret, "your name at WattTime", secret=True),
        _of_signals("watttime_password", check_secret, "your password at WattTime", secret=True),
        _of_signals("entsoe_key", check_secret, "your token of ENTSO-E's Transparency Platform", secret=True),
        _of_signals("eia_key", check_secret, "your key of the EIA's open data", secret=True),
        _of_signals(
            "openmeteo_key",
            check_secret,
            "your key of Open-Meteo (without one: not for business)",
            secret=True,
        ),
        _of_signals("carbon_aware_sdk_url", check_address, "where your Carbon Aware SDK answers"),
        _of_signals(
            "carbon_aware_sdk_source",
            one_of("", "watttime", "electricity_maps"),
            "where it has its numbers from: watttime or electricity_maps",
        ),
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
        _write(path, tomlkit.dumps(document), private=any(SETTINGS[name].secret for name in document))
    except (OSError, ValueError, tomlkit.exceptions.TOMLKitError) as error:
        raise UsageError(
            f"{path} cannot be changed: {error}", fix="Mend the file or its permissions"
        ) from error
    return path


def _write(path: Path, text: str, *, private: bool) -> None:
    """One that holds a secret is for its owner only, before it holds it."""
    if private:
        path.touch(mode=0o600)
        path.chmod(0o600)
    path.write_text(text, encoding="utf-8")


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
