"""The report of what requests took: measured runs and unmetered ones side by side, never added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from wattermark.errors import UsageError
from wattermark.ledger.columns import RequestColumns
from wattermark.science.served.bearers import RunShare, joined, models_at_work
from wattermark.science.served.events import Model, Names, hour_codes, rows_named
from wattermark.science.served.rows import hours_of, idle_of, rows_of, total_of
from wattermark.science.timeline import began_s, ended_s
from wattermark.values.jobs import Site
from wattermark.values.policy import ActiveIdle, Idle
from wattermark.values.records import RunHeader
from wattermark.values.serving_report import Basis, By, ServedRow, ServedSide, ServingReport
from wattermark.verbs.elsewhere import check_options
from wattermark.verbs.moments import iso
from wattermark.verbs.serving.estimated import Estimated, Service, estimated
from wattermark.verbs.serving.measured import (
    MeasuredRun,
    Reading,
    Row,
    footprint_of,
    measured_run,
    quality_of,
    unmetered,
)
from wattermark.verbs.serving.priors import word_of_models
from wattermark.verbs.serving.requests_of import LAST, ServingRun, read_serving, serving_places
from wattermark.verbs.serving.what_if import otherwise_of, what_if_estimated, what_if_measured

NO_NAME = {By.MODEL: "(no name)", By.TENANT: "(no key)"}
NO_MODEL = "other"
"""Questions to a server that run no model."""
WINDOW_S = 1.0
LOUD = (
    *("gap", "interrupted", "running", "clock-step", "spool-damaged", "beats-lost", "fault", "modelled"),
    *("place-unknown", "place-guessed", "ranks-missing", "resumed", "several-places"),
    *("inside", "holds", "overlaps"),
)
"""Words of a footprint's flags that a report repeats; all others are in ``wattermark show``."""
TWO_SIDES = (
    "two-sides: what was measured and what is estimated stand side by side; they hold different things "
    "(a machine, a share of a service) and are not added"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is wanted of a report; ``options`` are those of ``show``, ``what_if`` pairs of words."""

    by: By = By.MODEL
    idle: Idle = Idle.APART
    active_idle: ActiveIdle = ActiveIdle.WEIGHT
    basis: Basis | None = None
    window_s: float = WINDOW_S
    gpu: str | None = None
    batch: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    at: str | None = None
    what_if: Mapping[str, str] = field(default_factory=dict)


def serving_report_of(
    ledger: Path, wanted: str = LAST, asked: Asked | None = None, *, begun_after_s: float | None = None
) -> ServingReport:
    """What the requests of some runs took.

    Parameters
    ----------
    ledger : Path
        Where runs are kept.
    wanted : str
        A run as ``show`` takes it, ``last`` or ``all``: of those that noted requests.
    asked : Asked, optional
        What is wanted of it.
    begun_after_s : float, optional
        Only runs that began since. [s since 1970]

    Raises
    ------
    UsageError
        If no run noted requests, or something cannot be meant.
    """
    asked = asked or Asked()
    _check(asked)
    options, otherwise = {**check_options(asked.options), "at": asked.at}, otherwise_of(asked.what_if)
    reading = _reading(asked, options)
    runs = [read_serving(place) for place in serving_places(ledger, wanted, begun_after_s=begun_after_s)]
    metered: list[MeasuredRun] = []
    others: list[ServingRun] = []
    for run in runs:
        footprint = footprint_of(run, ledger, options)
        if footprint.it_energy_j is None or asked.basis is Basis.ESTIMATED:
            others.append(run)
        else:
            metered.append(measured_run(run, footprint, reading))
    service = _service(asked, options)
    sides, what_if = [], []
    if metered:
        sides.append(_measured(metered, reading, asked, tuple(_overlaps(metered, runs))))
        if otherwise:
            what_if.append(what_if_measured(metered, runs, ledger, reading, otherwise))
    if others:
        bearers, told = zip(*(unmetered(run, reading) for run in others), strict=True)
        of_models = estimated(joined(bearers), reading.models.all, service)
        half_told = [flag for flags in told for flag in flags]
        sides.append(_estimated(others, of_models, reading, asked, service=service, half_told=half_told))
        if otherwise:
            what_if.append(what_if_estimated(of_models, reading.models.all, service, otherwise))
    return ServingReport(
        by=asked.by,
        idle=asked.idle,
        active_idle=asked.active_idle,
        sides=tuple(sides),
        what_if=tuple(what_if),
        flags=(TWO_SIDES,) if len(sides) > 1 else (),
    )


def _check(asked: Asked) -> None:
    if not asked.window_s > 0:
        raise UsageError(f"a window of {asked.window_s:g} s", fix="Give --window above 0, as in 10s")
    if asked.batch is not None and not asked.batch >= 1:
        raise UsageError(f"a batch of {asked.batch:g}", fix="At least 1 request runs at a time")


def _reading(asked: Asked, options: Mapping[str, Any]) -> Reading:
    return Reading(
        models=Names(),
        rows=Names(),
        row_of=partial(_rows, asked.by),
        idle=asked.idle,
        active_idle=asked.active_idle,
        window_s=asked.window_s,
        gpu=asked.gpu,
        options=options,
    )


def _service(asked: Asked, options: Mapping[str, Any]) -> Service:
    """Whoever calls a service does not know where it is, unless that was said."""
    site = Site(**{name: options.get(name) for name in ("place", "pue", "wue", "market_intensity")})
    return Service(gpu=asked.gpu, batch=asked.batch, site=site)


def _rows(by: By, requests: RequestColumns, header: RunHeader, rows: Names[Row]) -> Any:
    """The code of each request's row; questions that ask no model are of none."""
    if by is By.HOUR:
        return hour_codes(requests, header.booted_ns, rows)
    no_name, no_model = NO_NAME.get(by, ""), NO_MODEL if by is By.MODEL else None
    return rows_named(requests, by.value, rows, no_name=no_name, quiet_name=no_model)


def _names(reading: Reading) -> list[str]:
    return [iso(name) if isinstance(name, float) else name for name in reading.rows.all]


def _in_order(rows: tuple[ServedRow, ...], by: By) -> tuple[ServedRow, ...]:
    """Hours one after the other; all else as it is, the largest first."""
    return tuple(sorted(rows, key=lambda row: row.name)) if by is By.HOUR else rows


def _overlaps(metered: Sequence[MeasuredRun], runs: Sequence[ServingRun]) -> Iterator[str]:
    """Runs that were charged with one machine at the same time, as two proxies of one GPU are."""
    names = {run.run for run in metered}
    held = [
        (one.recorded.header.machine or one.recorded.header.host, began_s(one.recorded), one, run.run)
        for run in runs
        if run.run in names
        for one in run.machines
    ]
    latest: dict[str, tuple[float, str]] = {}
    for machine, begun, one, name in sorted(held, key=lambda each: each[:2]):
        until, before = latest.get(machine, (begun, name))
        if begun < until and before != name:
            yield (
                f"twice: {before} and {name} ran on {one.recorded.header.host} at the same time; each is "
                "charged with all of the machine, so the sums hold it twice: report one of them"
            )
        latest[machine] = max((until, before), (ended_s(one.recorded), name))


def _measured(
    runs: Sequence[MeasuredRun], reading: Reading, asked: Asked, overlaps: Sequence[str]
) -> ServedSide:
    shares = [run.share for run in runs]
    footprints = [run.footprint for run in runs]
    quality, names = quality_of(footprints), _names(reading)
    known = [one.it_energy_j.best for one in footprints if one.it_energy_j is not None]
    flags = [
        *overlaps,
        *(flag for run in runs for flag in run.flags),
        *word_of_models(_models_in(shares, reading.models)),
        *(flag for one in footprints for flag in one.flags if flag.partition(":")[0] in LOUD),
        *_places(footprints[0].place.resolved, [one.place.resolved for one in footprints]),
    ]
    return ServedSide(
        basis=Basis.MEASURED,
        runs=tuple(run.run for run in runs),
        place=" > ".join(footprints[0].place.steps),
        rows=_in_order(rows_of(shares, names, quality=quality, ledgers=True), asked.by),
        idle=idle_of(shares, quality=quality),
        total=total_of(shares, quality=quality, ledgers=True),
        meter_j=sum(known),
        hours=hours_of(shares, names),
        flags=tuple(dict.fromkeys(flags)),
    )


def _places(shown: str, every: Iterable[str]) -> Iterator[str]:
    others = [place for place in dict.fromkeys(every) if place != shown]
    if others:
        yield f"several-places: runs at {', '.join(others)} are in the sums too; {shown} is shown"


def _models_in(shares: Iterable[RunShare], models: Names[Model]) -> list[str]:
    codes = {code for share in shares for code in models_at_work(share.requests)}
    return [name for code, (name, _) in enumerate(models.all) if code in codes]


def _estimated(
    runs: Sequence[ServingRun],
    of_models: Sequence[Estimated],
    reading: Reading,
    asked: Asked,
    *,
    service: Service,
    half_told: Sequence[str],
) -> ServedSide:
    shares, names = [one.share for one in of_models], _names(reading)
    placed = next((one.estimate.footprint.place for one in of_models if one.estimate), None)
    total = total_of(shares, quality="estimated", ledgers=False)
    flags = [
        *(flag for run in runs for flag in run.flags),
        "estimated: no meter saw these requests; every figure is a model's, with its interval",
        *_nowhere(service),
        *half_told,
        *_partial(of_models),
        *dict.fromkeys(one.flag for one in of_models if one.flag),
        *_assumed(of_models),
    ]
    return ServedSide(
        basis=Basis.ESTIMATED,
        runs=tuple(run.run for run in runs),
        place=" > ".join(placed.steps) if placed else "",
        rows=_in_order(rows_of(shares, names, quality="estimated", ledgers=False), asked.by),
        idle=None,
        total=total,
        meter_j=None,
        hours=hours_of(shares, names),
        flags=tuple(dict.fromkeys(flags)),
    )


def _nowhere(service: Service) -> Iterator[str]:
    if service.site.place is None:
        yield (
            "place-unknown: where these models run was not said (the place of a run is that of who calls): "
            "the world's mean, with a wide interval (--place)"
        )


def _partial(of_models: Iterable[Estimated]) -> Iterator[str]:
    for one in of_models:
        if one.why_not:
            yield f"partial: {one.name}: {one.why_not}; the sums are without them"


def _assumed(of_models: Sequence[Estimated]) -> Iterator[str]:
    """Each assumption once, with the models that it is about where it is not about all."""
    known = [one for one in of_models if one.estimate is not None]
    every = dict.fromkeys(
        note for one in known for note in (one.estimate.assumptions if one.estimate else ())
    )
    for note in every:
        of = [one.name for one in known if one.estimate and note in one.estimate.assumptions]
        about = "" if len(of) == len(known) else f" ({', '.join(dict.fromkeys(of))})"
        if note:
            yield f"assumed{about}: {note}"
