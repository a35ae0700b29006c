"""Where are we? From local files alone: no packet leaves the machine.

The cloud's own agent leaves the region in cloud-init's instance data; DMI names the maker of a
virtual machine; the time zone gives a country, as a guess.

References: cloud-init, "instance-data.json" (v1.cloud_name, v1.region); tz database, zone.tab.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CLOUD_INIT = Path("/run/cloud-init/instance-data.json")
DMI = Path("/sys/class/dmi/id")
LOCALTIME = Path("/etc/localtime")
TIMEZONE = Path("/etc/timezone")
ZONEINFO = tuple(Path(p) for p in ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"))

PROVIDERS = {
    "aws": "aws",
    "ec2": "aws",
    "gce": "gcp",
    "azure": "azure",
    "oracle": "oci",
    "ovh": "ovh",
    "scaleway": "scaleway",
}
MAKERS = {
    "amazon ec2": "aws",
    "google": "gcp",
    "microsoft corporation": "azure",
    "oraclecloud.com": "oci",
    "scaleway": "scaleway",
}


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A place, how it was found, and whether that is a guess."""

    place: str | None
    found: str
    guess: bool = False


def where_am_i(
    *,
    cloud_init: Path = CLOUD_INIT,
    dmi: Path = DMI,
    localtime: Path = LOCALTIME,
    timezone: Path = TIMEZONE,
    zoneinfo: Iterable[Path] = ZONEINFO,
) -> Whereabouts:
    """The place as this machine's own files tell it; no place if they do not."""
    cloud = _cloud_init(cloud_init)
    if cloud:
        return Whereabouts(cloud, f"cloud-init instance data ({cloud_init})")
    maker = _maker(dmi)
    country = _country(_zone_name(localtime, timezone), zoneinfo)
    if maker and not country:
        return Whereabouts(
            None, f"a machine of {maker}, region unknown (DMI); give it with --place {maker}:REGION"
        )
    if country:
        return Whereabouts(country, "the system's time zone", guess=True)
    return Whereabouts(None, "nothing on this machine tells where it is")


def _cloud_init(path: Path) -> str | None:
    try:
        v1 = json.loads(path.read_text(encoding="utf-8"))["v1"]
        provider, region = PROVIDERS.get(str(v1["cloud_name"]).lower()), v1["region"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return f"{provider}:{region}" if provider and isinstance(region, str) and region else None


def _maker(dmi: Path) -> str | None:
    try:
        maker = (dmi / "sys_vendor").read_text(encoding="utf-8").strip().lower()
        product = (dmi / "product_name").read_text(encoding="utf-8").strip().lower()
    except (OSError, ValueError):
        return None
    if maker.startswith("microsoft") and product != "virtual machine":
        return None  # a laptop of theirs
    if maker == "google" and "compute engine" not in product:
        return None
    return MAKERS.get(maker)


def _zone_name(localtime: Path, timezone: Path) -> str:
    if name := os.environ.get("TZ", "").lstrip(":"):
        return name
    try:
        target = os.readlink(localtime)
    except (OSError, ValueError):
        target = ""
    if "zoneinfo/" in target:
        return target.partition("zoneinfo/")[2]
    try:
        return timezone.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _country(zone: str, zoneinfo: Iterable[Path]) -> str | None:
    """ISO 3166 two-letter code of a time zone."""
    for folder in zoneinfo:
        try:
            lines = (folder / "zone.tab").read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            continue
        rows = (line.split("\t") for line in lines if not line.startswith("#"))
        codes = {row[2]: row[0] for row in rows if len(row) > 2}
        return codes.get(zone)
    return None
