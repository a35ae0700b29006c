"""Requests as those who bear energy: whole ones, of one run, with what each of them bears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wattermark.science.served.events import TOKENS, Codes, Events, Flags, Floats
from wattermark.science.sharing.arrays import summed
from wattermark.science.sharing.charges import payers
from wattermark.science.sharing.pools import Joined
from wattermark.values.policy import Idle
from wattermark.values.range import Range

Quantities = Mapping[str, Range | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearers:
    """Whole requests of one run as arrays of one length u: events that belong together are one.

    ``energy_j`` [J] is what each bears, nan where that is not known; the ledgers are its parts, nan where
    there are none. ``tokens`` are read, cached, written and reasoned; ``begin_s`` is by the wall clock
    [s since 1970]; ``worked`` and ``generates`` as of events. One that stands for ``many`` [1] bears for
    all of them, and adds their tokens.
    """

    row: Codes
    outcome: Codes
    model: Codes
    generates: Flags
    worked: Flags
    begin_s: Floats
    ran_s: Floats
    many: Floats
    told: Flags
    tokens: Mapping[str, Floats]
    energy_j: Floats
    dynamic_j: Floats
    active_idle_j: Floats
    given_idle_j: Floats

    def __len__(self) -> int:
        return len(self.row)

    @property
    def known(self) -> Flags:
        """Those whose energy is known."""
        return np.asarray(~np.isnan(self.energy_j))

    @property
    def total(self) -> int:
        """How many requests all of them stand for. [1]"""
        return int(self.many.sum())

    def count(self, which: Flags) -> int:
        """How many requests some of these stand for. [1]"""
        return int(self.many[which].sum())


ARRAYS = tuple(name for name in Bearers.__dataclass_fields__ if name != "tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShare:
    """One run: its footprint's quantities, its requests, and what of its energy nobody bears. [J]

    ``idle_s`` is when such capacity was there [s since 1970], ``idle_j`` (k,) how much of it.
    """

    quantities: Quantities
    requests: Bearers
    idle_s: Floats
    idle_j: Floats

    @property
    def total_j(self) -> float:
        """What all requests and idle capacity bear together."""
        return float(np.nansum(self.requests.energy_j) + self.idle_j.sum())


def whole_requests(events: Events, join: Joined, *, dynamic_j: Floats, active_idle_j: Floats) -> Bearers:
    """Events that belong to one request as one: its tokens are the most that any of them told.

    Parameters
    ----------
    events : Events
        m of them, by the wall clock. [s since 1970]
    join : Joined
        Which of them belong together, of u requests.
    dynamic_j, active_idle_j : ndarray, shape (u,)
        What each request bears; nan where that is not known. [J]
    """
    u = join.requests
    order = np.argsort(events.end_s, kind="stable")
    last = np.zeros(u, np.int64)
    last[join.request[order]] = order

    def most(values: Floats) -> Floats:
        found = np.zeros(u)
        np.maximum.at(found, join.request, np.nan_to_num(values))
        return found

    begin_s = np.full(u, np.inf)
    np.minimum.at(begin_s, join.request, events.begin_s)
    return Bearers(
        row=events.row[last],
        outcome=events.outcome[last],
        model=events.model[last],
        generates=events.generates[last],
        worked=summed(join.request, events.worked.astype(float), u) > 0,
        begin_s=begin_s,
        ran_s=events.end_s[last] - begin_s,
        many=most(events.many),
        told=most(events.told.astype(float)) > 0,
        tokens={name: most(getattr(events, name)) for name in TOKENS},
        energy_j=dynamic_j + active_idle_j,
        dynamic_j=np.nan_to_num(dynamic_j),
        active_idle_j=np.nan_to_num(active_idle_j),
        given_idle_j=np.zeros(u),
    )


def models_at_work(requests: Bearers) -> list[int]:
    """The codes of models that any request asked that took something.

    Parameters
    ----------
    requests : Bearers
        u of them.
    """
    return [int(code) for code in np.unique(requests.model[requests.worked])]


def joined(parts: Sequence[Bearers]) -> Bearers:
    """Requests of several machines of one run, one after the other.

    Parameters
    ----------
    parts : sequence of Bearers
        One at least.
    """
    return Bearers(
        tokens={name: np.concatenate([one.tokens[name] for one in parts]) for name in TOKENS},
        **{name: np.concatenate([getattr(one, name) for one in parts]) for name in ARRAYS},
    )


def chosen(requests: Bearers, places: Codes) -> Bearers:
    """Some of the requests.

    Parameters
    ----------
    requests : Bearers
        All of them.
    places : ndarray
        Which.
    """
    return Bearers(
        tokens={name: requests.tokens[name][places] for name in TOKENS},
        **{name: getattr(requests, name)[places] for name in ARRAYS},
    )


def with_energy(requests: Bearers, energy_j: Floats) -> Bearers:
    """Requests whose energy comes from elsewhere, and has no ledgers.

    Parameters
    ----------
    requests : Bearers
        u of them.
    energy_j : ndarray, shape (u,)
        Of each, nan where it is not known. [J]
    """
    return replace(requests, energy_j=energy_j, dynamic_j=np.nan_to_num(energy_j))


def with_idle(run: RunShare, idle: Idle) -> RunShare:
    """Idle capacity borne by requests, by their tokens or by the time that they ran; or by nobody.

    Parameters
    ----------
    run : RunShare
        In which nobody bears it.
    idle : Idle
        Who is to.

    Returns
    -------
    RunShare
        The same energy in all; where no request has a weight, nobody bears it still.
    """
    requests = run.requests
    by = payers(
        idle,
        tokens=requests.tokens["input_tokens"] + requests.tokens["output_tokens"],
        time_s=np.where(requests.worked, np.maximum(requests.ran_s, 0.0), 0.0),
    )
    weight = np.where(requests.known, by, 0.0)
    idle_j = float(run.idle_j.sum())
    if not weight.sum() > 0 or not idle_j > 0:
        return run
    given = weight * (idle_j / weight.sum())
    borne = replace(requests, given_idle_j=given, energy_j=requests.energy_j + given)
    return replace(run, requests=borne, idle_j=np.zeros(0), idle_s=np.zeros(0))
