"""What the skins share: a class of hooks gets the base of a framework that may not be installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from wattermark.errors import MissingExtra
from wattermark.levers.ask import asked, may_be_asked

PREFIX = "wattermark/"
"""Before the name of each number that we add to a framework's metrics."""


def metrics(costs: dict[str, float]) -> dict[str, float]:
    """Costs under the names that a framework logs: ``wattermark/it_energy_j``."""
    return {f"{PREFIX}{name}": value for name, value in costs.items()}


def told_to_leave() -> bool:
    """Whether a plan asks this training to save and leave: the first rank hears it for all of a job."""
    if not may_be_asked():
        return False
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return asked()
    heard = [asked()]
    distributed.broadcast_object_list(heard, src=0)
    return bool(heard[0])


def on_top_of(paths: Sequence[str], hooks: type, name: str, *, feature: str, package: str) -> Any:
    """Our hooks on top of a framework's own, as a class that can be named, pickled and configured.

    Of the base classes at dotted paths those that this program uses; the first installed one if it uses none.

    Raises
    ------
    MissingExtra
        If none is installed.
    """
    found = _bases(paths)
    if not found:
        raise MissingExtra.of(feature, package, package)
    own = {"__doc__": hooks.__doc__, "__module__": hooks.__module__, "__qualname__": name}
    return type(name, (hooks, *found), own)


def _bases(paths: Sequence[str]) -> tuple[type, ...]:
    used = [path for path in paths if path.rpartition(".")[0] in sys.modules]
    found: list[type] = []
    for path in used or paths:
        module, _, name = path.rpartition(".")
        try:
            found.append(getattr(import_module(module), name))
        except ImportError:
            continue
        if not used:
            break
    return tuple(found)
