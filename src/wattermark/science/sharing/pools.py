"""An engine that reads prompts in one pool and writes answers in another: two meters, one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.columns import Columns, Floats, Places
from wattermark.science.sharing.windows import Shared


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Events as requests.

    ``request`` (m,) is the place of the request that an event belongs to, of so many ``requests``; ``first``
    (m,) says which event of it came first.
    """

    request: Places
    requests: int
    first: NDArray[np.bool_]


def joined(request: Places, begin_s: Floats) -> Joined:
    """Join the events of all pools that belong to one request; one without a name stands alone.

    Parameters
    ----------
    request : ndarray, shape (m,)
        A code of the name of each one's request, below zero where it has none.
    begin_s : ndarray, shape (m,)
        When each began. [s]

    Returns
    -------
    Joined
        Requests that have a name come first, in the order of their codes.
    """
    m, alone = len(request), request < 0
    if alone.all():
        return Joined(request=np.arange(m), requests=m, first=np.ones(m, bool))
    apart = np.where(alone, int(request.max()) + 1 + np.arange(m), request)
    found, place = np.unique(apart, return_inverse=True)
    first = np.zeros(m, bool)
    order = np.lexsort((begin_s, place))
    first[order[np.diff(place[order], prepend=-1) != 0]] = True
    return Joined(request=np.asarray(place, np.int64), requests=len(found), first=first)


def handed_over(requests: Columns, first: NDArray[np.bool_]) -> Columns:
    """Events whose prompt another pool has read: what they call read was moved to them, not computed.

    Parameters
    ----------
    requests : Columns
        Of the events.
    first : ndarray, shape (m,)
        The first event of a request computed its prompt.

    Returns
    -------
    Columns
        The same; after the first, ``read_tokens`` are ``cached_tokens``.
    """
    moved = np.where(first, 0.0, np.nan_to_num(requests.read_tokens))
    return replace(
        requests,
        read_tokens=np.where(first, requests.read_tokens, 0.0),
        cached_tokens=requests.cached_tokens + moved,
    )


def pooled(pools: Sequence[Shared], events: Sequence[Places], joined: Joined) -> Shared:
    """The ledgers of requests, over all pools, each of which has its own meter.

    Parameters
    ----------
    pools : sequence of Shared
        By pool, of its own events and windows. [J]
    events : sequence of ndarray
        By pool, the places of its events among all that were joined.
    joined : Joined
        All events.

    Returns
    -------
    Shared
        By request; provisioned idle of all pools, one after the other. ``metered`` is the mean of a
        request's events; nan where none of them was seen.
    """
    request = [joined.request[places] for places in events]

    def summed(amounts: Sequence[Floats]) -> Floats:
        parts = (
            np.bincount(place, np.nan_to_num(amount), joined.requests)
            for place, amount in zip(request, amounts, strict=True)
        )
        return np.asarray(sum(parts, np.zeros(joined.requests)), np.float64)

    count = summed([np.ones(len(place)) for place in request])
    seen = summed([np.isfinite(pool.dynamic_j).astype(float) for pool in pools])
    unseen = np.where((seen > 0) | (count == 0), 0.0, np.nan)
    return Shared(
        dynamic_j=summed([pool.dynamic_j for pool in pools]) + unseen,
        active_idle_j=summed([pool.active_idle_j for pool in pools]) + unseen,
        provisioned_idle_j=np.concatenate([pool.provisioned_idle_j for pool in pools]),
        metered=summed([pool.metered for pool in pools]) / np.maximum(count, 1),
        again_j=summed([pool.again_j for pool in pools]) + unseen,
    )
