"""Runs so short that a meter renewed its number only a few times: what they took is known to one renewal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from wattermark.science.terms import Term
from wattermark.values.factors import Factor, of_this_run
from wattermark.values.range import Range
from wattermark.values.records import Channel

RENEWALS_ENOUGH = 20  # then one more or less is 5 %, as much as a meter may be wrong


def with_renewals(
    channels: Iterable[Channel], terms: Iterable[Term], duration_s: float
) -> tuple[list[Term], list[Factor]]:
    """Terms that may hold one renewal of their meter more or less, and the factors that say how much.

    One renewal is the mean power that was seen times ``refresh_s``, but no more than the device can draw;
    where a counter did not move at all that is all that is known. No term falls below nothing.

    Parameters
    ----------
    channels : iterable of Channel
        The meters.
    terms : iterable of Term
        What they saw, and what others did.
    duration_s : float
        Of the run. [s]
    """
    enough_s = duration_s / RENEWALS_ENOUGH
    blurred = {channel.name: channel for channel in channels if 0 < enough_s < channel.refresh_s}
    found = [_blurred(blurred[t.name], t, duration_s) if t.name in blurred else t for t in terms]
    return found, [_renewal(channel) for channel in blurred.values()]


def _blurred(channel: Channel, term: Term, duration_s: float) -> Term:
    if term.run is None or term.track is None:
        return term
    seen, name, total_j = term.run, _name(channel), term.track.total_j
    if total_j > 0:  # whatever is shared or cut of the energy is so of a renewal
        part = min(1 / duration_s, channel.power_max_w / total_j) * channel.refresh_s
        return replace(term, run=lambda values: seen(values) * np.maximum(1 + part * values[name], 0.0))
    most_j = channel.power_max_w * channel.refresh_s * channel.share
    return replace(term, run=lambda values: seen(values) + most_j * np.maximum(values[name], 0.0))


def _renewal(channel: Channel) -> Factor:
    """How much of a renewal the ends of the run cut off, or caught too much."""
    return of_this_run(
        _name(channel),
        Range(-1.0, 0.0, 1.0),
        basis="not seen",
        note=f"{channel.name} is renewed every {channel.refresh_s:g} s",
    )


def _name(channel: Channel) -> str:
    return f"renewal of {channel.name}"
