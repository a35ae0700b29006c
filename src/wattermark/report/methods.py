"""How a footprint was made, as a paragraph for a paper, and its sources as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from wattermark._version import __version__
from wattermark.report.numbers import digits, say, say_interval, scale_of
from wattermark.report.sheet import QUALITY, driver_sentences
from wattermark.values.factors import Factor, Source
from wattermark.values.subject import Subject

OURS, OWN_CHOICE, GIVEN = "wattermark", "ours", "user"
OPTION = re.compile(r" \(--[^)]*\)")
"""What a person at a command line is told, and a paper is not."""

TOLD = ("pue", "wue", "carbon_intensity", "water_thermal", "water_hydro", "scarcity_site")
"""Factors that the paragraph tells with their values."""
_SPECIAL = {"\\": r"\textbackslash{}", **{sign: f"\\{sign}" for sign in "&%$#_{}"}, "~": r"\textasciitilde{}"}


def methods_text(subject: Subject, sources: Mapping[str, Source]) -> str:
    """A paragraph in LaTeX that cites, and the BibTeX entries that it cites.

    Parameters
    ----------
    subject : Subject
        A footprint, measured or estimated.
    sources : mapping
        By id: the papers of its factors.
    """
    paragraph = " ".join(_sentences(subject))
    entries = "\n\n".join((_own_entry(), *(_entry(id_, one) for id_, one in sources.items())))
    return f"{paragraph}\n\n{entries}"


def _sentences(subject: Subject) -> Iterator[str]:
    yield _made(subject)
    yield from _energy(subject)
    yield from _carbon(subject)
    yield from _water(subject)
    yield "Intervals are 90\\,\\% (5th to 95th percentile), from joint draws of all factors."
    drivers = "; ".join(driver_sentences(subject.footprint))
    if drivers:
        yield _plain(f"What makes them wide, by share of the variance: {drivers}.")
    if subject.assumptions:
        told = (OPTION.sub("", one) for one in subject.assumptions)
        yield _plain(f"Assumed: {'; '.join(told)}.")
    rest = cited_sources(one for one in subject.footprint.factors if one.name not in TOLD)
    if rest:
        yield f"Further factors are from~\\cite{{{','.join(rest)}}}."


def _made(subject: Subject) -> str:
    cited = f"wattermark {__version__}~\\cite{{{OURS}}}"
    on = _plain(f" on {subject.hardware}") if subject.hardware else ""
    if subject.is_run:
        return f"Energy{on} was recorded with {cited}."
    return f"Energy{on} was estimated with {cited} before anything ran; nothing was measured."


def _energy(subject: Subject) -> Iterator[str]:
    found = subject.footprint
    parts = [
        f"{part.name} {say(part.energy_j.best, scale_of('it_energy_j'))} ({QUALITY[part.quality]})"
        for part in found.components
        if part.counted and part.energy_j is not None
    ]
    yield f"IT equipment took {_said(subject, 'it_energy_j')}: {_plain(', '.join(parts))}."
    facility = _said(subject, "facility_energy_j")
    yield f"With a power usage effectiveness of {_factor(subject, 'pue')} the facility took {facility}."


def _carbon(subject: Subject) -> Iterator[str]:
    keys = [factor.key for factor in subject.footprint.factors if factor.name == "carbon_intensity"]
    place = _plain(subject.footprint.place.name if len(keys) < 2 else " and ".join(keys))
    intensity = _factor(subject, "carbon_intensity")
    yield (
        f"With a grid intensity of {intensity} ({place}), that is {_said(subject, 'carbon_operational_g')}"
        f" of operational, location-based CO$_2$e; {_said(subject, 'carbon_embodied_g')} are embodied;"
        f" in all {_said(subject, 'carbon_g')}."
    )
    if subject.footprint.carbon_market_g is not None:
        yield f"Market-based, operational carbon is {_said(subject, 'carbon_market_g')}."


def _water(subject: Subject) -> Iterator[str]:
    yield (
        f"Fresh water consumed: {_said(subject, 'water_onsite_l')} on site (water usage effectiveness"
        f" {_factor(subject, 'wue')}), {_said(subject, 'water_offsite_thermal_l')} by thermal and"
        f" {_said(subject, 'water_offsite_hydro_l')} by hydroelectric power plants"
        f" ({_factor(subject, 'water_thermal')} and {_factor(subject, 'water_hydro')}),"
        f" {_said(subject, 'water_embodied_l')} embodied; in all {_said(subject, 'water_l')};"
        f" weighted by scarcity {_said(subject, 'water_scarcity_m3eq')}"
        f" (AWARE {_factor(subject, 'scarcity_site')})."
    )


def _said(subject: Subject, quantity: str) -> str:
    value = subject.footprint.quantities()[quantity]
    scale = scale_of(quantity)
    if value is None:
        return "an amount that is not known"
    return _plain(f"{say(value.best, scale)} ({say_interval(value, scale)})")


def _factor(subject: Subject, name: str) -> str:
    """Its value, or each of them where the parts of a run were at several places."""
    found = [factor for factor in subject.footprint.factors if factor.name == name]
    return " and ".join(map(_value, found)) or "an unknown value"


def _value(factor: Factor) -> str:
    value = factor.value
    unit = "" if factor.unit == "1" else f" {factor.unit}"
    interval = "" if value.is_exact else f" ({digits(value.low)} - {digits(value.high)})"
    return _plain(f"{digits(value.best)}{unit}{interval}") + _cited(factor)


def _cited(factor: Factor) -> str:
    """The papers of a factor; what is our own choice stands in our own documentation."""
    ids = [OURS if id_ == OWN_CHOICE else id_ for id_ in factor.source.split("+") if id_ != GIVEN]
    return f"~\\cite{{{','.join(ids)}}}" if ids else ""


def cited_sources(factors: Iterable[Factor]) -> list[str]:
    """Ids of the sources of factors, each once, our own aside.

    Parameters
    ----------
    factors : iterable of Factor
        Of a footprint.
    """
    ids = dict.fromkeys(id_ for factor in factors for id_ in factor.source.split("+"))
    return [id_ for id_ in ids if id_ not in (GIVEN, OWN_CHOICE)]


def _own_entry() -> str:
    title = "wattermark: energy, carbon and water of machine-learning work"
    return _bibtex(OURS, title, "{The wattermark authors}", f"version {__version__}", "")


def _entry(id_: str, source: Source) -> str:
    author = f"{{{_plain(source.publisher)}}}"
    return _bibtex(id_, _plain(source.title), author, _plain(source.version), source.url)


def _bibtex(id_: str, title: str, author: str, note: str, url: str) -> str:
    fields = {"title": f"{{{title}}}", "author": author, "note": note, "howpublished": _address(url)}
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value and value != "-"]
    return f"@misc{{{id_},\n" + ",\n".join(lines) + "\n}"


def _address(url: str) -> str:
    if url in ("", "-"):
        return ""
    return f"\\url{{https://doi.org/{url[4:]}}}" if url.startswith("doi:") else f"\\url{{{url}}}"


def _plain(text: str) -> str:
    """Text in which nothing is a command of LaTeX."""
    return "".join(_SPECIAL.get(sign, sign) for sign in text)
