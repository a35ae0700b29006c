"""Devices that tell only how busy they are: their energy by a model of it, and said to be so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from wattermark.science.metered import Track, share_taken
from wattermark.science.power_model import device_j
from wattermark.science.terms import Term
from wattermark.science.timeline import Timeline
from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number
from wattermark.values.kinds import Kind, Part, Quality
from wattermark.values.records import Channel


def utilised(tracks: Iterable[Track], known: Collection[str]) -> Iterator[Term]:
    """A term for each GPU that tells neither energy nor power.

    Parameters
    ----------
    tracks : iterable of (Channel, Timeline or None)
        What the meters saw; of a utilisation, the seconds that it was busy.
    known : collection of str
        Names of devices of which the factor ``tdp_name`` is known; others are missing.
    """
    for channel, track in tracks:
        if tells_only_how_busy(channel):
            yield _term(channel, track, known=channel.device in known)


def tells_only_how_busy(channel: Channel) -> bool:
    """Whether a device's channel is its utilisation, as it has neither counter nor power.

    Parameters
    ----------
    channel : Channel
        Of any meter.
    """
    return channel.part is Part.GPU and channel.kind is Kind.GAUGE


def tdp_name(device: str) -> str:
    """The name of the factor that tells what a device may draw. [W]

    Parameters
    ----------
    device : str
        Its driver's name for it.
    """
    return f"accelerator_tdp_w ({device})"


def _term(channel: Channel, track: Timeline | None, *, known: bool) -> Term:
    what = Term(name=channel.name, kind="gpu", quality=Quality.MISSING, run=None, device=channel.device)
    if track is None:
        return replace(what, how="it gave no answer that can be believed")
    if not known:
        return replace(what, how="it tells only how busy it is, and its TDP is not in our table")
    seen_s, busy_s = track.seen_s, track.total_j  # of a utilisation: seconds

    def machine(values: Values) -> Number:
        return device_j(
            seen_s,
            busy_s,
            tdp_w=values[tdp_name(channel.device)],
            idle_fraction=values["gpu_idle_fraction"],
            busy_fraction=values["gpu_busy_fraction"],
        )

    return replace(
        what,
        quality=Quality.MODELLED,
        run=lambda values: machine(values) * share_taken(channel, values),
        machine=machine,
        others=lambda values: machine(values) * (1 - share_taken(channel, values)),
        idle=lambda values: 0.0 * machine(values),
        seen_s=seen_s,
        unseen_s=track.unseen_s,
        how="by its utilisation, between a share of its TDP at rest and one at work",
    )
