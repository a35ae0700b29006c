"""What claims may mean where a page does not say: of how many devices, at what load, with the PUE or not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from wattermark.science.lint.relations import POSSIBLE
from wattermark.science.lint.solving import without
from wattermark.values.claims import Claim

_OVER_TDP: Final = 1.3
_MOST_TDP_W: Final = 1500.0
"""Of accelerators that are sold."""
_MOST_WITH_HOST_W: Final = POSSIBLE["any_power_w"][1]
_AT_WORK: Final = 0.5
"""Of its TDP: a device that works draws as much, if a page means one."""
_PER_DEVICE: Final = re.compile(
    r"(?<![a-z])([gt]pus?|per|device|card|chip|each|accelerator|tdp|peak)(?![a-z])", re.IGNORECASE
)


def of_all_devices(claims: Mapping[str, Claim]) -> dict[str, Claim]:
    """A power that is too much for one device is that of all of them, or of a machine with some of them.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    """
    power, count, tdp = (claims.get(name) for name in ("power_w", "devices", "tdp_w"))
    most_w = _OVER_TDP * tdp.high if tdp else _MOST_TDP_W
    found = dict(claims)
    if power and count and power.low > most_w >= power.low / count.high:
        found = _as_total(claims, power)
    host = claims.get("system_power_w")
    return without(found, "system_power_w") if host and host.low > _MOST_WITH_HOST_W else found


def perhaps_of_all_devices(claims: Mapping[str, Claim]) -> dict[str, Claim] | None:
    """The claims with a power as that of all devices, where nobody says that it is that of one.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    """
    power, tdp = claims.get("power_w"), claims.get("tdp_w")
    if power is None or "devices" not in claims or _PER_DEVICE.search(power.where):
        return None
    return None if tdp and power.high >= _AT_WORK * tdp.low else _as_total(claims, power)


def _as_total(claims: Mapping[str, Claim], power: Claim) -> dict[str, Claim]:
    return {**without(claims, "power_w"), "total_power_w": replace(power, quantity="total_power_w")}


def worked(claims: Mapping[str, Claim], shares: Sequence[Claim]) -> dict[str, Claim]:
    """A power beside a utilisation may be that of a device that works all the time.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    shares : sequence of Claim
        What the page says of utilisation.
    """
    power = claims.get("power_w")
    if power is None or not shares:
        return dict(claims)
    least = min(max(share.low, 0.0) for share in shares)
    return {**claims, "power_w": replace(power, low=power.low * least)}


def boundaries(claims: Mapping[str, Claim]) -> Iterator[dict[str, Claim]]:
    """Energy that does not say whether the PUE is in it may be the one or the other.

    Parameters
    ----------
    claims : mapping of str to Claim
        By quantity.
    """
    plain = [name for name in claims if name.partition("/")[0] == "energy_j"]
    if not plain:
        yield dict(claims)
        return
    rest = without(claims, *plain)
    for boundary in ("facility_energy_j", "it_energy_j"):
        if boundary not in claims:
            named = {name.replace("energy_j", boundary, 1): claims[name] for name in plain}
            yield {**rest, **named}
    if "facility_energy_j" in claims and "it_energy_j" in claims:
        yield rest
