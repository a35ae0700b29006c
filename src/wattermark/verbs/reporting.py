"""Report a run or an estimate as a standard wants it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wattermark.errors import UsageError
from wattermark.factors.table import named, papers
from wattermark.report.methods import cited_sources, methods_text
from wattermark.report.reading import FIX, subject_from
from wattermark.report.standards import (
    ai_act_document,
    ghg_of_customer,
    ghg_of_owner,
    model_card,
    sci_document,
)
from wattermark.science.scores import sci_g_per_unit, without_upstream
from wattermark.values.estimate import Estimate
from wattermark.values.footprint import Footprint
from wattermark.values.jobs import check_choice, check_positive, check_text
from wattermark.values.range import Range
from wattermark.values.subject import STANDARDS, Subject

Document = dict[str, Any]
CONSUMER, PROVIDER = "sci-ai-consumer", "sci-ai-provider"
SCORES: Mapping[str, str] = {
    "sci": "ISO/IEC 21031:2024, Software Carbon Intensity",
    CONSUMER: "SCI for AI, consumer score: operation and monitoring",
    PROVIDER: "SCI for AI, provider score: inception to deployment",
}
FLOP = "FLOP"
ASKED_BY: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(SCORES, ("per", "units", "flops")),
    "ai-act": ("flops",),
    "model-card": ("training_type",),
}
"""Which standard asks what; anything else given would change nothing, and is refused."""


def report_as(
    what: Footprint | Estimate,
    standard: str,
    *,
    per: str | None = None,
    units: float | None = None,
    flops: float | None = None,
    training_type: str | None = None,
) -> Document:
    """A footprint or an estimate as a standard wants it.

    Parameters
    ----------
    what : Footprint or Estimate
        Of ``Run.footprint()``, ``account`` or one of the ``estimate_`` functions.
    standard : str
        sci, sci-ai-consumer, sci-ai-provider, ghg, ghg-customer, ai-act, model-card or methods.
    per : str, optional
        The functional unit of a score; an estimate knows its own.
    units : float, optional
        How many of them. [1]
    flops : float, optional
        Work of a training, where the estimate does not tell. [FLOP]
    training_type : str, optional
        For a model card: pre-training, fine-tuning ...

    Returns
    -------
    dict
        What the standard asks for; a model card and methods hold their ``text``.

    Raises
    ------
    UsageError
        If the standard is not known, or asks for what is not there.

    Examples
    --------
    >>> import wattermark as wm
    >>> job = wm.Training(params=7e9, tokens=2e12, gpu="h100", count=512)
    >>> found = wm.report_as(wm.estimate_training(job), "ai-act")
    >>> found["training_flop"], found["energy_is"].partition(":")[0]
    (8.4e+22, 'estimated')
    """
    if not isinstance(what, Footprint | Estimate):
        raise UsageError(f"{what!r:.40} is neither a footprint nor an estimate", fix="Give one of them")
    subject = Subject.of_estimate(what) if isinstance(what, Estimate) else Subject.of_run("run", what)
    return document_of(subject, standard, per=per, units=units, flops=flops, training_type=training_type)


def document_of(
    subject: Subject,
    standard: str,
    *,
    per: str | None = None,
    units: float | None = None,
    flops: float | None = None,
    training_type: str | None = None,
) -> Document:
    """As ``report_as``, of a subject."""
    check_choice("standard", standard, STANDARDS, needed=True)
    check_text("per", per)
    check_text("training_type", training_type)
    given = {"per": per, "units": units, "flops": flops, "training_type": training_type}
    idle = [name for name, value in given.items() if value and name not in ASKED_BY.get(standard, ())]
    if idle:
        raise UsageError(f"{standard} does not ask for {idle[0].replace('_', ' ')}", fix="Leave it out")
    check_positive("flops", flops)
    known = subject if flops is None else _with_flops(subject, flops)
    if standard in SCORES:
        return _score(known, standard, per, units)
    if standard == "ghg-customer":
        return ghg_of_customer(known)
    if standard == "ghg":
        return ghg_of_owner(known, *_scope_2(known))
    if standard == "methods":
        text = methods_text(known, papers(cited_sources(known.footprint.factors)))
        return {"standard": "methods paragraph (LaTeX) and BibTeX", "text": text}
    if not known.may_be_training:
        raise UsageError(
            f"{standard} is about the training of a model, and this is an estimate of {known.kind}",
            fix="Report an estimate of training, or sci, ghg, methods",
        )
    if standard == "ai-act":
        return ai_act_document(known)
    text = model_card(known, training_type=training_type or "training")
    return {"standard": "Hugging Face model card", "text": text}


def _scope_2(subject: Subject) -> tuple[Range | None, Range | None]:
    """Operational carbon by generation and upstream, where the grid's intensity is of the life cycle."""
    whole = subject.footprint.carbon_operational_g
    if whole is None or not subject.footprint.boundary.ci_basis.startswith("lifecycle"):
        return None, None
    return without_upstream(whole, named("defaults", "ci_direct_to_lifecycle").value)


def read_subject(path: str) -> Subject:
    """What a file of ``estimate --json`` or ``show --json`` holds; ``-`` is stdin.

    Raises
    ------
    UsageError
        If it cannot be read, or is not one of ours.
    """
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        return subject_from(json.loads(text))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", fix=FIX) from error
    except UsageError:
        raise
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} holds no JSON", fix=FIX) from error


def _with_flops(subject: Subject, flops: float) -> Subject:
    from dataclasses import replace

    if subject.flops is not None:
        raise UsageError("the estimate knows its work already", fix="Leave --flops out")
    return replace(subject, flops=flops)


def _score(subject: Subject, standard: str, per: str | None, units: float | None) -> Document:
    if (standard == CONSUMER and subject.kind == "training") or (
        standard == PROVIDER and not subject.may_be_training
    ):
        other = PROVIDER if standard == CONSUMER else CONSUMER
        raise UsageError(f"{standard} does not hold an estimate of {subject.kind}", fix=f"Report {other}")
    unit, many = _functional_unit(subject, per, units)
    score = score_of(subject.footprint, many)
    return sci_document(subject, score, unit=unit, units=many, name=SCORES[standard])


def _functional_unit(subject: Subject, per: str | None, units: float | None) -> tuple[str, float]:
    """What was asked for, else what the work itself was for."""
    check_positive("units", units)
    known = {**subject.units, **({FLOP: subject.flops} if subject.flops else {})}
    if per is None and units is None and len(subject.units) == 1:
        return next(iter(subject.units.items()))
    if per and units is None:  # "token" is enough for "training token"
        per = next((unit for unit in known if unit == per or unit.endswith(f" {per}")), per)
    many = units if units is not None else known.get(per or "")
    if not per or many is None:
        own = f"Say --per with one of: {', '.join(known)}; or " if known else "Say "
        raise UsageError("a score is per functional unit", fix=f"{own}--per request --units 1200")
    return per, many


def score_of(footprint: Footprint, units: float) -> Range:
    """Software carbon intensity of a footprint. [g CO2e per functional unit]

    Raises
    ------
    UsageError
        If its carbon is not known: an unknown score is not zero.
    """
    if footprint.carbon_operational_g is None or footprint.carbon_embodied_g is None:
        raise UsageError("the carbon of this run is not known", fix="See: wattermark show RUN")
    return sci_g_per_unit(footprint.carbon_operational_g, footprint.carbon_embodied_g, units)
