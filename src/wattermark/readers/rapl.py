"""RAPL energy counters through the kernel's powercap files.

Zones are told apart by their ``name``, never by their number: ``intel-rapl:1`` is the second
socket on one machine and ``psys`` on another. Packages and DRAM are read to be added; psys is
read and shown; core and uncore lie inside their package and the MMIO tree repeats package 0,
so they are not read at all.

References: Linux Documentation/power/powercap/powercap.rst; the ``energy_uj`` files are
root-only since CVE-2020-8694.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from wattermark.errors import ReaderAbsent, ReaderUnavailable
from wattermark.readers.files import NumberFile, folders_in, made_by_amd, number_of, text_of
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

SYSFS = Path("/sys/class/powercap")
ALLOW = (
    "sudo chmod a+r /sys/devices/virtual/powercap/intel-rapl*/intel-rapl*/energy_uj "
    "/sys/devices/virtual/powercap/intel-rapl*/intel-rapl*/intel-rapl*/energy_uj"
)
"""The command that opens the counters until the next boot; doctor prints it, nothing runs it."""
KEEP = (
    'echo \'SUBSYSTEM=="powercap", ACTION=="add", RUN+="/bin/chmod a+r '
    "/sys%p/energy_uj\"' | sudo tee /etc/udev/rules.d/70-wattermark.rules"
)
"""The udev rule that opens them at every boot."""

MEND = f"Until the next boot run: {ALLOW} - and for good: {KEEP}"

USUAL_RANGE_UJ = 262_143_328_850  # 2^32 counts of 61.035 uJ: Intel servers and clients
AMD_RANGE_UJ = 65_532_610_987  # of 15.258 uJ: AMD Zen
DRAM_RANGE_UJ = 65_712_999_613  # of 15.3 uJ: memory of Intel servers
PACKAGE_MAX_W = 1000.0
DRAM_MAX_W = 400.0
PLATFORM_MAX_W = 3000.0
REFRESH_S = 0.001

_ZONE = re.compile(r"intel-rapl(-mmio)?:\d+(:\d+)?")
_PACKAGE = re.compile(r"package-(\d+)(-die-\d+)?")


class RaplReader:
    """One counter for each package and DRAM zone, and psys where there is one.

    Parameters
    ----------
    root : Path, optional
        Where the zones are; ``WATTERMARK_POWERCAP`` names another place (a container that
        binds the host's tree).
    system : Path, optional
        Where the kernel tells whose make the processor is.

    Raises
    ------
    ReaderUnavailable
        If there is no zone, or none that may be read.
    """

    def __init__(self, root: Path | None = None, system: Path = Path("/sys")) -> None:
        root = root or Path(os.environ.get("WATTERMARK_POWERCAP") or SYSFS)
        zones = _zones(root, system)
        if not zones:
            raise ReaderAbsent(
                f"no RAPL zone under {root}",
                fix="On bare metal run 'sudo modprobe intel_rapl_msr'; virtual machines have none, "
                "and the CPU is then modelled from its load",
            )
        self._files = [NumberFile(zone / "energy_uj") for zone, _ in zones]
        if not any(file.opened for file in self._files):
            raise ReaderUnavailable(f"{self._files[0].path} may be read by root only", fix=MEND)
        self.channels: Sequence[Channel] = [channel for _, channel in zones]

    def period_s(self, interval_s: float) -> float:
        """Two looks, at least, for each time that a counter could wrap at full power. [s]"""
        wraps = [c.wrap * 1e-6 / c.power_max_w / 2 for c in self.channels if c.wrap is not None and c.counted]
        return min([interval_s, *wraps])

    def read(self) -> Sequence[int | None]:
        """Microjoules since some start, a zone each."""
        return [file.read() for file in self._files]

    def close(self) -> None:
        for file in self._files:
            file.close()


def _zones(root: Path, system: Path) -> list[tuple[Path, Channel]]:
    """The zones worth reading, packages first, by the number in their name."""
    found = sorted((path for path in folders_in(root) if _ZONE.fullmatch(path.name)), key=_numbers)
    names = {path.name: text_of(path / "name") for path in found}
    met: set[str] = set()
    chosen = []
    for path in found:
        parent = names.get(path.name.rsplit(":", 1)[0], "") if path.name.count(":") == 2 else ""
        channel = _channel(path, names[path.name], parent, system)
        if channel is None or channel.name in met:  # met: the MMIO twin of a zone
            continue
        met.add(channel.name)
        chosen.append((path, channel))
    return sorted(chosen, key=lambda zone: (zone[1].part, _numbers(Path(zone[1].name))))


def _numbers(path: Path) -> tuple[bool, list[int]]:
    return "mmio" in path.name, [int(digits) for digits in re.findall(r"\d+", path.name)]


def _channel(path: Path, name: str, parent: str, system: Path) -> Channel | None:
    if _PACKAGE.fullmatch(name):
        return _counter(path, f"cpu/{name}", Part.CPU, PACKAGE_MAX_W, system)
    if name == "dram":
        return _counter(path, f"dram/{parent or path.name}", Part.DRAM, DRAM_MAX_W, system)
    if name == "psys":
        return _counter(path, "platform/psys", Part.PLATFORM, PLATFORM_MAX_W, system)
    return None  # core and uncore lie inside their package


def _counter(path: Path, name: str, part: Part, power_max_w: float, system: Path) -> Channel:
    range_uj = number_of(path / "max_energy_range_uj")
    return Channel(
        name=name,
        kind=Kind.COUNTER,
        part=part,
        unit="uJ",
        covers=name,
        wrap=(range_uj or _assumed_uj(path, part, system)) + 1,
        power_max_w=power_max_w,
        refresh_s=REFRESH_S,
        counted=part is not Part.PLATFORM,
        note="" if range_uj else "the range of this counter could not be read; the usual one is assumed",
    )


def _assumed_uj(path: Path, part: Part, system: Path) -> int:
    """The range that such a counter has, and that holds what it shows; a wrong one makes a gap."""
    usual = DRAM_RANGE_UJ if part is Part.DRAM else USUAL_RANGE_UJ
    likely = AMD_RANGE_UJ if made_by_amd(system) else usual
    return USUAL_RANGE_UJ if (number_of(path / "energy_uj") or 0) > likely else likely
