"""``track``: the one line that starts it, as a context, a decorator, or an object with start and stop."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, ParamSpec, TypedDict, TypeVar, Unpack, overload

from wattermark.errors import BadFactorTable, UsageError
from wattermark.values.ports import Reader
from wattermark.verbs.ambient import ambient_config
from wattermark.verbs.measure import Run
from wattermark.verbs.tell import tell


class Options(TypedDict, total=False):
    """Settings that a call may give, instead of file and environment."""

    place: str | None
    pue: float | None
    wue: float | None
    market_intensity: float | None
    scope: str | None
    interval: float | None
    ledger: str | Path | None


P = ParamSpec("P")
R = TypeVar("R")


class Tracker(Run):
    """A run that can also stand before a function, which then gives it its name."""

    named: bool = True

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        name = self.name if self.named else str(getattr(function, "__qualname__", self.name))
        wrapped: Callable[P, R] = _wrapped(
            function,
            lambda: Run(self.config, name=name, tags=self.tags, readers=self._readers, resume=self._resumed),
        )
        return wrapped


@overload
def track(function: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def track(
    *,
    name: str | None = ...,
    tags: Mapping[str, str] | None = ...,
    readers: Mapping[str, Reader] | None = ...,
    resume: str | None = ...,
    **options: Unpack[Options],
) -> Tracker: ...


def track(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    tags: Mapping[str, str] | None = None,
    readers: Mapping[str, Reader] | None = None,
    resume: str | None = None,
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
    resume : str, optional
        The run that this one goes on with, as ``wattermark show`` takes it: both are one run.

    Raises
    ------
    UsageError
        If an argument cannot be meant (a ``ValueError``, too), or there is no run to resume. Later,
        nothing is raised.

    Examples
    --------
    >>> import wattermark as wm
    >>> with wm.track(name="train", place="deu") as run:  # doctest: +SKIP
    ...     with run.span("epoch", 1):
    ...         train()
    >>> run.footprint().carbon_g  # doctest: +SKIP
    Range(low=0.9, best=1.4, high=2.1)
    """
    if (
        function is not None
        and not callable(function)
        and not isinstance(function, staticmethod | classmethod)
    ):
        raise TypeError(f"track() takes its arguments by name; got {function!r}")
    if isinstance(options.get("ledger"), Path):
        options["ledger"] = str(options["ledger"])
    _known(options)
    _checked(function, tags, resume)
    config = ambient_config(options)
    if options.get("place") is not None:
        from wattermark.verbs.place import check_place  # the tables, only where a place is to be checked

        try:
            check_place(options["place"])
        except BadFactorTable as error:  # a fault of ours is told, and stops nobody
            tell("%s", error)
    tracker = Tracker(config, name=name, tags=tags, readers=readers, resume=resume)
    tracker.named = name is not None
    return tracker if function is None else tracker(function)


def _known(options: Mapping[str, Any]) -> None:

    known = Options.__annotations__
    for option in options:
        if option not in known:
            takes = ", ".join(("name", "tags", "readers", "resume", *known))
            raise TypeError(f"track() has no argument {option!r}; it takes {takes}")


def _checked(function: object, tags: object, resume: object) -> None:
    if isinstance(function, type | staticmethod | classmethod):
        raise TypeError("track() stands before a 'def'; not before a class, nor above @staticmethod")
    if tags is not None and not isinstance(tags, Mapping):
        raise UsageError(f"tags is {tags!r}, not a mapping", fix="Write tags={'lr': '3e-4'}")
    if resume is not None and not isinstance(resume, str):
        raise UsageError(f"resume is {resume!r}, not a name", fix="Give a run as text, as in resume='last'")


def _wrapped(function: Callable[..., Any], new_run: Callable[[], Run]) -> Any:
    """The same function, measured: each call is a run of its own."""
    if inspect.iscoroutinefunction(function):
        return _coroutine(function, new_run)
    if inspect.isasyncgenfunction(function):
        return _async_generator(function, new_run)
    if inspect.isgeneratorfunction(function):
        return _generator(function, new_run)

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with new_run():
            return function(*args, **kwargs)

    return plain


def _coroutine(function: Callable[..., Any], new_run: Callable[[], Run]) -> Any:
    @functools.wraps(function)
    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        with new_run():
            return await function(*args, **kwargs)

    return coroutine


def _generator(function: Callable[..., Any], new_run: Callable[[], Run]) -> Any:
    @functools.wraps(function)
    def generator(*args: Any, **kwargs: Any) -> Any:
        with new_run():
            return (yield from function(*args, **kwargs))

    return generator


def _async_generator(function: Callable[..., Any], new_run: Callable[[], Run]) -> Any:
    """There is no ``yield from`` for these, so what is sent and thrown in is handed on here."""

    @functools.wraps(function)
    async def async_generator(*args: Any, **kwargs: Any) -> Any:
        with new_run():
            async with aclosing(function(*args, **kwargs)) as inner:
                step = inner.asend(None)
                while True:
                    try:
                        item = await step
                    except StopAsyncIteration:
                        return
                    with _Thrown() as thrown:
                        sent = yield item
                    step = inner.athrow(thrown.error) if thrown.error else inner.asend(sent)

    return async_generator


class _Thrown:
    """What was thrown in at a yield, to be handed on to the generator inside."""

    error: BaseException | None = None

    def __enter__(self) -> _Thrown:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        self.error = error
        return error is not None and kind is not GeneratorExit
