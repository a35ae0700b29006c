"""AMD GPUs as the kernel's hardware monitoring shows them; more than one reader asks.

References: Linux Documentation/gpu/amdgpu (thermal: in1 is the northbridge of an APU; ``unique_id``,
``product_name``).
"""

from __future__ import annotations

import os
from pathlib import Path

from wattermark.readers.files import folders_in, text_of

SYSFS = Path("/sys/class/hwmon")
GPU_MAX_W = 3000.0
APUS = ("0x74a0",)
"""PCI ids of AMD's APUs whose northbridge tells no voltage: the MI300A."""

PARTITIONS = {"SPX": 1, "DPX": 2, "TPX": 3, "QPX": 4, "CPX": 8}
"""By mode; in CPX each die is one, of which an MI300X, MI325X or MI355X has eight."""


def hwmon_root(root: Path | None) -> Path:
    """Where the chips are: as asked, else as ``WATTERMARK_HWMON`` says, else the system's own place.

    Parameters
    ----------
    root : Path or None
        As it was asked for.
    """
    return root or Path(os.environ.get("WATTERMARK_HWMON") or SYSFS)


def place_of(chip: Path) -> str:
    """The PCI address of a chip's device, such as ``0000:03:00.0``.

    Parameters
    ----------
    chip : Path
        Its folder.
    """
    return os.path.basename(os.path.realpath(chip / "device"))


def amd_chips(root: Path) -> list[Path]:
    """The chips of AMD GPUs and APUs, in the order of the PCI bus.

    Parameters
    ----------
    root : Path
        Where the chips are.
    """
    found = [chip for chip in folders_in(root) if text_of(chip / "name") == "amdgpu"]
    return sorted(found, key=place_of)


def is_apu(chip: Path) -> bool:
    """By its northbridge's voltage, or by its PCI id: the MI300A has none.

    Parameters
    ----------
    chip : Path
        Its folder.
    """
    return (chip / "in1_input").exists() or text_of(chip / "device" / "device") in APUS


def partitions_of(chip: Path) -> int:
    """Into how many GPUs a card is cut, each of which ``ROCR_VISIBLE_DEVICES`` counts.

    Parameters
    ----------
    chip : Path
        Its folder.

    References
    ----------
    .. [1] Linux, amdgpu_gfx.c (``current_compute_partition``); AMD CDNA 3 white paper (eight dies).
    """
    return PARTITIONS.get(text_of(chip / "device" / "current_compute_partition"), 1)


def rocr_name(chip: Path) -> str:
    """As ``ROCR_VISIBLE_DEVICES`` names it; empty where it has no unique id.

    Parameters
    ----------
    chip : Path
        Its folder.
    """
    unique = text_of(chip / "device" / "unique_id")
    return f"GPU-{unique}" if unique else ""


def product_of(chip: Path) -> str:
    """What the board is called.

    Parameters
    ----------
    chip : Path
        Its folder.
    """
    return text_of(chip / "device" / "product_name") or "AMD GPU"
