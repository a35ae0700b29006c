"""Resume: find the run that a program goes on with."""

from __future__ import annotations

from pathlib import Path

from wattermark.errors import UsageError
from wattermark.ledger.read import read_run
from wattermark.ledger.runs import find_run, header_of_run
from wattermark.values.kinds import Status
from wattermark.values.records import RunHeader


def resumable(ledger: Path, wanted: str, *, alone: bool) -> RunHeader:
    """What the run said that is to be taken up again.

    Parameters
    ----------
    ledger : Path
        Where it lies.
    wanted : str
        As of ``wattermark show``.
    alone : bool
        Whether this process is no rank of a job; the ranks of a job come one after the other.

    Raises
    ------
    UsageError
        If there is no such run, or it is still being recorded.
    BadSpool
        If its file is not one of ours.
    """
    place = find_run(ledger, wanted)
    if alone and any(one.status is Status.RUNNING for one in read_run(place.spools)):
        raise UsageError(
            f"the run {place.run} is being recorded now", fix="Wait for its end, or leave resume out"
        )
    return header_of_run(place)
