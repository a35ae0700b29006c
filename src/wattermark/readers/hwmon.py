"""Sensors of the kernel's hardware monitoring: GPUs of AMD and Intel, AMD sockets, Grace, Jetson, the node.

A chip is known by its ``name``, its GPU by its place on the PCI bus. What holds other parts is read
and shown, never added: the board's meter holds everything, and the meter of an AMD APU its processor.

References: Linux Documentation/hwmon (acpi_power_meter, ina3221, sysfs-interface), Documentation/gpu/amdgpu
(thermal: power1_average, power1_input in microwatt; in1 is the northbridge of an APU) and the ABI files of
i915 and xe (energy1_input: microjoules of the card); NVIDIA Grace Performance Tuning Guide, "Power
telemetry"; drivers/hwmon/amd_energy.c (energyN_input: microjoules of a core or a socket, by energyN_label).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wattermark.errors import ReaderAbsent, ReaderUnavailable
from wattermark.readers.amdgpu import (
    GPU_MAX_W,
    amd_chips,
    hwmon_root,
    is_apu,
    partitions_of,
    place_of,
    product_of,
    rocr_name,
)
from wattermark.readers.files import NumberFile, ProductFile, folders_in, number_of, sampling_s, text_of
from wattermark.readers.pci import INTEGRATED
from wattermark.readers.visible import rocm_listed, say_share, share_of, slices
from wattermark.values.kinds import Kind, Node, Part
from wattermark.values.records import Channel

SOCKET_MAX_W, PLATFORM_MAX_W, MODULE_MAX_W = 1500.0, 20_000.0, 300.0
JETSON = "NVIDIA Jetson"
BY_NODE = "its driver goes by NUMA nodes: of sockets with several, one may be told twice, and another not"
OWN_GPU = "the processor's own GPU: it lies in its package, so it is shown and not added"
HELD = "lies in the rail of the GPU, and is counted there"
RAILS = (1, 2, 3)
"""Of an INA3221; its further channels are shunts and their sum."""
_PARTS = (("GPU", Part.GPU), ("CPU", Part.CPU), ("DDR", Part.DRAM), ("SOC", Part.CPU), ("CV", Part.GPU))
"""By a word of a rail's name, the first that fits; all others feed more than one part."""
REFRESH_S = 0.1
MS = 1e-3
LONGEST_S = 60.0
"""The driver adds a 32-bit register up at each look: so often at least."""
_SOCKET = re.compile(r"(CPU|SysIO|Grace|Module) Power Socket (\d+)")
_AMD_SOCKET = re.compile(r"Esocket(\d+)")
_INSIDE = ("CPU", "SysIO")
"""Rails of a Grace socket that are added; the socket and the module hold them and more."""

Sensor = tuple[tuple[Path, ...], Channel]
"""The files of a number, of one or of current and voltage, and what it means."""


class HwmonReader:
    """One channel for each sensor of a chip that we know.

    Parameters
    ----------
    root : Path, optional
        Where the chips are; ``WATTERMARK_HWMON`` names another place.

    Raises
    ------
    ReaderUnavailable
        If there is no such chip, or none that may be read.
    """

    def __init__(self, root: Path | None = None) -> None:
        root = hwmon_root(root)
        found = _sensors(root)
        if not found:
            raise ReaderAbsent(
                f"no power sensor that we know under {root}", fix="Nothing to do: few machines have one"
            )
        self._files = [_opened(*paths) for paths, _ in found]
        if all(file.denied for file in self._files):  # one that sleeps may wake up
            raise ReaderUnavailable(
                f"{self._files[0].path} cannot be read", fix=f"Run: sudo chmod a+r {self._files[0].path}"
            )
        self.channels: Sequence[Channel] = [
            _refused(channel, file) if file.denied else channel
            for (_, channel), file in zip(found, self._files, strict=True)
        ]

    def period_s(self, interval_s: float) -> float:
        """A tenth of the user's interval where power has to be sampled. [s]"""
        if any(channel.kind is Kind.POWER for channel in self.channels):
            return sampling_s(interval_s)
        return min(interval_s, LONGEST_S)

    def read(self) -> Sequence[int | None]:
        """Microwatts now, or microjoules since some start, a sensor each."""
        return [_told(file.read(), c) for file, c in zip(self._files, self.channels, strict=True)]

    def close(self) -> None:
        for file in self._files:
            file.close()


def _refused(channel: Channel, file: NumberFile | ProductFile) -> Channel:
    """One that nobody may read takes no hardware from another reader."""
    return replace(channel, counted=False, note=f"may not be read; run: sudo chmod a+r {file.path}")


def _told(shown: int | None, channel: Channel) -> int | None:
    """No GPU draws nothing: the second die of an MI250X says so, as the first tells for both."""
    return None if shown == 0 and channel.part is Part.GPU and channel.kind is Kind.POWER else shown


def _opened(first: Path, *second: Path) -> NumberFile | ProductFile:
    return ProductFile(first, second[0]) if second else NumberFile(first)


def _sensors(root: Path) -> list[Sensor]:
    """What is worth reading, in the order of the PCI bus, each name once."""
    chips = sorted(folders_in(root), key=lambda chip: (place_of(chip), _number(chip)))
    amd = [chip for chip in amd_chips(root) if not is_apu(chip)]
    owners = [i for i, chip in enumerate(amd) for _ in range(partitions_of(chip))]
    seen = slices(owners, rocm_listed([rocr_name(amd[i]) for i in owners], os.environ))
    mine = {amd[i]: held for i, held in seen.items()}
    hidden = set(amd).difference(mine)
    found: dict[str, Sensor] = {}
    for chip in (chip for chip in chips if chip not in hidden):
        for paths, channel in _of_chip(chip):
            found.setdefault(channel.name, (paths, _part(channel, mine.get(chip, {}))))
    return _of_one_node([(paths, _with_hidden(channel, len(hidden))) for paths, channel in found.values()])


def _with_hidden(channel: Channel, hidden: int) -> Channel:
    return replace(channel, hidden=hidden) if channel.part is Part.GPU else channel


def _of_one_node(found: list[Sensor]) -> list[Sensor]:
    """Of several meters of a node, each may hold a part of it."""
    if sum(bool(channel.node) for _, channel in found) <= 1:
        return found
    return [(paths, replace(channel, node=Node.NO)) for paths, channel in found]


def _part(channel: Channel, held: Mapping[str, float]) -> Channel:
    if not held or (share := share_of(held)) == 1:
        return channel
    return replace(channel, share=share, slices=held, note=say_share(share, "a partition"))


def _of_chip(chip: Path) -> Iterator[Sensor]:
    name = text_of(_file(chip, "name"))
    if name == "amdgpu":
        yield from _amd(chip)
    elif name in ("i915", "xe"):
        yield from _intel(chip)
    elif name == "amd_energy":
        yield from _amd_sockets(chip)
    elif name == "power_meter":
        yield from _meter(chip)
    elif name == "ina3221":
        yield from _jetson(chip)


def _file(chip: Path, name: str) -> Path:
    """A file of a chip; ACPI's meter kept its own with its device up to Linux 6.15."""
    return chip / name if (chip / name).exists() else chip / "device" / name


def _number(chip: Path) -> int:
    digits = re.sub(r"\D", "", chip.name)
    return int(digits) if digits else 0


def _amd(chip: Path) -> Iterator[Sensor]:
    path = next((p for p in (chip / "power1_average", chip / "power1_input") if p.exists()), None)
    if path is None:
        return
    where = place_of(chip)
    device = product_of(chip)
    if is_apu(chip):
        note = "an APU: its meter holds the processor, so it is shown and not added"
        yield (path,), _power(f"platform/apu-{where}", Part.PLATFORM, GPU_MAX_W, device="AMD APU", note=note)
        return
    yield (path,), _power(f"gpu/{where}", Part.GPU, GPU_MAX_W, device=device, covers=f"gpu/{where}")


def _intel(chip: Path) -> Iterator[Sensor]:
    """Of the card; of its package where nothing else is told (Arc and Max under xe)."""
    where = place_of(chip)
    path = next((p for p in (chip / "energy1_input", chip / "energy2_input") if p.exists()), None)
    if path is not None:
        own = where == INTEGRATED
        yield (path,), Channel(
            name=f"gpu/{where}", kind=Kind.COUNTER, part=Part.GPU, unit="uJ", covers=f"gpu/{where}",
            power_max_w=GPU_MAX_W, refresh_s=REFRESH_S, device="Intel GPU",
            embedded=own, counted=not own, note=OWN_GPU if own else "",
        )  # fmt: skip


def _amd_sockets(chip: Path) -> Iterator[Sensor]:
    """The sockets of AMD's processors; their cores lie inside them."""
    labels = {label: _AMD_SOCKET.fullmatch(text_of(label)) for label in chip.glob("energy*_label")}
    sockets = {int(found[1]): label for label, found in labels.items() if found}
    for number, label in sorted(sockets.items()):
        name = f"cpu/package-{number}"
        yield (label.with_name(label.name.replace("_label", "_input")),), Channel(
            name=name, kind=Kind.COUNTER, part=Part.CPU, unit="uJ", covers=name, power_max_w=SOCKET_MAX_W,
            refresh_s=REFRESH_S, note=BY_NODE if len(sockets) > 1 else "",
        )  # fmt: skip


def _meter(chip: Path) -> Iterator[Sensor]:
    """ACPI's meter: of the whole node, or of a rail of a Grace socket."""
    path = _file(chip, "power1_average")
    if not path.exists():
        return
    interval_ms = number_of(_file(chip, "power1_average_interval"))
    refresh_s = REFRESH_S if interval_ms is None else interval_ms * MS
    rail = _SOCKET.fullmatch(text_of(_file(chip, "power1_oem_info")))
    part, most_w, device, node = Part.PLATFORM, PLATFORM_MAX_W, "ACPI power meter", Node.INSIDE
    name = f"node-{place_of(chip)}"
    if rail is not None:
        name, device, node = f"{rail[1].lower()}-socket-{rail[2]}", "NVIDIA Grace", Node.NO
        if rail[1] in _INSIDE:
            part, most_w = Part.CPU, SOCKET_MAX_W
    name = f"{part}/{name}"
    covers = name if part is Part.CPU else ""
    yield (path,), _power(name, part, most_w, refresh_s=refresh_s, device=device, covers=covers, node=node)


def _jetson(chip: Path) -> Iterator[Sensor]:
    """The rails of a Jetson module: millivolt times milliampere are microwatt. What feeds them is shown."""
    for i in RAILS:
        label = text_of(chip / f"in{i}_label")
        paths = (chip / f"in{i}_input", chip / f"curr{i}_input")
        if not label or label.upper() == "NC" or not all(path.exists() for path in paths):
            continue
        part = next((part for word, part in _PARTS if word in label.upper()), Part.PLATFORM)
        name, note = f"{part}/{label.lower()}", ""
        if part is Part.GPU and "CPU" in label.upper():
            note = "this rail feeds the processor as well"
            inside = f"cpu/{label.lower()}"
            yield paths, _power(inside, Part.CPU, MODULE_MAX_W, device=JETSON, counted=False, note=HELD)
        covers = "" if part is Part.PLATFORM else name
        rail = _power(name, part, MODULE_MAX_W, device=JETSON, covers=covers, note=note)
        yield paths, replace(rail, embedded=part is Part.GPU)


def _power(
    name: str,
    part: Part,
    most_w: float,
    *,
    device: str,
    node: Node = Node.NO,
    covers: str = "",
    refresh_s: float = REFRESH_S,
    counted: bool = True,
    note: str = "",
) -> Channel:
    return Channel(
        name=name, kind=Kind.POWER, part=part, unit="uW", covers=covers, power_max_w=most_w,
        refresh_s=refresh_s, counted=counted and part is not Part.PLATFORM, device=device, note=note,
        node=node,
    )  # fmt: skip
