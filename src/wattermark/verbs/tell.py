"""Say something to whoever runs the program, and never in its way."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

from wattermark.errors import FOREIGN, WattermarkError

P = ParamSpec("P")


def tell(message: str, *values: object) -> None:
    """Say something through the logger ``wattermark``; without any set-up it goes to stderr."""
    import logging

    logging.getLogger("wattermark").warning("wattermark: " + message, *values)


def harmless(hook: Callable[P, None]) -> Callable[P, None]:
    """What a stranger's program calls: a fault of ours is told once, and stops nobody."""
    told = False

    @functools.wraps(hook)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> None:
        nonlocal told
        try:
            hook(*args, **kwargs)
        except (*FOREIGN, WattermarkError) as error:
            if not told:
                tell("%s: %s: %s; your program goes on", hook.__name__, type(error).__name__, error)
            told = True

    return quiet
