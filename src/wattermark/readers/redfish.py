"""What the machine takes, as the controller of its board (BMC) tells by Redfish, where the user named it.

Shown, never added to the parts: it holds them. Energy where it is told, and power beside it, since many
controllers tell energy in steps of a hundredth of a kilowatt-hour.

References: DMTF DSP0266 Redfish Specification (basic authentication over TLS); the tree: see ``chassis``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wattermark.errors import NamedMeterUnavailable, ReaderAbsent
from wattermark.values.kinds import Kind, Node, Part
from wattermark.values.records import Channel

if TYPE_CHECKING:
    from wattermark.readers.chassis import Source, Told
    from wattermark.readers.web import Site

PREFIX = "WATTERMARK_REDFISH"
VARIABLE = f"{PREFIX}_URL"
MOST_W = 20_000.0
REFRESH_S = 1.0
PERIOD_S = 1.0


class RedfishReader:
    """Two channels: the machine's energy and its power.

    A controller that takes its time is opened all the same, and has gaps until it answers.

    Parameters
    ----------
    address : str, optional
        Of the controller; by default what ``WATTERMARK_REDFISH_URL`` says, with ``_USER``, ``_PASSWORD``,
        ``_CA`` (a file of certificates to trust) and ``_CHASSIS`` (an Id) beside it.

    Raises
    ------
    ReaderUnavailable
        If none is named, or it answers with anything but its power.
    """

    def __init__(self, address: str | None = None) -> None:
        named = os.environ.get(VARIABLE, "") if address is None else address
        if not named:
            raise ReaderAbsent(
                "no controller is named",
                fix=f"If this machine has a BMC, set {VARIABLE}=https://its-address, {PREFIX}_USER"
                f" and {PREFIX}_PASSWORD",
            )
        from wattermark.readers.web import Poller, Site

        site = Site(named, VARIABLE, user=_set("USER"), password=_set("PASSWORD"), ca=_set("CA"))
        self._poller = Poller(_Machine(site, _set("CHASSIS")).ask, "redfish")
        if self._poller.first() is None and self._poller.problem:
            self._poller.close()
            raise NamedMeterUnavailable(
                self._poller.problem, fix=f"Correct {VARIABLE}, {PREFIX}_USER, _PASSWORD, _CA or _CHASSIS"
            )
        self.channels: Sequence[Channel] = [_energy(site.name), _power(site.name)]

    def period_s(self, interval_s: float) -> float:
        """A second: power has to be sampled, and no controller is asked more often. [s]"""
        return PERIOD_S

    def read(self) -> Sequence[int | None]:
        """Millijoules since some start, and milliwatts now, as last told.

        Raises
        ------
        OSError
            If the controller tells nothing any more: why.
        """
        told = self._poller.latest()
        if told is None and self._poller.problem:
            raise OSError(self._poller.problem)
        return [None, None] if told is None else [told.energy_mj, told.power_mw]

    def close(self) -> None:
        self._poller.close()


def _set(name: str) -> str:
    return os.environ.get(f"{PREFIX}_{name}", "")


class _Machine:
    """Finds where its power is told, once, and asks there from then on."""

    def __init__(self, site: Site, chassis: str) -> None:
        self._site = site
        self._chassis = chassis
        self._sources: list[Source] = []

    def ask(self) -> Told:
        """What it takes; of several chassis together.

        Raises
        ------
        OSError, ValueError
            If it does not answer, or with what is no answer.
        """
        from wattermark.readers.chassis import added, sources

        self._sources = self._sources or sources(self._get, self._chassis)
        return added([source(self._get) for source in self._sources])

    def _get(self, path: str) -> object:
        from wattermark.readers.chassis import document

        try:
            return document(self._site.fetch(path, accept="application/json"))
        except (ValueError, RecursionError):
            raise ValueError(f"{self._site.name} answers with something that is not Redfish") from None


def _energy(device: str) -> Channel:
    return Channel(
        name="platform/redfish-energy", kind=Kind.COUNTER, part=Part.PLATFORM, unit="mJ", power_max_w=MOST_W,
        refresh_s=REFRESH_S, counted=False, device=device, node=Node.INPUT,
    )  # fmt: skip


def _power(device: str) -> Channel:
    return Channel(
        name="platform/redfish-power", kind=Kind.POWER, part=Part.PLATFORM, unit="mW", power_max_w=MOST_W,
        refresh_s=REFRESH_S, counted=False, device=device, node=Node.INPUT,
    )  # fmt: skip
