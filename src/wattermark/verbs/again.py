"""Account again: a run that is on disk, as it was or as if it had been elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wattermark.ledger.read import read_run
from wattermark.ledger.runs import find_run, ledger_folder, spools_in
from wattermark.values.footprint import Footprint
from wattermark.verbs.elsewhere import account_elsewhere
from wattermark.verbs.measure import Run


def account(
    run: Run | str | Path, *, ledger: str | None = None, at: str | None = None, **options: Any
) -> Footprint:
    """The footprint of a recorded run.

    Parameters
    ----------
    run : Run, path or str
        A run of this process, the file of one, or a name as ``wattermark show`` takes it.
    ledger : str, optional
        Where to look a name up; the user's own ledger by default.
    at : str, optional
        With the factors of then: ``2024``, ``2024-07``, an ISO 8601 moment.
    **options : optional
        ``place, pue, wue, market_intensity, scope`` instead of the run's own; ``wue`` in L/kWh,
        ``market_intensity`` in g CO2e/kWh.

    Raises
    ------
    UsageError
        If there is no such run or place, or an option cannot be meant.
    BadSpool
        If the file is not one of ours.

    Examples
    --------
    >>> import wattermark as wm
    >>> wm.account("last", place="gcp:europe-north1").carbon_g  # doctest: +SKIP
    Range(low=0.2, best=0.3, high=0.5)
    """
    if isinstance(run, Run):
        if run.spool is None:
            return run.footprint()  # says what there is to say of a run that was not kept
        spools = spools_in(run.spool.parent)
    else:
        spools = (run,) if isinstance(run, Path) else find_run(ledger_folder(ledger), run).spools
    return account_elsewhere(read_run(spools), spools[0].parent.parent, at=at, **options)
