"""Files of the kernel's with anything in them, before the meters are opened and while they are read."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

from fakes.tree import chip, powercap_tree, set_energy, supply
from fuzzing.looks import LOOKS, check_energy, looked
from fuzzing.mutate import NASTY, Case, mutated
from wattermark.readers.battery import BatteryReader
from wattermark.readers.hwmon import HwmonReader
from wattermark.readers.rapl import RaplReader

ZONES = {
    "intel-rapl:0": ("package-0", 1_000_000, 262_143_328_850),
    "intel-rapl:0:0": ("dram", 500_000, 65_712_999_613),
    "intel-rapl:1": ("package-1", 2_000_000, 262_143_328_850),
    "intel-rapl:2": ("psys", 2_000_000, 262_143_328_850),
}
SAFE, SAFE_UJ = "intel-rapl:1", 60_000_000
"""A zone that is never touched: its energy must be right whatever happens beside it."""
GONE = b"\xffgone"


class Sysfs:
    """Powercap, hardware monitoring and batteries."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "sys"
        self._lay_out()
        every = [path for path in self._root.rglob("*") if path.is_file() and not path.is_symlink()]
        self._contents = {str(path.relative_to(self._root)): path.read_bytes() for path in sorted(every)}
        self._touched = [name for name in self._contents if not self._is_safe(name)]

    def case(self, chance: Random) -> Case:
        """Pieces are named ``look:file``: what a file holds from that look on."""
        pieces = []
        for _ in range(chance.choice((1, 2, 3, 6))):
            name = chance.choice(self._touched)
            data = self._contents[name]
            new = chance.choice(
                (mutated(chance, data), chance.choice(NASTY), GONE, str(chance.getrandbits(70)).encode())
            )
            pieces.append((f"{chance.randrange(-1, LOOKS + 1)}:{name}", new))
        return tuple(pieces)

    def check(self, case: Case) -> None:
        try:
            self._check(case)
        finally:
            for piece, _ in case:
                name = piece.partition(":")[2]
                (self._root / name).write_bytes(self._contents[name])

    def _check(self, case: Case) -> None:
        self._count(0)
        self._put(case, -1)
        classes = self._root / "class"
        openers = {
            "rapl": lambda: RaplReader(classes / "powercap"),
            "hwmon": lambda: HwmonReader(classes / "hwmon"),
            "battery": lambda: BatteryReader(classes / "power_supply"),
        }

        def before_look(number: int) -> None:
            self._count(number)
            self._put(case, number)

        footprint, _ = looked(openers, before_look)
        check_energy(footprint, "cpu/package-1", LOOKS * SAFE_UJ * 1e-6)

    def _count(self, number: int) -> None:
        set_energy(self._root, SAFE, ZONES[SAFE][1] + number * SAFE_UJ)
        path = self._root / "devices/virtual/powercap/intel-rapl/intel-rapl:0"
        if (path / "energy_uj").exists():
            set_energy(self._root, "intel-rapl:0", ZONES["intel-rapl:0"][1] + number * 100_000_000)

    def _put(self, case: Case, now: int) -> None:
        for piece, data in case:
            look, _, name = piece.partition(":")
            if int(look) != now:
                continue
            path = self._root / name
            if data == GONE:
                path.unlink(missing_ok=True)
            elif path.parent.exists():
                path.write_bytes(data)

    def _is_safe(self, name: str) -> bool:
        return os.path.basename(os.path.dirname(name)) == SAFE

    def _lay_out(self) -> None:
        powercap_tree(self._root, ZONES)
        chip(self._root, 0, "amdgpu", "pci0/0000:03:00.0", power1_average=300_000_000, device__unique_id="a1")
        chip(self._root, 1, "xe", "pci0/0000:04:00.0", energy1_input=5_000_000, energy2_input=1)
        chip(
            self._root, 2, "power_meter", "ACPI000D:00",
            power1_average=900_000_000, power1_average_interval=1000, power1_oem_info="Grace Power Socket 0",
        )  # fmt: skip
        rails = {
            f"in{i}_label": label for i, label in enumerate(("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"), 1)
        }
        numbers = {f"{kind}{i}_input": 5000 for i in (1, 2, 3) for kind in ("in", "curr")}
        chip(self._root, 3, "ina3221", "i2c/1-0040", **rails, **numbers)
        supply(self._root, "BAT0", type="Battery", status="Discharging", power_now=12_500_000, model_name="x")
        supply(
            self._root,
            "BAT1",
            type="Battery",
            status="Discharging",
            current_now=1_000_000,
            voltage_now=12_000_000,
        )
