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
    from wattermark.integrations.http_client import async_http_client, http_client
    from wattermark.values.estimate import Estimate
    from wattermark.values.footprint import Footprint
    from wattermark.values.forecast import Forecast
    from wattermark.values.jobs import ApiCalls, Inference, Media, Site, Training
    from wattermark.values.plan import Plan
    from wattermark.values.range import Range
    from wattermark.verbs.again import account
    from wattermark.verbs.asked import backtest, plan, saved
    from wattermark.verbs.estimates.api import estimate_api
    from wattermark.verbs.estimates.inference import estimate_inference
    from wattermark.verbs.estimates.media import estimate_media
    from wattermark.verbs.estimates.training import estimate_training
    from wattermark.verbs.estimates.what_if import what_if_inference, what_if_training
    from wattermark.verbs.measure import Run
    from wattermark.verbs.replay import replay
    from wattermark.verbs.reporting import report_as
    from wattermark.verbs.serving.ambient_desk import served
    from wattermark.verbs.serving.asked import serving_report
    from wattermark.verbs.track import track

_FACE = {
    "track": "wattermark.verbs.track",
    "Run": "wattermark.verbs.measure",
    "account": "wattermark.verbs.again",
    "backtest": "wattermark.verbs.asked",
    "plan": "wattermark.verbs.asked",
    "saved": "wattermark.verbs.asked",
    "serving_report": "wattermark.verbs.serving.asked",
    "estimate_training": "wattermark.verbs.estimates.training",
    "estimate_inference": "wattermark.verbs.estimates.inference",
    "estimate_api": "wattermark.verbs.estimates.api",
    "estimate_media": "wattermark.verbs.estimates.media",
    "what_if_training": "wattermark.verbs.estimates.what_if",
    "what_if_inference": "wattermark.verbs.estimates.what_if",
    "Training": "wattermark.values.jobs",
    "Inference": "wattermark.values.jobs",
    "ApiCalls": "wattermark.values.jobs",
    "Media": "wattermark.values.jobs",
    "Site": "wattermark.values.jobs",
    "Estimate": "wattermark.values.estimate",
    "Footprint": "wattermark.values.footprint",
    "Forecast": "wattermark.values.forecast",
    "Plan": "wattermark.values.plan",
    "Range": "wattermark.values.range",
    "http_client": "wattermark.integrations.http_client",
    "async_http_client": "wattermark.integrations.http_client",
    "served": "wattermark.verbs.serving.ambient_desk",
    "replay": "wattermark.verbs.replay",
    "report_as": "wattermark.verbs.reporting",
    "WattermarkError": "wattermark.errors",
    "UsageError": "wattermark.errors",
    "load_ipython_extension": "wattermark.integrations.jupyter",
    "unload_ipython_extension": "wattermark.integrations.jupyter",
}

__all__ = [
    "ApiCalls",
    "Estimate",
    "Footprint",
    "Forecast",
    "Inference",
    "Media",
    "Plan",
    "Range",
    "Run",
    "Site",
    "Training",
    "UsageError",
    "WattermarkError",
    "__version__",
    "account",
    "async_http_client",
    "backtest",
    "estimate_api",
    "estimate_inference",
    "estimate_media",
    "estimate_training",
    "http_client",
    "plan",
    "replay",
    "report_as",
    "saved",
    "served",
    "serving_report",
    "track",
    "what_if_inference",
    "what_if_training",
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
