"""A footprint as a JSON document: the words of the outside."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from wattermark.values.estimate import Estimate
from wattermark.values.factors import Factor
from wattermark.values.footprint import SCHEMA, Component, Footprint
from wattermark.values.range import Range

if TYPE_CHECKING:
    from wattermark.values.records import Recorded

Document = dict[str, Any]


def footprint_document(footprint: Footprint) -> Document:
    """Quantities under ``footprint``, and beside them what they were made of.

    What is unknown is null with a flag, never 0.
    """
    return {
        "schema": SCHEMA,
        "footprint": {name: _range(value) for name, value in footprint.quantities().items()},
        "duration_s": footprint.duration_s,
        "boundary": asdict(footprint.boundary),
        "components": [_component(component) for component in footprint.components],
        "place": asdict(footprint.place),
        "factors": [factor_document(factor) for factor in footprint.factors],
        "drivers": [asdict(driver) for driver in footprint.drivers],
        "spans": [asdict(span) for span in footprint.spans],
        "flags": list(footprint.flags),
    }


def run_document(recorded: Recorded, footprint: Footprint) -> Document:
    """A run: what it was, and its footprint."""
    header = recorded.header
    run = {
        "run": header.run,
        "name": header.name,
        "status": recorded.status.value,
        "detail": recorded.detail,
        "host": header.host,
        "started_ns": header.started_ns,
        "duration_s": footprint.duration_s,
        "command": header.command,
        "job": header.job or None,
        "world_size": header.world_size,
        "scope": header.scope.value,
        "tags": dict(header.tags),
        "place_from": header.place_from,
        "inside": list(header.inside),
        "skipped": {name: {"problem": p, "fix": fix} for name, (p, fix) in recorded.skipped.items()},
    }
    return {"run": run, **footprint_document(footprint)}


def estimate_document(estimate: Estimate) -> Document:
    """An estimate: what else was asked, for one of each unit, and its footprint."""
    amounts = {name: _range(value) for name, value in estimate.amounts.items() if name != "flops"}
    flops = estimate.amounts.get("flops")
    question = estimate.question
    told = {
        "kind": question.kind,
        "subject": question.subject,
        "hardware": question.hardware,
        "job": dict(question.job),
        **amounts,
        "flops": flops.best if flops else None,
        "tokens": estimate.units.get("training token"),
        "units": dict(estimate.units),
        "per_unit": {
            unit: {name: _range(value) for name, value in ranges.items()}
            for unit, ranges in estimate.per_unit.items()
        },
        "assumptions": list(estimate.assumptions),
    }
    return {"estimate": told, **footprint_document(estimate.footprint)}


def factor_document(factor: Factor) -> Document:
    """A factor, with its papers."""
    return {
        "name": factor.name,
        "value": _range(factor.value),
        "unit": factor.unit,
        "key": factor.key,
        "year": factor.year or None,
        "basis": factor.basis,
        "source": factor.source,
        "note": factor.note,
    }


def _component(component: Component) -> Document:
    return {**asdict(component), "quality": component.quality.value, "energy_j": _range(component.energy_j)}


def _range(value: Range | None) -> Document | None:
    return None if value is None else {"low": value.low, "best": value.best, "high": value.high}
