"""``track``: the one line that starts it, as a context, a decorator, or an object with start and stop."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, overload

from wattermark.values.ports import Reader
from wattermark.verbs.ambient import ambient_config
from wattermark.verbs.measure import Run

P = ParamSpec("P")
R = TypeVar("R")


class Tracker(Run):
    """A run that can also stand before a function."""

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        wrapped: Callable[P, R] = _wrapped(
            function, lambda: Run(self.config, name=self.name, tags=self.tags, readers=self._readers)
        )
        return wrapped


@overload
def track(function: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def track(
    *,
    name: str | None = ...,
    place: str | None = ...,
    pue: float | None = ...,
    wue: float | None = ...,
    scope: str | None = ...,
    interval: float | None = ...,
    ledger: str | Path | None = ...,
    tags: Mapping[str, str] | None = ...,
    readers: Mapping[str, Reader] | None = ...,
) -> Tracker: ...


def track(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    tags: Mapping[str, str] | None = None,
    readers: Mapping[str, Reader] | None = None,
    **options: Any,
) -> Any:
    """Measure a block, a function, a generator or a coroutine.

    Parameters
    ----------
    function : callable, optional
        What to wrap, where ``track`` stands before it without parentheses.
    name : str, optional
        What to call the run; the script's or the function's name by default.
    **options : optional
        ``place, pue, wue, market_intensity, scope, interval, ledger`` as in ``wattermark config``;
        ``wue`` in L/kWh, ``interval`` in s.
    tags : mapping, optional
        Words to find the run by.
    readers : mapping, optional
        Meters to read instead of those of this machine, e.g. one of ``replay``.

    Raises
    ------
    UsageError
        If an argument cannot be meant (a ``ValueError``, too). Later, nothing is raised.

    Examples
    --------
    >>> import wattermark as wm
    >>> with wm.track(name="train", place="deu") as run:  # doctest: +SKIP
    ...     with run.span("epoch", 1):
    ...         train()
    >>> run.footprint().carbon_g  # doctest: +SKIP
    Range(low=0.9, best=1.4, high=2.1)
    """
    if function is not None and not callable(function):
        raise TypeError(f"track() takes its arguments by name; got {function!r}")
    if isinstance(options.get("ledger"), Path):
        options["ledger"] = str(options["ledger"])
    _known(options)
    config = ambient_config(options)
    if options.get("place") is not None:
        from wattermark.verbs.place import check_place  # the tables, only where a place is to be checked

        check_place(options["place"])
    tracker = Tracker(config, name=name, tags=tags, readers=readers)
    if function is None:
        return tracker
    tracker.name = name or str(getattr(function, "__qualname__", tracker.name))
    return tracker(function)


def _known(options: Mapping[str, Any]) -> None:
    from wattermark.wiring.config import SETTINGS

    for option in options:
        if option not in SETTINGS:
            raise TypeError(
                f"track() has no argument {option!r}; it takes name, tags, readers, {', '.join(SETTINGS)}"
            )


def _wrapped(function: Callable[..., Any], new_run: Callable[[], Run]) -> Any:
    """The same function, measured: each call is a run of its own."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with new_run():
                return await function(*args, **kwargs)

        return coroutine
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        def async_generator(*args: Any, **kwargs: Any) -> Any:
            return _MeasuredAsyncGenerator(function(*args, **kwargs), new_run())

        return async_generator
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            with new_run():
                return (yield from function(*args, **kwargs))

        return generator

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with new_run():
            return function(*args, **kwargs)

    return plain


class _MeasuredAsyncGenerator(AsyncGenerator[Any, Any]):
    """An asynchronous generator under the meter, from its first step to its end."""

    def __init__(self, inner: AsyncGenerator[Any, Any], run: Run) -> None:
        self._inner = inner
        self._run = run
        self._begun = False

    async def asend(self, value: Any) -> Any:
        return await self._step(self._inner.asend(value))

    async def athrow(self, *error: Any) -> Any:
        return await self._step(self._inner.athrow(*error))

    async def _step(self, step: Awaitable[Any]) -> Any:
        if not self._begun:
            self._begun = True
            self._run.start()
        goes_on = False
        try:
            item = await step
            goes_on = True
            return item
        finally:
            if not goes_on:
                kind, error, trace = sys.exc_info()
                self._run.__exit__(kind, error, trace)
