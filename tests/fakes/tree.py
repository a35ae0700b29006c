"""Plain folders that look like the kernel's: a powercap tree, a power PMU and a /proc. No compiler, no time.

    cls = powercap_tree(tmp, {"intel-rapl:0": ("package-0", 1_500_000, 262_143_328_850)})
    set_energy(tmp, "intel-rapl:0", 2_500_000)
    proc = proc_tree(tmp / "proc", [Process(10), Process(11, ppid=10, utime=250)])

The fake meters of `meters` use the same powercap layout.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SYSFS_SIZE = 4096  # what stat says of any sysfs file
CPU_FIELDS = 10  # user nice system idle iowait irq softirq steal guest guest_nice
STAT_FIELDS = 52  # of /proc/<pid>/stat

ZoneSpec = tuple[str, int, int]  # name, energy_uj, max_energy_range_uj


# ---------------------------------------------------------------------------- powercap
def zone_folder(root: Path, zone: str) -> Path:
    """The folder of `intel-rapl:0:1`: one level for each colon, below its control type."""
    control, *numbers = zone.split(":")
    folder = root / "devices/virtual/powercap" / control
    for depth in range(len(numbers)):
        folder /= ":".join([control, *numbers[: depth + 1]])
    return folder


def _link(link: Path, target: Path) -> None:
    link.symlink_to(os.path.relpath(target, link.parent))


def _common(folder: Path, classes: Path) -> None:
    """What every powercap device has, the link back up among it: a careless walker never ends."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "enabled").write_text("1\n")
    (folder / "uevent").write_text("")
    (folder / "power").mkdir()
    _link(folder / "subsystem", classes)
    _link(classes / folder.name, folder)


def _constraint(folder: Path, number: int, name: str, watts: int) -> None:
    for key, value in (("name", name), ("power_limit_uw", watts * 10**6), ("time_window_us", 999_424)):
        (folder / f"constraint_{number}_{key}").write_text(f"{value}\n")


def add_zone(root: Path, zone: str, name: str, max_uj: int, energy: str) -> Path:
    """One zone, its control type with it if need be; `energy` is the content of energy_uj."""
    classes = root / "class/powercap"
    control = zone_folder(root, zone.partition(":")[0])
    if not control.exists():
        _common(control, classes)
    folder = zone_folder(root, zone)
    _common(folder, classes)
    _link(folder / "device", folder.parent)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{max_uj}\n")
    (folder / "energy_uj").write_text(energy)
    _constraint(folder, 0, "long_term", 350)
    return folder


def empty_tree(root: Path) -> Path:
    """A powercap class without any zone, in place of whatever tree was there; the class folder."""
    for name in ("class/powercap", "devices/virtual/powercap"):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)
    return root / "class/powercap"


def powercap_tree(root: Path, zones: Mapping[str, ZoneSpec]) -> Path:
    """Lay out root/devices/virtual/powercap and root/class/powercap; returns the latter."""
    classes = empty_tree(root)
    for zone in sorted(zones, key=lambda z: z.count(":")):  # parents first
        name, energy_uj, max_uj = zones[zone]
        add_zone(root, zone, name, max_uj, f"{energy_uj}\n")
    return classes


def set_energy(root: Path, zone: str, uj: int) -> None:
    """Change a counter in place, so that a reader's open descriptor sees it too."""
    text = f"{uj}\n".encode()
    fd = os.open(zone_folder(root, zone) / "energy_uj", os.O_WRONLY)
    try:
        os.pwrite(fd, text, 0)
        os.ftruncate(fd, len(text))
    finally:
        os.close(fd)


# ---------------------------------------------------------------------------- perf
PMU = "bus/event_source/devices/power"
EVENTS = {"energy-cores": 1, "energy-pkg": 2, "energy-ram": 3, "energy-gpu": 4, "energy-psys": 5}
INTEL, AMD = "cpu:type:x86,ven0000fam0006mod006A:feature:", "cpu:type:x86,ven0002fam0019mod0011:feature:"


def power_pmu(
    root: Path,
    cpus: Mapping[int, tuple[int, int]],
    events: Iterable[str],
    *,
    modalias: str = INTEL,
    kind: int = 32,
    scale: str = "2.3283064365386962890625e-10",
    unit: str = "Joules",
) -> Path:
    """The PMU's folder and the CPUs'; `cpus` are those of the mask, each with its package and die."""
    pmu, places = root / PMU, root / "devices/system/cpu"
    for folder in (pmu, places):
        shutil.rmtree(folder, ignore_errors=True)
    (pmu / "events").mkdir(parents=True)
    (pmu / "type").write_text(f"{kind}\n")
    (pmu / "cpumask").write_text(",".join(map(str, cpus)) + "\n")
    for event in events:
        (pmu / "events" / event).write_text(f"event=0x{EVENTS[event]:02x}\n")
        (pmu / "events" / f"{event}.scale").write_text(f"{scale}\n")
        (pmu / "events" / f"{event}.unit").write_text(f"{unit}\n")
    for cpu, (package, die) in cpus.items():
        topology = places / f"cpu{cpu}/topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text(f"{package}\n")
        (topology / "die_id").write_text(f"{die}\n")
    (places / "modalias").write_text(f"{modalias}0000,0001\n")
    return pmu


# ------------------------------------------------------------------- hwmon, batteries
def chip(root: Path, number: int, name: str, place: str, **files: object) -> Path:
    """A chip of hardware monitoring; `device__unique_id="5"` is a file of its device."""
    device = root / "devices" / place
    folder = device / "hwmon" / f"hwmon{number}"
    folder.mkdir(parents=True)
    _link(folder / "device", device)
    if name:
        (folder / "name").write_text(f"{name}\n")
    for key, value in files.items():
        where = device if key.startswith("device__") else folder
        (where / key.removeprefix("device__")).write_text(f"{value}\n")
    classes = root / "class/hwmon"
    classes.mkdir(parents=True, exist_ok=True)
    _link(classes / folder.name, folder)
    return folder


def driver(root: Path, name: str, *places: str) -> Path:
    """A driver of the kernel that holds the devices at these places of the PCI bus; where the drivers are."""
    folder = root / "bus/pci/drivers" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("bind", "uevent"):
        (folder / file).write_text("")
    for place in places:
        (root / "devices" / place).mkdir(parents=True, exist_ok=True)
        if not (folder / place).exists():
            _link(folder / place, root / "devices" / place)
    return folder.parent


def supply(root: Path, name: str, **files: object) -> Path:
    """A power supply: a battery, or the mains."""
    folder = root / "class/power_supply" / name
    folder.mkdir(parents=True)
    for key, value in files.items():
        (folder / key).write_text(f"{value}\n")
    return folder


# -------------------------------------------------------------------- control groups
def group(root: Path, path: str = "", pids: Iterable[int] | None = None, **files: object) -> Path:
    """A control group; `cpu__max="50000 100000"` is its file cpu.max.

    With `pids` it has what a living one of version 2 has: its processes, and what they used (`usage_us`).
    """
    folder = root / path.strip("/")
    folder.mkdir(parents=True, exist_ok=True)
    if pids is not None:
        usage_us, below = files.pop("usage_us", 0), files.pop("below", 0)
        (folder / "cgroup.events").write_text("populated 1\nfrozen 0\n")
        (folder / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
        (folder / "cgroup.stat").write_text(f"nr_descendants {below}\nnr_dying_descendants 0\n")
        (folder / "cpu.stat").write_text(f"usage_usec {usage_us}\nuser_usec 0\nsystem_usec {usage_us}\n")
    for key, value in files.items():
        (folder / key.replace("__", ".")).write_text(f"{value}\n")
    return folder


def in_groups(proc: Path, pids: Iterable[int | str], *lines: str) -> None:
    """Say of some processes (or of `self`) in which groups they are: lines as `0::/a`."""
    for pid in pids:
        (proc / str(pid)).mkdir(parents=True, exist_ok=True)
        (proc / str(pid) / "cgroup").write_text("".join(f"{line}\n" for line in lines))


# ---------------------------------------------------------------------------- /proc
@dataclass(frozen=True)
class Process:
    """A row of /proc/<pid>/stat; times in jiffies, rss in pages."""

    pid: int
    ppid: int = 1
    utime: int = 0
    stime: int = 0
    cutime: int = 0
    cstime: int = 0
    starttime: int = 1000
    rss: int = 2500
    comm: str = "python"
    state: str = "S"
    threads: tuple[int, ...] = ()  # besides the main one; children are listed under the main one

    def stat_line(self) -> str:
        """All 52 fields; those no reader of ours uses are zero."""
        fields: dict[int, object] = {
            1: self.pid,
            2: f"({self.comm})",
            3: self.state,
            4: self.ppid,
            14: self.utime,
            15: self.stime,
            16: self.cutime,
            17: self.cstime,
            18: 20,
            20: 1 + len(self.threads),
            22: self.starttime,
            23: self.rss * 8192,
            24: self.rss,
        }
        return " ".join(str(fields.get(i, 0)) for i in range(1, STAT_FIELDS + 1)) + "\n"


def _cpu_line(label: str, jiffies: Sequence[int]) -> str:
    padded = [*jiffies, *[0] * (CPU_FIELDS - len(jiffies))]
    return f"{label} {' '.join(map(str, padded))}\n"


def stat_text(cpus: Sequence[Sequence[int]]) -> str:
    """/proc/stat: the sum, each CPU, and the lines that follow."""
    total = [sum(column) for column in itertools.zip_longest(*cpus, fillvalue=0)]
    lines = [_cpu_line("cpu ", total), *(_cpu_line(f"cpu{i}", row) for i, row in enumerate(cpus))]
    return "".join(lines) + "intr 0\nctxt 1000\nbtime 1700000000\nprocesses 100\nprocs_running 1\n"


def _write_process(root: Path, process: Process, children: Iterable[int]) -> None:
    folder = root / str(process.pid)
    shutil.rmtree(folder, ignore_errors=True)
    for tid in (process.pid, *process.threads):
        task = folder / "task" / str(tid)
        task.mkdir(parents=True)
        listed = children if tid == process.pid else ()
        (task / "children").write_text("".join(f"{pid} " for pid in listed))
    (folder / "stat").write_text(process.stat_line())
    (folder / "statm").write_text(f"{process.rss * 2} {process.rss} 0 0 0 0 0\n")
    (folder / "cmdline").write_bytes(process.comm.encode() + b"\0")


def proc_tree(
    root: Path,
    processes: Iterable[Process] = (),
    *,
    cpus: Sequence[Sequence[int]] = ((1000, 0, 500, 8500), (1000, 0, 500, 8500)),
    mem_total_kb: int = 16_384_000,
    mem_available_kb: int = 8_192_000,
) -> Path:
    """Build or bring up to date a /proc in `root`: processes no longer given are gone. Returns root.

    `cpus` has a row of jiffies for each CPU: user, nice, system, idle, and as many more of iowait,
    irq, softirq, steal, guest, guest_nice as wanted. Who is whose child follows from ppid.
    """
    rows = list(processes)
    root.mkdir(parents=True, exist_ok=True)
    (root / "stat").write_text(stat_text(cpus))
    (root / "meminfo").write_text(
        f"MemTotal:       {mem_total_kb:8d} kB\nMemFree:        {mem_available_kb // 2:8d} kB\n"
        f"MemAvailable:   {mem_available_kb:8d} kB\nBuffers:               0 kB\n"
    )
    living = {str(row.pid) for row in rows}
    for folder in root.iterdir():
        if folder.name.isdigit() and folder.name not in living:
            shutil.rmtree(folder)
    for row in rows:
        _write_process(root, row, [other.pid for other in rows if other.ppid == row.pid])
    return root
