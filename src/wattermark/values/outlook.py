"""What is known of the hours to come at a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wattermark.values.factors import Factor, Place
from wattermark.values.plan import Heard
from wattermark.values.series import Series, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Signals of a place from now to a deadline, with the PUE that turns IT energy into the facility's.

    ``series`` has no entry where nobody tells a signal. ``asked`` is the place as the user named it.
    """

    asked: str
    place: Place
    pue: Factor
    series: Mapping[Signal, Series]
    heard: tuple[Heard, ...] = ()
    flags: tuple[str, ...] = ()
