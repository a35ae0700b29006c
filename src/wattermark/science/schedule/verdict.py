"""Is it worth waiting? A choice becomes a plan, with what it saves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from wattermark.science.schedule.choice import Choice, front_of
from wattermark.science.schedule.rates import Rates
from wattermark.science.schedule.weights import PARTS, amount
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Plan, PlannedJob, Saving

LEAST_SAVING: Final = 0.01
"""Less than this share is not worth a change of plans."""


def judged(
    job: PlannedJob,
    choice: Choice,
    places: Sequence[Rates],
    outlooks: Sequence[Outlook],
    *,
    weights: Mapping[str, float],
    made_s: float,
) -> Plan:
    """A choice with its savings and a verdict.

    Parameters
    ----------
    job : PlannedJob
        What is to run.
    choice : Choice
        Of ``choose``.
    places : sequence of Rates
        Home first.
    outlooks : sequence of Outlook
        What the choice was made with.
    weights : mapping
        As of ``check_weights``.
    made_s : float
        When. [s since 1970]
    """
    savings = tuple(_savings(choice))
    main = next((one for one in savings if one.quantity in weights), None)
    gain = main.planned if main else 0.0
    worth_it = choice.best is not choice.now and gain >= LEAST_SAVING
    flags = tuple(dict.fromkeys((*choice.flags, *(flag for one in outlooks for flag in one.flags))))
    front, knee = front_of(places, job, choice)
    return Plan(
        job=job,
        now=choice.now,
        best=choice.best if worth_it else choice.now,
        savings=savings,
        front=front,
        knee=knee,
        otherwise=choice.otherwise,
        worth_it=worth_it,
        verdict="worth waiting" if worth_it else "not worth waiting",
        heard=tuple(heard for one in outlooks for heard in one.heard),
        made_s=made_s,
        weights=tuple(weights.items()),
        flags=flags,
    )


def _savings(choice: Choice) -> Iterator[Saving]:
    for what in PARTS:
        now, best = amount(choice.now, what), amount(choice.best, what)
        if now and best is not None:
            yield Saving(quantity=what, planned=1 - best / now)
