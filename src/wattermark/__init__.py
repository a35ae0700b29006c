"""wattermark: what ML work costs in energy, carbon and water, how sure that is, and what to do about it.

>>> import wattermark as wm
>>> with wm.track(name="train", place="deu") as run:  # doctest: +SKIP
...     train()
>>> print(run.footprint().water_l)  # doctest: +SKIP
"""

from wattermark._version import __version__

TYPE_CHECKING = False  # type checkers know this name; importing typing for it would cost two modules
if TYPE_CHECKING:
    from wattermark.errors import UsageError, WattermarkError
    from wattermark.values.footprint import Footprint
    from wattermark.values.range import Range
    from wattermark.verbs.again import account
    from wattermark.verbs.measure import Run
    from wattermark.verbs.replay import replay
    from wattermark.verbs.track import track

_FACE = {
    "track": "wattermark.verbs.track",
    "Run": "wattermark.verbs.measure",
    "account": "wattermark.verbs.again",
    "Footprint": "wattermark.values.footprint",
    "Range": "wattermark.values.range",
    "replay": "wattermark.verbs.replay",
    "WattermarkError": "wattermark.errors",
    "UsageError": "wattermark.errors",
}

__all__ = [
    "Footprint",
    "Range",
    "Run",
    "UsageError",
    "WattermarkError",
    "__version__",
    "account",
    "replay",
    "track",
]


def __getattr__(name: str) -> object:
    """Each name is imported at its first use: ``import wattermark`` alone costs next to nothing."""
    if name not in _FACE:
        raise AttributeError(f"module 'wattermark' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_FACE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
