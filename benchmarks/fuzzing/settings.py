"""Settings from files and variables: refused by name, or within their bounds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from random import Random

from fuzzing.holds import Broken
from fuzzing.mutate import Case, mutated, mutated_case
from wattermark.errors import WattermarkError
from wattermark.verbs.ambient import ambient_config
from wattermark.wiring.checks import LONGEST_S, SCOPES, SHORTEST_S
from wattermark.wiring.config import (
    PROJECT_FILE,
    SETTINGS,
    Config,
    load_config,
)

FILE = b"""place = "deu"  # where
pue = 1.2
wue = 0.5
market_intensity = 40.0
scope = "machine"
interval = 0.5
ledger = "runs"
equivalents = true
"""
USER_FILE = "config.toml"
VARIABLES = {"PLACE": b"US-CAMX", "PUE": b"1.4", "WUE": b"2", "INTERVAL": b"0.1", "SCOPE": b"process"}


class Settings:
    """The user's file, the project's and variables, mutated."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "wattermark").mkdir(exist_ok=True)

    def case(self, chance: Random) -> Case:
        files = [(name, mutated(chance, FILE)) for name in (USER_FILE, PROJECT_FILE) if chance.random() < 0.6]
        variables = tuple((f"WATTERMARK_{name}", data) for name, data in VARIABLES.items())
        return (*files, *(mutated_case(chance, variables) if chance.random() < 0.5 else ()))

    def check(self, case: Case) -> None:
        with self._set(case):
            with suppress(WattermarkError):
                _check(load_config())
            _check(ambient_config({}))  # a program that runs under us is never stopped by a setting

    @contextmanager
    def _set(self, case: Case) -> Iterator[None]:
        kept = dict(os.environb)
        for name in [name for name in os.environ if name.startswith("WATTERMARK_")]:
            del os.environ[name]
        os.environ["XDG_CONFIG_HOME"] = str(self._folder)
        files = {
            USER_FILE: self._folder / "wattermark" / USER_FILE,
            PROJECT_FILE: self._folder / PROJECT_FILE,
        }
        for path in files.values():
            path.unlink(missing_ok=True)
        for name, data in case:
            if name in files:
                files[name].write_bytes(data)
            else:
                os.environb[name.encode()] = data.replace(b"\0", b"")
        try:
            with chdir(self._folder):
                yield
        finally:
            os.environb.clear()
            os.environb.update(kept)


def _check(config: Config) -> None:
    within = (
        SHORTEST_S <= config.interval <= LONGEST_S
        and config.scope in SCOPES
        and (config.pue is None or 1 <= config.pue <= 5)
        and (config.wue is None or 0 <= config.wue <= 50)
        and (config.market_intensity is None or 0 <= config.market_intensity <= 5000)
        and all(text is None or text.strip() for text in (config.place, config.ledger))
        and isinstance(config.equivalents, bool)
        and set(config.origin) == set(SETTINGS)
    )
    if not within:
        raise Broken(f"settings out of bounds: {config}")
