"""Prove what was saved: a planned run against starting it at once, by signals as they became final."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wattermark.errors import BadSpool, UsageError
from wattermark.ledger.plans import TAG, plan_lines
from wattermark.ledger.read import read_header
from wattermark.ledger.runs import find_run
from wattermark.report.planned import plan_of
from wattermark.science.schedule.audit import claims_on, why_no_claim
from wattermark.science.schedule.rates import rates_of
from wattermark.values.audit import Audit, Spent
from wattermark.values.outlook import Outlook
from wattermark.values.plan import Plan
from wattermark.verbs.outlook import outlook
from wattermark.verbs.pausing import pauses
from wattermark.verbs.spending import spent_by
from wattermark.wiring.config import Config

Lines = Sequence[Mapping[str, Any]]


def saved(ledger: Path, wanted: str, *, config: Config, now_s: float) -> Audit:
    """What a run saved against starting it at once, at home.

    Raises
    ------
    UsageError
        If there is no such run, it was not planned, or took no energy that is known.
    BadSpool
        If its plan cannot be read.
    """
    run = find_run(ledger, wanted)
    plan_id = read_header(run.spool).tags.get(TAG)
    if not plan_id:
        raise UsageError(
            f"the run {run.run} was not planned, so there is nothing to compare it with",
            fix="Start one with: wattermark run --when greenest --within 24h -- COMMAND",
        )
    lines = plan_lines(ledger, plan_id)
    plan = _plan(lines[0], plan_id)
    spent = spent_by(ledger, run.run, pauses(lines))
    if not spent:
        raise UsageError(f"no meter saw any energy of the run {run.run}", fix="See: wattermark show")
    return audit(run.run, plan_id, plan, spent, _outlooks(plan, spent, config, now_s), now_s=now_s)


def _plan(line: Mapping[str, Any], plan_id: str) -> Plan:
    try:
        return plan_of(line)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadSpool(f"the plan {plan_id} is not one of ours: {error}", fix="Name another run") from error


def _outlooks(plan: Plan, spent: Sequence[Spent], config: Config, now_s: float) -> dict[str, Outlook]:
    """All places of a plan, as their hours really were: what only follows from others proves nothing."""
    begin_s = min(plan.job.earliest_s, spent[0].begin_s)
    end_s = max(plan.job.deadline_s, spent[-1].end_s)
    names = dict.fromkeys((plan.now.place, plan.best.place, *(option.place for option in plan.front)))
    return {name: outlook(name, begin_s, end_s, config=config, now_s=now_s, ahead=False) for name in names}


def audit(
    run: str,
    plan_id: str,
    plan: Plan,
    spent: Sequence[Spent],
    outlooks: Mapping[str, Outlook],
    *,
    now_s: float,
) -> Audit:
    """What was saved, by the hours of places as they are known now."""
    rates = {name: rates_of(one) for name, one in outlooks.items()}
    claims = claims_on(
        spent,
        plan.job,
        ran=rates[plan.best.place],
        home=rates[plan.now.place],
        places=tuple(rates.values()),
        planned={saving.quantity: saving.planned for saving in plan.savings},
    )
    theirs = [outlooks[name] for name in dict.fromkeys((plan.now.place, plan.best.place))]
    heard = tuple(heard for one in theirs for heard in one.heard)
    return Audit(
        run=run,
        plan=plan_id,
        claims=claims,
        refused=why_no_claim(claims, heard, now_s),
        heard=heard,
        flags=_flags(theirs),
    )


def _flags(outlooks: Iterable[Outlook]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flag for one in outlooks for flag in one.flags))
