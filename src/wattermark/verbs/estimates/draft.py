"""Work that is not placed yet, and where it is placed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from wattermark.errors import UsageError
from wattermark.report.numbers import COUNT, say
from wattermark.science.estimate import estimate
from wattermark.science.sketch import Sketch
from wattermark.values.estimate import Estimate, Question
from wattermark.values.factors import Factor
from wattermark.values.jobs import ApiCalls, Inference, Media, Site, Training
from wattermark.verbs.estimates.ground import DEVICES, ground

Job = Training | Inference | Media | ApiCalls


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What would run: its terms, the factors that they name, what was assumed, and what it is in words.

    ``accelerator`` is the id of what is held, ``hardware`` the same in words, ``units`` how many of what
    it is for.
    """

    kind: str
    subject: str
    accelerator: str
    hardware: str
    sketch: Sketch
    factors: tuple[Factor, ...]
    assumptions: tuple[str, ...]
    units: Mapping[str, float]


def asked(job: object, kind: type[Job]) -> None:
    """Whether a verb was asked about what it estimates.

    Raises
    ------
    UsageError
        If it was not.
    """
    if not isinstance(job, kind):
        raise UsageError(f"{job!r:.40} is no {kind.__name__}", fix=f"Give wm.{kind.__name__}(...)")


def placed(draft: Draft, job: Job, site: Site | None) -> Estimate:
    """A draft where it would run; the world by default, with a wide interval.

    Raises
    ------
    UsageError
        If the place is not known, or a number of the site cannot be meant.
    """
    where = Site() if site is None else site
    if not isinstance(where, Site):
        raise UsageError(f"the site is {where!r:.40}", fix="Give wm.Site(place='deu')")
    standing = ground(where, draft.accelerator)
    # a place that nobody named keeps what the draft knows of it: a closed model's own PUE
    known = {one.name: one for one in standing.factors}
    known |= {one.name: one for one in draft.factors if where.place is None and where.pue is None}
    known |= {one.name: one for one in draft.factors if one.name not in known}
    question = Question(
        kind=draft.kind,
        subject=draft.subject,
        hardware=draft.hardware,
        job={**_given(job), "site": _given(where)},
        units=draft.units,
        assumptions=(*draft.assumptions, *standing.assumptions),
    )
    return estimate(draft.sketch, known.values(), DEVICES, question=question, place=standing.place)


def _given(told: Job | Site) -> dict[str, object]:
    named = {field.name: getattr(told, field.name) for field in fields(told)}
    return {name: value for name, value in named.items() if value is not None}


def many(value: float, word: str) -> str:
    """How many of something, in words: ``1 request``, ``2,000,000 requests``."""
    return f"{value:,.10g} {word}" if value == 1 else f"{value:,.10g} {word}s"


def size(params: float, active_params: float) -> str:
    """A model's size as people say it: ``30.5 B parameters, 3.3 B active``."""
    active = "" if active_params >= params else f", {say(active_params, COUNT)} active"
    return f"{say(params, COUNT)} parameters{active}"
