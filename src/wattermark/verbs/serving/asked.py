"""What requests took, from Python, with settings as the command has them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from wattermark.errors import UsageError
from wattermark.ledger.runs import ledger_folder
from wattermark.values.durations import seconds_of
from wattermark.values.policy import ActiveIdle, Idle
from wattermark.values.serving_report import Basis, By
from wattermark.verbs.elsewhere import CHECKED
from wattermark.wiring.config import load_config

if TYPE_CHECKING:
    from wattermark.values.serving_report import ServingReport

W = TypeVar("W", By, Idle, ActiveIdle)
OTHERS = ("at", "batch", "estimated", "gpu", "window_s", *CHECKED)


def serving_report(
    run: str = "last",
    *,
    by: str = "model",
    since: str | float | None = None,
    idle: str = "apart",
    active_idle: str = "weight",
    what_if: Mapping[str, object] | None = None,
    ledger: str | None = None,
    **options: Any,
) -> ServingReport:
    """What the requests of a run took; rows add up to what the meters saw, where these were.

    Parameters
    ----------
    run : str
        As ``wattermark show`` takes it, ``last`` or ``all``: of those that noted requests.
    by : str
        ``model``, ``tenant``, ``hour`` or ``route``.
    since : str or float, optional
        Only runs that began since, of all: ``"7d"``.
    idle, active_idle : str
        Who bears capacity that nobody used (``apart``, ``tokens``, ``time``), and rest while somebody ran
        (``weight``, ``equal``).
    what_if : mapping, optional
        ``{"batch": 32, "place": "swe", "model": "llama-3.1-8b", "gpu": "b200"}``, or some of it.
    ledger : str, optional
        Where runs are kept; the user's own by default.
    **options : optional
        ``place, pue, wue, market_intensity, scope, at`` as of ``account``; ``window_s``; of what no meter saw
        ``gpu`` and ``batch``; ``estimated=True`` for the estimator in any case.

    Raises
    ------
    UsageError
        If no run noted requests, or something cannot be meant.

    Examples
    --------
    >>> import wattermark as wm
    >>> report = wm.serving_report("last", by="tenant")  # doctest: +SKIP
    >>> [(row.name, row.quantities["carbon_g"]) for row in report.sides[0].rows]  # doctest: +SKIP
    """
    from wattermark.verbs.serving.reporting import WINDOW_S, Asked, serving_report_of  # NumPy, at first use

    for name in options:
        if name not in OTHERS:
            raise TypeError(f"serving_report() has no argument {name!r}; it takes {', '.join(OTHERS)}")
    asked = Asked(
        by=_word(By, "by", by),
        idle=_word(Idle, "idle", idle),
        active_idle=_word(ActiveIdle, "active_idle", active_idle),
        basis=Basis.ESTIMATED if options.get("estimated") else None,
        window_s=options.get("window_s", WINDOW_S),
        gpu=options.get("gpu"),
        batch=options.get("batch"),
        options={name: options.get(name) for name in CHECKED},
        at=options.get("at"),
        what_if={name: str(value) for name, value in (what_if or {}).items()},
    )
    folder = ledger_folder(load_config({"ledger": ledger}).ledger)
    if since is None:
        return serving_report_of(folder, run, asked)
    begun_s = time.time() - (seconds_of(since) if isinstance(since, str) else float(since))
    return serving_report_of(folder, "all" if run == "last" else run, asked, begun_after_s=begun_s)


def _word(kind: type[W], name: str, word: str) -> W:
    try:
        return kind(word)
    except ValueError as error:
        raise UsageError(f"{name} is {word!r}", fix=f"Choose from: {', '.join(kind)}") from error
