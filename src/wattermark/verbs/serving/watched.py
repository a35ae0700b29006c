"""What a watch found: counters and meters of its ledger, joined; now, or once more when more is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wattermark.errors import BadSpool, UsageError, WattermarkError
from wattermark.factors.serving import TYPICAL, serving_factors
from wattermark.factors.table import named
from wattermark.ledger.read import read_spool
from wattermark.ledger.requests import read_requests, request_files
from wattermark.science.believed import believed
from wattermark.science.metered import Track
from wattermark.science.sharing.columns import cost_of
from wattermark.science.sharing.counters import Prior
from wattermark.science.sharing.metering import any_seen, energy_between, energy_told, meters_among
from wattermark.science.sharing.rounds import Counted, rounds_of
from wattermark.science.sharing.watched import watched
from wattermark.values.kinds import Part
from wattermark.values.records import Recorded
from wattermark.values.served import EngineLook
from wattermark.values.watched import Watched
from wattermark.values.workload import Accelerator, Architecture
from wattermark.verbs.estimates.ground import accelerator_of, model_of

TYPICAL_MODEL = "llama-3.1-8b"
"""In place of one that nobody knows: then only the proportions of its costs are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What is known of what is watched; None is found out, or taken as typical.

    ``model`` is its name, ``gpu`` the kind of the ``accelerators`` of one copy [1], ``quantisation`` of
    its weights; ``meters`` are the channels that see the engine, as ``gpu/0``: all accelerators by default.
    """

    model: str | None = None
    gpu: str | None = None
    accelerators: int | None = None
    quantisation: str | None = None
    meters: tuple[str, ...] = ()


def watched_run(folder: Path, known: Watching | None = None) -> Watched:
    """What a watch found, once more from its ledger: whoever knows the model better may say so now.

    Parameters
    ----------
    folder : Path
        Of the run.
    known : Watching, optional
        What is known of the engines.

    Raises
    ------
    UsageError
        If no engine was watched in that run.
    BadSpool
        If its spool cannot be read.
    """
    check_known(known or Watching())
    for path in request_files(folder):
        try:
            looks = read_requests(path).looks
        except OSError as error:
            raise BadSpool(f"{path} cannot be read: {error.strerror}", fix="Check its permissions") from error
        if looks:
            return watched_of(read_spool(folder / path.name), looks, known or Watching())
    raise UsageError(
        f"no engine was watched in the run {folder.name}",
        fix="Watch one: wattermark serving watch --metrics http://localhost:8000/metrics",
    )


def watched_of(recorded: Recorded, looks: Sequence[EngineLook], known: Watching) -> Watched:
    """Counters and meters of one record, joined."""
    rounds = rounds_of(looks)
    tracks, meter = meters_among(believed(recorded).tracks, known.meters)
    energy_j = energy_between(tracks, rounds.edge_ns, recorded.begin_mono_ns)
    flags = _flags(known, meter)
    told_j = energy_told(looks, rounds.edge_ns)
    if any_seen(told_j) and not any_seen(energy_j):
        energy_j, meter = told_j, "the engine's own counter"
    return watched(
        rounds, energy_j, [_prior(one, tracks, known) for one in rounds.engines], meter=meter, flags=flags
    )


def check_known(known: Watching) -> None:
    """Whether what is said of the engines can be meant.

    Raises
    ------
    UsageError
        If a name is not known.
    """
    from wattermark.values.jobs import PRECISIONS, check_choice

    check_choice("quantisation", known.quantisation, PRECISIONS)
    if known.model is not None:
        model_of(model=known.model, config=None, params=None, active_params=None)
    if known.gpu is not None:
        accelerator_of(known.gpu)
    if known.accelerators is not None and known.accelerators < 1:
        raise UsageError("accelerators are counted from one", fix="Give --count 1, or more")


def _flags(known: Watching, meter: str) -> list[str]:
    missed = [name for name in known.meters if name not in meter.split(", ")]
    return [f"not-seen: there is no meter {name}; see: wattermark doctor" for name in missed]


def _prior(one: Counted, tracks: Sequence[Track], known: Watching) -> Prior:
    """What is expected of a model before anything is measured; typical where it is not known."""
    gpus = [channel for channel, _ in tracks if channel.part is Part.GPU and not channel.embedded]
    accelerator = _accelerator(known.gpu or (gpus[0].device if gpus else ""))
    model = _model(known.model or one.whose[2])
    how_many = known.accelerators or max(len(gpus), 1)
    expected = model or model_of(model=TYPICAL_MODEL, config=None, params=None, active_params=None)
    used = accelerator or accelerator_of(TYPICAL)
    factors = {factor.name: factor.value for factor in serving_factors(used, 1.0)}
    idle = "gpu_idle_fraction" if gpus or not tracks else "cpu_idle_fraction"
    return Prior(
        cost=cost_of(
            expected,
            precision=known.quantisation or expected.precision,
            accelerators=float(how_many),
            values={name: value.best for name, value in factors.items()},
        ),
        absolute=model is not None and accelerator is not None,
        idle_fraction=named("defaults", idle).value.best,
        rated_w=None if accelerator is None else sum([accelerator.tdp_w for _ in range(how_many)]),
        error=factors["serving_error"],
    )


def _model(name: str) -> Architecture | None:
    try:
        return model_of(model=name, config=None, params=None, active_params=None) if name else None
    except UsageError:  # an engine may call it whatever its user liked
        return None


def _accelerator(name: str) -> Accelerator | None:
    try:
        return accelerator_of(name) if name else None
    except WattermarkError:  # unknown to us, or its sheet lacks a number
        return None
