"""What was saved, as a document and as sections of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from wattermark.report.numbers import CARBON, WATER, Scale, digits, say
from wattermark.report.planned import WORDS, heard_sentence, percent
from wattermark.report.sheet import Line, Section
from wattermark.values.audit import Audit, Claim

AUDIT_SCHEMA: Final = 1
SCALES: Final[dict[str, Scale]] = {"carbon": CARBON, "water": WATER}


def audit_document(audit: Audit) -> dict[str, Any]:
    """All of an audit; ``claimed`` is false where none is made, and ``refused`` says why."""
    return {
        "schema": AUDIT_SCHEMA,
        "run": audit.run,
        "plan": audit.plan,
        "claimed": not audit.refused,
        "refused": audit.refused or None,
        "claims": [
            asdict(claim) | {"saving": claim.saving, "oracle_saving": claim.oracle_saving}
            for claim in audit.claims
        ],
        "heard": [asdict(heard) | {"signal": heard.signal.value} for heard in audit.heard],
        "flags": list(audit.flags),
    }


def audit_sections(audit: Audit) -> tuple[Section, ...]:
    """For a person: what is claimed, or why nothing is; then all that is known."""
    return (
        Section("", sentences=(_verdict(audit),)),
        *(Section(WORDS.get(claim.quantity, claim.quantity), tuple(_rows(claim))) for claim in audit.claims),
        Section("by", sentences=tuple(dict.fromkeys(heard_sentence(heard) for heard in audit.heard))),
        Section("to know", sentences=audit.flags),
    )


def _verdict(audit: Audit) -> str:
    if audit.refused:
        return f"nothing is claimed: {audit.refused}"
    saving = next(claim.saving for claim in audit.claims if claim.quantity == "carbon")
    if saving is None or saving < 0:
        return f"it took {percent(-(saving or 0.0))} more carbon than a start at once would have"
    return f"it saved {percent(saving)} of the carbon that a start at once would have taken"


def _rows(claim: Claim) -> Iterator[Line]:
    for label, amount, saving in (
        ("started at once", claim.start_now, None),
        ("as it ran", claim.realised, claim.saving),
        ("as it was planned", None, claim.planned_saving),
        ("at best, all known", claim.oracle, claim.oracle_saving),
    ):
        told = "" if amount is None and saving is not None else _amount(claim.quantity, amount)
        note = "" if saving is None else f"{percent(saving)} saved"
        yield Line(label, told, note=note)


def _amount(quantity: str, amount: float | None) -> str:
    scale = SCALES.get(quantity.partition("-")[0])
    if scale is None:
        return "not known" if amount is None else f"{digits(amount)} USD"
    return say(amount, scale)
