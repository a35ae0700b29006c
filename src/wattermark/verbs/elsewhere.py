"""Account a run as if it had been recorded elsewhere, at another time, or with other numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wattermark.values.footprint import Footprint
from wattermark.values.kinds import Scope
from wattermark.values.records import Recorded
from wattermark.verbs.account import account_run
from wattermark.verbs.place import parse_when
from wattermark.wiring.config import SETTINGS

CHECKED = ("place", "pue", "wue", "market_intensity", "scope")


def check_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were given, each as it is to be used.

    Raises
    ------
    UsageError
        If one cannot be meant.
    """
    for name in options:
        if name not in CHECKED:
            raise TypeError(f"account() has no argument {name!r}; it takes at, {', '.join(CHECKED)}")
    return {name: SETTINGS[name].check(name, value) for name, value in options.items() if value is not None}


def account_elsewhere(
    records: Sequence[Recorded], ledger: Path, *, at: str | None = None, **options: Any
) -> Footprint:
    """A run as if it had been recorded with other options, each of them checked.

    Raises
    ------
    UsageError
        If one cannot be meant.
    """
    given = check_options(options)
    if "scope" in given:
        given["scope"] = Scope(given["scope"])
    return account_run(records, ledger=ledger, when=parse_when(at) if at else None, **given)
