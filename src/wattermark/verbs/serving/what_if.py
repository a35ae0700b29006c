"""What would change at another batch, place, model or accelerator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from wattermark.errors import UsageError
from wattermark.factors.serving import serving_factors
from wattermark.factors.shapes.models import architecture_named
from wattermark.report.numbers import digits
from wattermark.science.served.bearers import Bearers, chosen
from wattermark.science.served.events import Model
from wattermark.science.served.rows import added
from wattermark.science.served.what_if import (
    energy_by_model,
    energy_ratio,
    mean_batch,
    otherwise,
    ratio_of,
    work_energy_j,
)
from wattermark.science.served.work import works_of
from wattermark.values.serving_report import Basis, ServedWhatIf
from wattermark.values.workload import Architecture
from wattermark.verbs.estimates.ground import accelerator_of
from wattermark.verbs.place import check_place
from wattermark.verbs.serving.estimated import Estimated, Service, estimated
from wattermark.verbs.serving.measured import MeasuredRun, Reading, footprint_of
from wattermark.verbs.serving.priors import Server, known_model, precision_of
from wattermark.verbs.serving.requests_of import ServingRun

MOST_BATCH = 100_000
WORDS = ("batch", "place", "model", "gpu")
RATIOS = (
    "ratios-of-a-model: measured energy times what the estimator says of the one over the other; idle "
    "capacity and the making of the hardware stay as they are"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """What is to be otherwise; None stays."""

    asked: Mapping[str, str]
    batch: float | None = None
    place: str | None = None
    model: Architecture | None = None
    gpu: str | None = None

    @property
    def ratios(self) -> bool:
        """Whether the work itself would take another energy."""
        return self.batch is not None or self.model is not None or self.gpu is not None


def otherwise_of(asked: Mapping[str, str]) -> Otherwise | None:
    """What ``batch=32,place=swe,model=llama-3.1-8b`` means; None where nothing is asked.

    Raises
    ------
    UsageError
        If a word is not known, or its value cannot be meant.
    """
    if not asked:
        return None
    strange = [word for word in asked if word not in WORDS]
    if strange:
        raise UsageError(f"there is no what-if {strange[0]!r}", fix=f"Choose from: {', '.join(WORDS)}")
    if "place" in asked:
        check_place(asked["place"])
    return Otherwise(
        asked=dict(asked),
        batch=_batch(asked["batch"]) if "batch" in asked else None,
        place=asked.get("place"),
        model=architecture_named(asked["model"]) if "model" in asked else None,
        gpu=accelerator_of(asked["gpu"]).id if "gpu" in asked else None,
    )


def _batch(text: str) -> float:
    try:
        batch = float(text)
    except ValueError:
        batch = 0.0
    if not 1 <= batch <= MOST_BATCH:
        raise UsageError(f"a batch of {text}", fix=f"Give a number from 1 to {MOST_BATCH:,}, as in batch=32")
    return batch


def what_if_measured(
    metered: Sequence[MeasuredRun],
    runs: Sequence[ServingRun],
    ledger: Path,
    reading: Reading,
    asked: Otherwise,
) -> ServedWhatIf:
    """Measured runs otherwise: their energy times ratios of the estimator, at the other place."""
    by_name = {run.run: run for run in runs}
    flags = [RATIOS] if asked.ratios else []
    now, then = [], []
    for one in metered:
        now.append(one.footprint.quantities())
        there = one.footprint
        if asked.place is not None:
            options = {**reading.options, "place": asked.place}
            there = footprint_of(by_name[one.run], ledger, options)
        ratios = dict(_ratios(one, reading, asked, flags)) if asked.ratios else {}
        then.append(otherwise(there.quantities(), energy_ratio(one.share, ratios)))
    return ServedWhatIf(
        basis=Basis.MEASURED,
        asked=asked.asked,
        now=added(now),
        then=added(then),
        flags=tuple(dict.fromkeys(flags)),
    )


def _ratios(
    run: MeasuredRun, reading: Reading, asked: Otherwise, flags: list[str]
) -> Iterator[tuple[int, float]]:
    """By the code of a model; of one that is not known there is no ratio, which is told."""
    for code in energy_by_model(run.share):
        name = reading.models.all[code][0]
        known = known_model(name)
        requests = run.share.requests
        mine = chosen(requests, np.flatnonzero((requests.model == code) & requests.told & requests.worked))
        if known is None or not len(mine):
            flags.append(f"no-ratio: {name or '(no name)'}: nothing is known of its work; its energy stays")
            continue
        batch = mean_batch(mine.begin_s, mine.ran_s)
        then_batch = asked.batch or batch
        there = server_named(asked.gpu, run.server)
        ratio = ratio_of(
            _energy_j(asked.model or known, there, mine, then_batch),
            _energy_j(known, run.server, mine, batch),
        )
        flags.append(
            f"ratio: {name}: {digits(ratio)} times the energy at a batch of {digits(then_batch)}; now "
            f"{digits(batch)} of its requests run at a time"
        )
        yield code, ratio


def server_named(gpu: str | None, now: Server) -> Server:
    """As many of another accelerator."""
    return now if gpu is None else replace(now, accelerator=accelerator_of(gpu))


def _energy_j(model: Architecture, server: Server, requests: Bearers, batch: float) -> float:
    """Of all requests of a model together, by the serving model."""
    precision = precision_of(model)
    _, whole = works_of(model, requests.tokens, requests.many, precision=precision, accelerators=server.count)
    values = {factor.name: factor.value.best for factor in serving_factors(server.accelerator, batch)}
    embed = not requests.tokens["output_tokens"].any()
    return work_energy_j(whole, batch, values, embed=embed)


def what_if_estimated(
    of_models: Sequence[Estimated], models: Sequence[Model], service: Service, asked: Otherwise
) -> ServedWhatIf:
    """Estimated requests otherwise: the estimator again."""
    site = replace(service.site, place=asked.place) if asked.place else service.site
    there = Service(gpu=asked.gpu or service.gpu, batch=asked.batch or service.batch, site=site)
    named = [(asked.model.name, "") if asked.model else model for model in models]
    known = [one for one in of_models if one.estimate is not None]
    again = [found for one in known for found in estimated(one.requests, named, there)]
    left_out = [one.name for one in of_models if one.why_not]
    flags = [f"partial: without {', '.join(dict.fromkeys(left_out))}"] if left_out else []
    return ServedWhatIf(
        basis=Basis.ESTIMATED,
        asked=asked.asked,
        now=added([one.share.quantities for one in known]),
        then=added([one.share.quantities for one in again]),
        flags=tuple(flags),
    )
