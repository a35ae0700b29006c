"""A watch over engines, whole: what they counted, what the meter saw, and whose it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.columns import Floats
from wattermark.science.sharing.counters import (
    IDLE,
    OF_ENGINE,
    Column,
    Fit,
    Prior,
    columns_of,
    fit_columns,
)
from wattermark.science.sharing.rounds import Counted, Rounds
from wattermark.values.kinds import Quality
from wattermark.values.watched import Coefficient, Watched, WatchedEngine, WatchedWindow

NEEDED = {
    "prompt_tokens": "tokens of prompts",
    "cached_tokens": "which of them were cached: all count as read",
    "generated_tokens": "generated tokens",
    "running": "how many requests run: it waits where no token is counted",
    "kv_tokens": "kept tokens: what looking at context costs is part of an output token",
    "steps": "engine steps: what one costs is part of an output token",
}


@dataclass(frozen=True, slots=True)
class _Parts:
    """Whose the energy of each window is: by engine (m, n) and by window (n,). [J]"""

    input_j: Floats
    output_j: Floats
    active_j: Floats
    provisioned_j: Floats
    unattributed_j: Floats


def watched(
    rounds: Rounds, energy_j: Floats, priors: Sequence[Prior], *, meter: str, flags: Sequence[str] = ()
) -> Watched:
    """Share the energy of windows among input, output and idle, by coefficients that fit all of them.

    In each window so much is idle as the server draws at rest, and the remainder goes to what the engines
    did, by the fitted costs: the parts add up to what the meter saw. Without a meter the prior speaks, where
    it is known on its own scale.

    Parameters
    ----------
    rounds : Rounds
        What the engines counted in n windows.
    energy_j : ndarray, shape (n,)
        What the meter saw in each; nan is a gap. [J]
    priors : sequence of Prior
        One an engine of the rounds.
    meter : str
        How the meter is called.
    flags : sequence of str
        What is to be said beside.

    Returns
    -------
    Watched
        Of ``missing`` quality where neither a meter spoke nor the prior's scale is known.
    """
    seen = np.isfinite(energy_j)
    absolute = all(one.absolute for one in priors) and bool(priors)
    columns = columns_of(rounds, priors, energy_j)
    fit = fit_columns(columns, energy_j, seen & rounds.known, absolute=absolute)
    quality = Quality.MEASURED if seen.any() else Quality.MODELLED if absolute else Quality.MISSING
    if quality is Quality.MODELLED:
        energy_j = np.where(rounds.known, sum(one.amount * one.prior_j for one in columns), np.nan)
    parts = _parts(rounds, energy_j, columns, fit)
    windows = tuple(_windows(rounds, energy_j, parts, fit))
    known_j = np.nan_to_num(energy_j)
    return Watched(
        quality=quality,
        meter=meter if quality is Quality.MEASURED else "",
        windows=windows,
        engines=tuple(_engine(one, parts, i) for i, one in enumerate(rounds.engines)),
        coefficients=() if quality is Quality.MISSING else tuple(_coefficients(rounds, columns, fit)),
        energy_j=float(known_j.sum()) if np.isfinite(energy_j).any() else None,
        input_j=float(parts.input_j.sum()),
        output_j=float(parts.output_j.sum()),
        active_idle_j=float(parts.active_j.sum()),
        provisioned_idle_j=float(parts.provisioned_j.sum()),
        unattributed_j=float(parts.unattributed_j.sum()),
        idle_w=None if quality is Quality.MISSING else float(fit.value_j[-1]),
        residual_j=float(np.nansum(np.abs(fit.residual_j))) if np.isfinite(fit.residual_j).any() else None,
        r2=fit.r2,
        condition=fit.condition,
        unseen_s=float(rounds.length_s[~np.isfinite(energy_j)].sum()),
        flags=(*flags, *_flags(rounds), *(_band(priors) if quality is Quality.MODELLED else ())),
    )


def _parts(rounds: Rounds, energy_j: Floats, columns: Sequence[Column], fit: Fit) -> _Parts:
    n, m = len(energy_j), len(rounds.engines)
    weight = np.zeros((2, m, n))  # of input, of output
    for column, cost_j in zip(columns, fit.value_j, strict=True):
        if column.engine is not None:
            weight[0 if column.name == "read" else 1, column.engine] += column.amount * cost_j
    known = np.isfinite(energy_j) & rounds.known
    whole = np.where(known, np.nan_to_num(energy_j), 0.0)
    worked = weight.sum((0, 1))
    waited = np.where(worked > 0, np.minimum(whole, fit.value_j[-1] * rounds.length_s), whole)
    dynamic = np.divide(weight * (whole - waited), worked, out=np.zeros_like(weight), where=worked > 0)
    return _Parts(
        input_j=dynamic[0],
        output_j=dynamic[1],
        active_j=waited * _turns(rounds, weight.sum(0)),
        provisioned_j=np.where(rounds.busy, 0.0, waited),
        unattributed_j=np.where(known, 0.0, np.nan_to_num(energy_j)),
    )


def _turns(rounds: Rounds, weight: Floats) -> Floats:
    """Who bears the idle part of each window, (m, n): by what they did, else alike; nobody where none ran."""
    busy = np.array([one.busy for one in rounds.engines], bool).reshape(weight.shape)
    share = np.where(weight.sum(0) > 0, weight, busy.astype(float))
    whole = share.sum(0)
    borne = np.divide(share, whole, out=np.zeros_like(share), where=(whole > 0) & rounds.busy)
    return np.asarray(borne, np.float64)


def _windows(rounds: Rounds, energy_j: Floats, parts: _Parts, fit: Fit) -> Iterator[WatchedWindow]:
    tokens = {
        name: _summed([getattr(one, name) for one in rounds.engines], rounds.known)
        for name in ("read", "cached", "written", "running")
    }
    by_window = [part.sum(0) for part in (parts.input_j, parts.output_j, parts.active_j)]
    for i in range(len(energy_j)):
        yield WatchedWindow(
            begin_ns=int(rounds.edge_ns[i]),
            end_ns=int(rounds.edge_ns[i + 1]),
            energy_j=_or_none(energy_j[i]),
            read_tokens=_or_none(tokens["read"][i]),
            cached_tokens=_or_none(tokens["cached"][i]),
            written_tokens=_or_none(tokens["written"][i]),
            running=_or_none(tokens["running"][i]),
            input_j=float(by_window[0][i]),
            output_j=float(by_window[1][i]),
            active_idle_j=float(by_window[2][i]),
            provisioned_idle_j=float(parts.provisioned_j[i]),
            unattributed_j=float(parts.unattributed_j[i]),
            residual_j=_or_none(fit.residual_j[i]),
        )


def _summed(each: Sequence[Floats], known: NDArray[np.bool_]) -> Floats:
    """Over engines that tell it; nan where one of them is not known, or none tells it."""
    if not each:
        return np.full(len(known), np.nan)
    told = np.any([np.isfinite(one) for one in each], axis=0)
    return np.where(known & told, np.nansum(each, axis=0), np.nan)


def _engine(one: Counted, parts: _Parts, i: int) -> WatchedEngine:
    engine, upstream, model = one.whose
    return WatchedEngine(
        engine=engine,
        upstream=upstream,
        model=model,
        requests=_total(one.requests),
        read_tokens=_total(one.read),
        cached_tokens=_total(one.cached),
        written_tokens=_total(one.written),
        running=float(np.nanmean(one.running)) if np.isfinite(one.running).any() else None,
        input_j=float(parts.input_j[i].sum()),
        output_j=float(parts.output_j[i].sum()),
        active_idle_j=float(parts.active_j[i].sum()),
        restarts=one.restarts,
        missed=one.missed,
        untold=tuple(NEEDED[name] for name in one.untold if name in NEEDED),
    )


def _coefficients(rounds: Rounds, columns: Sequence[Column], fit: Fit) -> Iterator[Coefficient]:
    low, high = fit.range_j
    for i, column in enumerate(columns):
        name, unit = OF_ENGINE.get(column.name, IDLE)
        whose = ("", "", "") if column.engine is None else rounds.engines[column.engine].whose
        yield Coefficient(
            name=name,
            unit=unit,
            low=float(low[i]),
            value=float(fit.value_j[i]),
            high=float(high[i]),
            prior=float(fit.prior_j[i]),
            told=float(fit.told[i]),
            engine=whose[0],
            upstream=whose[1],
            model=whose[2],
        )


def _flags(rounds: Rounds) -> Iterator[str]:
    for one in rounds.engines:
        name = " ".join(part for part in one.whose if part)
        if one.restarts:
            yield f"restart: {name} started anew {one.restarts} times; those windows belong to nobody"
        if one.missed:
            yield f"missed: {name} did not answer in {one.missed} rounds; its counters remember what passed"


def _band(priors: Sequence[Prior]) -> Iterator[str]:
    low, high = min(one.error.low for one in priors), max(one.error.high for one in priors)
    yield f"band: elsewhere {low:.2g} to {high:.2g} times of what is so estimated was measured (5-95 %)"


def _total(amount: Floats) -> float | None:
    return float(np.nansum(amount)) if np.isfinite(amount).any() else None


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
