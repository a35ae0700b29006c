"""What a laptop's battery gives: all of the machine, while it is unplugged. Shown, never added.

Reference: Linux Documentation/ABI/testing/sysfs-class-power (power_now in microwatt, or current_now in
microampere and voltage_now in microvolt; they mean nothing unless the battery is discharging).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from wattermark.errors import ReaderAbsent, ReaderUnavailable
from wattermark.readers.files import NumberFile, ProductFile, folders_in, sampling_s, text_of
from wattermark.values.kinds import Kind, Node, Part
from wattermark.values.records import Channel

SYSFS = Path("/sys/class/power_supply")
DISCHARGING = "Discharging"
MOST_W = 300.0
REFRESH_S = 1.0
PW_PER_UW = 1_000_000  # microampere times microvolt are picowatt


class BatteryReader:
    """One channel for each battery that feeds the machine.

    Parameters
    ----------
    root : Path, optional
        Where the supplies are; ``WATTERMARK_POWER_SUPPLY`` names another place.

    Raises
    ------
    ReaderUnavailable
        If there is no battery, or it is not discharging: on mains it tells nothing.
    """

    def __init__(self, root: Path | None = None) -> None:
        root = root or Path(os.environ.get("WATTERMARK_POWER_SUPPLY") or SYSFS)
        batteries = sorted(path for path in folders_in(root) if _feeds_the_machine(path))
        if not batteries:
            raise ReaderAbsent(f"no battery under {root}", fix="Nothing to do: only laptops have one")
        self._batteries = [path for path in batteries if text_of(path / "status") == DISCHARGING]
        if not self._batteries:
            raise ReaderAbsent(
                "the battery is not discharging, and on mains it tells nothing",
                fix="Unplug it to see what all of the machine takes",
            )
        self._files = [_file(path) for path in self._batteries]
        if all(file.denied for file in self._files):
            raise ReaderUnavailable("the battery tells no power", fix="Nothing to do: its driver knows none")
        node = Node.INSIDE if len(batteries) == 1 else Node.NO  # of two, each gives a part
        self.channels: Sequence[Channel] = [_channel(path, node) for path in self._batteries]

    def period_s(self, interval_s: float) -> float:
        """A tenth of the user's interval, as power has to be sampled. [s]"""
        return sampling_s(interval_s)

    def read(self) -> Sequence[int | None]:
        """Microwatts that each battery gives now; None while it gives nothing."""
        return [
            _size(file.read()) if text_of(path / "status") == DISCHARGING else None
            for path, file in zip(self._batteries, self._files, strict=True)
        ]

    def close(self) -> None:
        for file in self._files:
            file.close()


def _feeds_the_machine(supply: Path) -> bool:
    """That of a mouse is a battery as well."""
    return text_of(supply / "type") == "Battery" and text_of(supply / "scope") != "Device"


def _file(battery: Path) -> NumberFile | ProductFile:
    """The file of its power, or those of current and voltage."""
    if (battery / "power_now").exists():
        return NumberFile(battery / "power_now")
    return ProductFile(battery / "current_now", battery / "voltage_now", PW_PER_UW)


def _size(shown: int | None) -> int | None:
    """Some drivers give a discharge a negative sign."""
    return None if shown is None else abs(shown)


def _channel(battery: Path, node: Node) -> Channel:
    return Channel(
        name=f"platform/{battery.name.lower()}", kind=Kind.POWER, part=Part.PLATFORM, unit="uW",
        power_max_w=MOST_W, refresh_s=REFRESH_S, counted=False, device=text_of(battery / "model_name"),
        node=node, note="the battery feeds all of the machine, its screen too",
    )  # fmt: skip
