"""Plans, backtests and audits from Python, with settings as the command has them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wattermark.errors import UsageError
from wattermark.ledger.runs import ledger_folder
from wattermark.values.durations import seconds_of
from wattermark.values.energies import joules_of
from wattermark.wiring.config import load_config

if TYPE_CHECKING:
    from wattermark.values.audit import Audit
    from wattermark.values.backtest import Backtest
    from wattermark.values.plan import Plan


def plan(
    run: str | None = None,
    *,
    within: str | float,
    energy: str | None = None,
    hours: str | float | None = None,
    places: str | Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
    ledger: str | None = None,
    **job: Any,
) -> Plan:
    """When and where to run a job, against starting it now at the first place.

    Parameters
    ----------
    run : str, optional
        A recorded run that is as long and takes as much; or give both:
    energy : str
        IT energy of all of it, as ``120kWh``.
    hours, within : str or float
        How long it takes, and from now on until when it must be done: ``8`` (hours), ``90m``, ``2d``.
    places : str or sequence of str
        Where it may run; the first is where it would run now. By default here.
    weights : mapping, optional
        ``{"carbon": 1, "water": 0.5, "cost": 0.2}``; by default carbon alone.
    ledger : str, optional
        Where to look the run up; the user's own by default.
    **job : optional
        ``interruptible``, ``restart_s``, ``held_power_w``, ``least_run_s``, ``most_pauses``, ``move_gb``, as
        of ``PlannedJob``.

    Raises
    ------
    UsageError
        If something cannot be meant, or the deadline comes too early.
    NoPlan
        If too little is known to compare anything.

    Examples
    --------
    >>> import wattermark as wm
    >>> found = wm.plan(energy="120kWh", hours=8, within="48h", places=["deu", "swe"])
    >>> found.best.place, found.worth_it
    ('swe', True)
    """
    from wattermark.science.schedule.weights import CARBON_ONLY
    from wattermark.verbs.planning import job_like, plan_job

    config = load_config({"ledger": ledger})
    now_s = time.time()
    asked = job_like(
        run,
        config=config,
        it_energy_j=None if energy is None else _read(joules_of, str(energy)),
        duration_s=None if hours is None else _read(seconds_of, str(hours)),
        earliest_s=now_s,
        deadline_s=now_s + _read(seconds_of, str(within)),
        **job,
    )
    return plan_job(asked, _several(places), config=config, now_s=now_s, weights=weights or CARBON_ONLY)


def backtest(
    trace: str | Path,
    *,
    hours: str | float,
    within: str | float,
    every: str | float | None = None,
    zones: str | Sequence[str] = (),
    policies: str | Sequence[str] = (),
    interruptible: bool = False,
) -> Backtest:
    """What better times would have saved on a history, and what forecasts of it would have been good for.

    Parameters
    ----------
    trace : path or str
        CSV, JSON or Parquet.
    hours, within : str or float
        How long the job takes, and its deadline after it arrives: ``8`` (hours), ``90m``, ``2d``.
    every : str or float, optional
        How often one arrives; by default at each step of the history.
    zones, policies : str or sequence of str, optional
        Only these.
    interruptible : bool
        Whether it may pause.

    Raises
    ------
    UsageError
        If the file cannot be understood, or the job does not fit.
    """
    from wattermark.values.backtest import Rehearsal
    from wattermark.verbs.backtest import Part, backtest_trace

    job = Rehearsal(
        duration_s=_read(seconds_of, str(hours)),
        within_s=_read(seconds_of, str(within)),
        every_s=None if every is None else _read(seconds_of, str(every)),
        interruptible=interruptible,
    )
    return backtest_trace(Path(trace), job, policies=_several(policies), part=Part(zones=_several(zones)))


def saved(run: str = "last", *, ledger: str | None = None) -> Audit:
    """What a planned run really saved, by the signals as they became final.

    Parameters
    ----------
    run : str
        As ``wattermark show`` takes it.
    ledger : str, optional
        Where to look it up; the user's own by default.

    Raises
    ------
    UsageError
        If there is no such run, or it was not planned.
    """
    from wattermark.verbs.saving import saved as audited

    config = load_config({"ledger": ledger})
    return audited(ledger_folder(config.ledger), run, config=config, now_s=time.time())


def _several(names: str | Sequence[str]) -> tuple[str, ...]:
    """One name is no sequence of its letters."""
    return (names,) if isinstance(names, str) else tuple(names)


def _read(read: Any, text: str) -> float:
    try:
        return float(read(text))
    except ValueError as error:
        raise UsageError(str(error), fix="See: wattermark plan --help") from error
