"""Which devices a driver of the kernel holds: a cheap look, before a vendor's library is loaded."""

from __future__ import annotations

import re
from pathlib import Path

from wattermark.readers.files import folders_in

DRIVERS = Path("/sys/bus/pci/drivers")
INTEGRATED = "0000:00:02.0"
"""Where Intel puts a processor's own GPU: it lies in the package, and in what that draws."""
_ADDRESS = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


def devices_of(root: Path, *drivers: str) -> list[Path]:
    """The devices of some drivers on the PCI bus; none where such a driver is not loaded.

    Parameters
    ----------
    root : Path
        Where the drivers are.
    *drivers : str
        Their names.
    """
    folders = (folder for driver in drivers for folder in folders_in(root / driver))
    return sorted((folder for folder in folders if _ADDRESS.fullmatch(folder.name)), key=lambda one: one.name)
