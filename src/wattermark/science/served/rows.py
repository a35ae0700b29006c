"""Requests with their energy to rows: what each row took, for one request and for its tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from wattermark.science.served.bearers import Bearers, Quantities, RunShare, chosen
from wattermark.science.served.events import OUTCOMES, TOKENS, Floats, hours_s
from wattermark.values.footprint import QUANTITIES
from wattermark.values.range import Range
from wattermark.values.served import Outcome
from wattermark.values.serving_report import Ledgers, ServedHour, ServedRow, Spread, Tally

PER = ("it_energy_j", "facility_energy_j", "carbon_g", "water_l")
"""The quantities that are told for one request and for tokens."""
THOUSAND = 1000.0
Part = tuple[RunShare, Bearers]
"""Some of the requests of a run."""


def scaled(quantities: Quantities, share: float) -> dict[str, Range | None]:
    """A part of a footprint: every quantity alike.

    Parameters
    ----------
    quantities : mapping
        Of the whole.
    share : float
        [1]
    """
    return {
        name: None if value is None else Range(*(end * share for end in value.ends))
        for name, value in quantities.items()
    }


def added(parts: Sequence[Quantities]) -> dict[str, Range | None]:
    """Quantities of several parts; unknown where any of them is.

    Parameters
    ----------
    parts : sequence of mapping
        None at all are nothing known.
    """
    if not parts:
        return dict.fromkeys(QUANTITIES)
    return {name: reduce(_plus, [part.get(name) for part in parts]) for name in parts[0]}


def _plus(one: Range | None, other: Range | None) -> Range | None:
    return None if one is None or other is None else one.plus(other)


def rows_of(
    runs: Sequence[RunShare], names: Sequence[str], *, quality: str, ledgers: bool
) -> tuple[ServedRow, ...]:
    """A row for each name and outcome that has requests, the largest energy first.

    Parameters
    ----------
    runs : sequence of RunShare
        One at least.
    names : sequence of str
        Of rows, by their codes.
    quality : str
        How the energies were come by.
    ledgers : bool
        Whether they have three parts.
    """
    parts: dict[int, list[Part]] = {}
    for run in runs:
        code = run.requests.row * len(OUTCOMES) + run.requests.outcome
        order = np.argsort(code, kind="stable")
        codes, begins = np.unique(code[order], return_index=True)
        for one, places in zip(codes.tolist(), np.split(order, begins)[1:], strict=True):
            parts.setdefault(one, []).append((run, chosen(run.requests, places)))
    found = [
        _row(
            mine, names[one // len(OUTCOMES)], OUTCOMES[one % len(OUTCOMES)], quality=quality, ledgers=ledgers
        )
        for one, mine in parts.items()
    ]
    return tuple(sorted(found, key=_largest_first))


def _largest_first(row: ServedRow) -> tuple[bool, float, str]:
    energy = row.quantities.get("it_energy_j")
    return row.outcome is not Outcome.OK, -energy.best if energy else 0.0, row.name


def total_of(runs: Sequence[RunShare], *, quality: str, ledgers: bool) -> ServedRow:
    """All requests and all idle capacity: the footprints of the runs themselves.

    Parameters
    ----------
    runs, quality, ledgers
        As of ``rows_of``.
    """
    every = [(run, run.requests) for run in runs]
    row = _row(every, "in all", None, quality=quality, ledgers=ledgers)
    bearing = [run for run in runs if run.total_j > 0] or [run for run in runs if run.requests.known.any()]
    whole = added([run.quantities for run in bearing])
    told = _told_part([run.requests for run in runs])
    kept = row.ledgers
    if kept is not None:
        kept = replace(kept, provisioned_idle_j=kept.provisioned_idle_j + _idle_j(runs))
    return replace(row, quantities=whole, ledgers=kept, per=_per(whole, row.tally, told))


def idle_of(runs: Sequence[RunShare], *, quality: str) -> ServedRow | None:
    """Capacity that nobody used; None where there is none.

    Parameters
    ----------
    runs, quality
        As of ``rows_of``.
    """
    energy_j = _idle_j(runs)
    if not energy_j > 0:
        return None
    return ServedRow(
        name="idle capacity",
        outcome=None,
        tally=_tally([]),
        quantities=added(
            [scaled(run.quantities, _ratio(float(run.idle_j.sum()), run.total_j)) for run in runs]
        ),
        per={},
        ledgers=Ledgers(dynamic_j=0.0, active_idle_j=0.0, provisioned_idle_j=energy_j),
        spread=None,
        quality=quality,
    )


def _idle_j(runs: Sequence[RunShare]) -> float:
    return float(sum(run.idle_j.sum() for run in runs))


def _row(
    mine: Sequence[Part], name: str, outcome: Outcome | None, *, quality: str, ledgers: bool
) -> ServedRow:
    requests = [one for _, one in mine]
    tally = _tally(requests)
    quantities = added(list(_shares(mine))) if tally.known else dict.fromkeys(QUANTITIES)

    def part_j(of: str) -> float:
        return float(sum(getattr(one, of)[one.known].sum() for one in requests))

    return ServedRow(
        name=name,
        outcome=outcome,
        tally=tally,
        quantities=quantities,
        per=_per(quantities, tally, _told_part(requests)),
        ledgers=Ledgers(
            dynamic_j=part_j("dynamic_j"),
            active_idle_j=part_j("active_idle_j"),
            provisioned_idle_j=part_j("given_idle_j"),
        )
        if ledgers and tally.known
        else None,
        spread=_spread(requests),
        quality=quality if tally.known else "unknown",
    )


def _shares(mine: Sequence[Part]) -> Iterator[dict[str, Range | None]]:
    """The row's part of each run in which it has a known request."""
    for run, one in mine:
        if one.known.any():
            yield scaled(run.quantities, _ratio(float(np.nansum(one.energy_j)), run.total_j))


def _tally(requests: Sequence[Bearers]) -> Tally:
    return Tally(
        requests=sum(one.total for one in requests),
        known=sum(one.count(one.known) for one in requests),
        untold=sum(one.count(~one.told) for one in requests),
        **{name: float(sum(one.tokens[name].sum() for one in requests)) for name in TOKENS},
    )


def _told_part(requests: Sequence[Bearers]) -> Mapping[str, tuple[float, float]]:
    """Of requests whose energy and tokens are known: their part of the known energy, and their tokens."""
    energy_j = told_j = read = written = 0.0
    for one in requests:
        both = one.known & one.told
        energy_j += float(np.nansum(one.energy_j))
        told_j += float(one.energy_j[both].sum())
        read += float(one.tokens["input_tokens"][both].sum())
        written += float(one.tokens["output_tokens"][both].sum())
    part = _ratio(told_j, energy_j)
    return {"1000 tokens": (part, read + written), "1000 output tokens": (part, written)}


def _per(
    quantities: Quantities, tally: Tally, told: Mapping[str, tuple[float, float]]
) -> dict[str, dict[str, Range]]:
    """Of what is known, for one request and for tokens; no zero where nothing was counted."""
    known = {name: value for name in PER if (value := quantities.get(name)) is not None}
    shares = {"request": 1.0 / tally.known if tally.known else 0.0}
    shares |= {unit: THOUSAND * part / tokens if tokens > 0 else 0.0 for unit, (part, tokens) in told.items()}
    return {
        unit: {name: Range(*(end * share for end in value.ends)) for name, value in known.items()}
        for unit, share in shares.items()
        if share > 0 and known
    }


def _spread(requests: Sequence[Bearers]) -> Spread | None:
    """Those that stand for many count as many that took its mean."""
    if not requests:
        return None
    seen = [one.known & one.worked for one in requests]
    many = np.concatenate([one.many[mine] for one, mine in zip(requests, seen, strict=True)])
    each_j = np.concatenate([one.energy_j[mine] for one, mine in zip(requests, seen, strict=True)]) / many
    if not len(each_j):
        return None
    p50, p90, p99 = quantiles(each_j, many, (0.5, 0.9, 0.99))
    return Spread(p50_j=p50, p90_j=p90, p99_j=p99)


def quantiles(values: Floats, many: Floats, wanted: Sequence[float]) -> list[float]:
    """Quantiles of values of which each stands for many, as NumPy has them of all, one by one.

    Parameters
    ----------
    values : ndarray, shape (u,)
        One at least.
    many : ndarray, shape (u,)
        Whole numbers. [1]
    wanted : sequence of float
        [1]
    """
    if (many == 1).all():
        return [float(one) for one in np.quantile(values, wanted)]
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(many[order])
    at = np.array(wanted) * (ends[-1] - 1)
    low, high = (
        values[order][np.searchsorted(ends, place, "right")] for place in (np.floor(at), np.ceil(at))
    )
    return [float(one) for one in low + (high - low) * (at - np.floor(at))]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def hours_of(runs: Sequence[RunShare], names: Sequence[str]) -> tuple[ServedHour, ...]:
    """Energy by the hour in which a request began, by row, and idle capacity by its own time. [J]

    Parameters
    ----------
    runs, names
        As of ``rows_of``.
    """
    found: dict[float, dict[str, float]] = {}
    idle: dict[float, float] = {}
    for run in runs:
        known = run.requests.known
        hour = hours_s(run.requests.begin_s[known], 0.0)
        row, energy = run.requests.row[known], run.requests.energy_j[known]
        hours, place = np.unique(hour, return_inverse=True)
        summed = np.bincount(place * len(names) + row, energy, len(hours) * len(names))
        for i, code in zip(*np.nonzero(summed.reshape(len(hours), len(names))), strict=True):
            mine = found.setdefault(float(hours[i]), {})
            name = names[int(code)]
            mine[name] = mine.get(name, 0.0) + float(summed[i * len(names) + code])
        for one, energy_j in zip(hours_s(run.idle_s, 0.0).tolist(), run.idle_j.tolist(), strict=True):
            idle[one] = idle.get(one, 0.0) + energy_j
    return tuple(
        ServedHour(begin_s=one, by_row_j=found.get(one, {}), idle_j=idle.get(one, 0.0))
        for one in sorted({*found, *idle})
    )
