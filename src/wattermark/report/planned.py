"""A plan as a document (and back), and as sections of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from wattermark.report.numbers import CARBON, ENERGY, TIME, WATER, digits, say
from wattermark.report.sheet import Line, Section, filled
from wattermark.values.plan import Heard, Option, Plan, PlannedJob, Saving, Spread, Stretch
from wattermark.values.series import Signal

PLAN_SCHEMA: Final = 1
Moment = Callable[[float], str]
"""From seconds since 1970 to a text."""
NOTHING: Final = 1e-9
"""A saving of less is that of rounding: no chance is told of it. [1]"""
MOST_STRETCHES: Final = 6
MOST_OTHERS: Final = 4
WORDS: Final = {
    "carbon": "carbon",
    "carbon-marginal": "carbon, marginal",
    "water": "water",
    "water-thermal": "water, without reservoirs",
    "weighed sum": "weighed sum",
    "cost": "cost",
}


def plan_document(plan: Plan, iso: Moment) -> dict[str, Any]:
    """All of a plan; moments as seconds since 1970 and, beside them, in ISO 8601."""
    return {
        "schema": PLAN_SCHEMA,
        "plan": {
            "made_s": plan.made_s,
            "made": iso(plan.made_s),
            "worth_it": plan.worth_it,
            "verdict": plan.verdict,
            "job": asdict(plan.job) | {"deadline": iso(plan.job.deadline_s)},
            "now": option_document(plan.now, iso),
            "best": option_document(plan.best, iso),
            "considered": option_document(plan.considered, iso),
            "savings": [asdict(saving) for saving in plan.savings],
            "front": [option_document(option, iso) for option in plan.front],
            "knee": plan.knee,
            "otherwise": [
                {"counted": name, "best": option_document(option, iso)} for name, option in plan.otherwise
            ],
            "weights": dict(plan.weights),
            "heard": [asdict(heard) | {"signal": heard.signal.value} for heard in plan.heard],
            "flags": list(plan.flags),
        },
    }


def option_document(option: Option, iso: Moment) -> dict[str, Any]:
    """One way to run; ``water_l`` is the sum of its parts."""
    return asdict(option) | {
        "water_l": water_l(option),
        "begin_s": option.begin_s,
        "finish_s": option.finish_s,
        "begin": iso(option.begin_s),
        "finish": iso(option.finish_s),
        "pauses": option.pauses,
    }


def water_l(option: Option) -> float | None:
    """On site and at the plants, reservoirs too; None where a part is not known. [L]"""
    parts = (option.water_onsite_l, option.water_offsite_thermal_l, option.water_offsite_hydro_l)
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def plan_of(document: Mapping[str, Any]) -> Plan:
    """A plan from its document.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is none.
    """
    told = document["plan"]
    return Plan(
        job=PlannedJob(**_only(PlannedJob, told["job"])),
        now=_option(told["now"]),
        best=_option(told["best"]),
        considered=_option(told["considered"]),
        savings=tuple(_saving(one) for one in told["savings"]),
        front=tuple(_option(one) for one in told["front"]),
        knee=told["knee"],
        otherwise=tuple((one["counted"], _option(one["best"])) for one in told["otherwise"]),
        worth_it=told["worth_it"],
        verdict=told["verdict"],
        heard=tuple(_heard(one) for one in told["heard"]),
        made_s=told["made_s"],
        weights=tuple(told["weights"].items()),
        flags=tuple(told["flags"]),
    )


def _only(made: type, told: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(made)}
    return {name: value for name, value in told.items() if name in names}


def _option(told: Mapping[str, Any]) -> Option:
    stretches = tuple(Stretch(**one) for one in told["stretches"])
    return Option(**{**_only(Option, told), "stretches": stretches})


def _saving(told: Mapping[str, Any]) -> Saving:
    spread = told["spread"]
    return Saving(**{**_only(Saving, told), "spread": Spread(**spread) if spread else None})


def _heard(told: Mapping[str, Any]) -> Heard:
    return Heard(**{**_only(Heard, told), "signal": Signal(told["signal"]), "flags": tuple(told["flags"])})


def plan_sections(plan: Plan, moment: Moment) -> tuple[Section, ...]:
    """A plan for a person: the verdict first."""
    saves = "saves" if plan.worth_it else "would save"
    return filled(
        (
            Section("", sentences=(plan.verdict,)),
            Section("ways to run", tuple(_ways(plan, moment))),
            Section(f"what that {saves} against starting now", tuple(_saved(plan))),
            Section("when it runs", sentences=tuple(_stretches(plan.best, moment))),
            Section("counted otherwise", sentences=tuple(_otherwise(plan, moment))),
            Section("by", sentences=tuple(dict.fromkeys(heard_sentence(heard) for heard in plan.heard))),
            Section("to know", sentences=plan.flags),
        )
    )


def _ways(plan: Plan, moment: Moment) -> Iterator[Line]:
    named = {plan.now: "now", plan.considered: "plan" if plan.worth_it else "considered"}
    if plan.considered == plan.now:
        named = {plan.now: "now"}
    named.setdefault(plan.front[plan.knee], "knee")
    others = [option for option in plan.front if option not in named]
    for option in others[:: max(1, len(others) // MOST_OTHERS)]:
        named[option] = ""
    for option, name in named.items():
        label = " ".join(filter(None, (name, option.place)))
        carbon, more = say(option.carbon_g, CARBON), _water_and_cost(option)
        yield Line(label, carbon, more, _when(option, moment), bool(name))


def _when(option: Option, moment: Moment) -> str:
    """From when until when; the day of the end only where it is another."""
    begin, end = moment(option.begin_s), moment(option.finish_s)
    day, _, hour = end.rpartition(" ")
    pauses = f", {_times(option.pauses)}" if option.pauses else ""
    return f"{begin} to {hour if day and begin.startswith(f'{day} ') else end}{pauses}"


def _times(pauses: int) -> str:
    return f"{pauses} pause{'' if pauses == 1 else 's'}"


def _water_and_cost(option: Option) -> str:
    cost = "" if option.cost_usd is None else f"  {digits(option.cost_usd)} USD"
    return f"{say(water_l(option), WATER)} water{cost}"


def _otherwise(plan: Plan, moment: Moment) -> Iterator[str]:
    for counted, option in plan.otherwise:
        yield (
            f"by {WORDS[counted]}, the best is {option.place}, {_when(option, moment)}: "
            f"{say(option.carbon_g, CARBON)}, {say(water_l(option), WATER)} of water"
        )


def _saved(plan: Plan) -> Iterator[Line]:
    for saving in plan.savings:
        spread = saving.spread
        interval = f"{percent(spread.p10)} to {percent(spread.p90)}" if spread else ""
        chance = saving.worse_chance if abs(saving.planned) > NOTHING else None
        note = "" if chance is None or spread is None else f"P50 {percent(spread.p50)}, worse: {chance:.0%}"
        yield Line(WORDS.get(saving.quantity, saving.quantity), percent(saving.planned), interval, note)


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{100 * share:.1f} %".replace("-0.0 ", "0.0 ")


def _stretches(option: Option, moment: Moment) -> Iterator[str]:
    for stretch in option.stretches[:MOST_STRETCHES]:
        yield f"{moment(stretch.begin_s)} to {moment(stretch.end_s)}, {say(stretch.duration_s, TIME)}"
    if len(option.stretches) > MOST_STRETCHES:
        yield f"and {len(option.stretches) - MOST_STRETCHES} more"
    yield f"in all {say(option.facility_energy_j, ENERGY)} at the facility's meter"


def heard_sentence(heard: Heard) -> str:
    """Who told a signal, how fresh it is, and how good its forecasts have been."""
    basis = f", {heard.basis}" if heard.basis else ""
    age = "" if heard.age_s is None else f", {say(heard.age_s, TIME)} old"
    error = "" if heard.error is None else f", forecasts off by {heard.error:.0%} so far"
    flags = f" ({'; '.join(heard.flags)})" if heard.flags else ""
    return f"{heard.signal} at {heard.place}: {heard.source}{basis}{age}{error}{flags}"
