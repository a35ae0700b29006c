"""The plan of many jobs as a document, as a table and as sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from wattermark.report.numbers import CARBON, TIME, WATER, digits, say
from wattermark.report.planned import WORDS, Moment, option_document, percent
from wattermark.report.sheet import Line, Section
from wattermark.values.fleet import FleetPlan, Sums
from wattermark.values.plan import Plan

FLEET_SCHEMA: Final = 1
HEADINGS: Final = ("job", "place", "start", "finish", "pauses", "saved")
MOST_NAMED: Final = 20


def fleet_document(plan: FleetPlan, iso: Moment) -> dict[str, Any]:
    """All of it; moments as seconds since 1970 and, beside them, in ISO 8601."""
    return {
        "schema": FLEET_SCHEMA,
        "fleet": {
            "made_s": plan.made_s,
            "made": iso(plan.made_s),
            "cost": plan.cost,
            "bound": plan.bound,
            "gap": plan.gap,
            "proven": plan.proven,
            "weights": dict(plan.weights),
            "slot_s": plan.slot_s,
            "jobs": [
                {
                    "name": one.job.name,
                    "units": one.job.units,
                    "best": option_document(one.best, iso),
                    "now": one.now and option_document(one.now, iso),
                }
                for one in plan.placed
            ],
            "unplaced": [{"name": one.job.name, "reason": one.reason} for one in plan.unplaced],
            "sums": [
                {"quantity": one.quantity, "unit": one.unit, "now": one.now, "planned": one.planned}
                for one in plan.sums
            ],
            "flags": list(plan.flags),
        },
    }


def fleet_rows(plan: FleetPlan, moment: Moment) -> Iterator[tuple[str, ...]]:
    """A row of ``HEADINGS`` for each job, those without a slot at the end."""
    first = plan.weights[0][0]
    for one, whole in zip(plan.placed, plan.plans, strict=True):
        best = one.best
        saved = _saved(whole, first) if one.now else "-"
        yield (
            one.job.name,
            best.place,
            moment(best.begin_s),
            moment(best.finish_s),
            str(best.pauses or ""),
            saved,
        )
    for left in plan.unplaced:
        yield (left.job.name, "no slot", "", "", "", "")


def _saved(plan: Plan, what: str) -> str:
    return next((percent(one.planned) for one in plan.savings if one.quantity == what), "-")


def fleet_sections(plan: FleetPlan) -> tuple[Section, ...]:
    """What is to be known beside the table."""
    return (
        Section("in all, against starting now", tuple(_sums(plan.sums)), (_against(plan),)),
        Section("how good it is", sentences=tuple(_goodness(plan))),
        Section("no slot", sentences=tuple(_left(plan))),
        Section("to know", sentences=_short(plan.flags)),
    )


def _sums(sums: Sequence[Sums]) -> Iterator[Line]:
    for one in sums:
        share = percent(1 - one.planned / one.now) if one.now else ""
        yield Line(WORDS[one.quantity], _say(one, one.planned), f"now {_say(one, one.now)}", f"saves {share}")


def _say(one: Sums, value: float) -> str:
    if one.unit == "USD":
        return f"{digits(value)} USD"
    return say(value, CARBON if one.unit == "g" else WATER)


def _against(plan: FleetPlan) -> str:
    without = sum(one.now is None for one in plan.placed)
    note = f"; {without} for which that has no room are not in these sums" if without else ""
    return (
        "now is each job at its first place as soon as there is room, first come first served, whatever its "
        f"deadline{note}"
    )


def _goodness(plan: FleetPlan) -> Iterator[str]:
    jobs = f"{len(plan.placed)} of {len(plan.placed) + len(plan.unplaced)} jobs placed"
    if plan.proven:
        yield f"{jobs}; no plan on slots of {say(plan.slot_s, TIME)} is better, as is proven"
    elif plan.gap is not None:
        yield (
            f"{jobs}; at most {percent(plan.gap)} dearer than any plan of these jobs, on slots of "
            f"{say(plan.slot_s, TIME)}; --exact, or more time for it, may find a better one"
        )
    else:
        yield f"{jobs}; nothing is proven of what better plans there are"


def _left(plan: FleetPlan) -> Iterator[str]:
    for one in plan.unplaced:
        yield f"{one.job.name}: {one.reason}"


def _short(flags: Sequence[str]) -> tuple[str, ...]:
    """Not a screen full of one kind of flag; the document has all."""
    told = tuple(flags[:MOST_NAMED])
    return told if len(flags) <= MOST_NAMED else (*told, f"and {len(flags) - MOST_NAMED} more; see --json")
