"""Energy of processors through the kernel's performance events: the ``power`` PMU.

The same registers as powercap's, summed up by the kernel since the event was opened, so that nothing wraps
and nobody else's reset is seen. Where both may be read, powercap's are read as well and the two are held
against each other. Cores and the graphics lie inside their package and are not read; psys is read and shown.

References: Linux Documentation/ABI/testing/sysfs-bus-event_source-devices-events (events, scale, unit);
perf_event_open(2); arch/x86/events/rapl.c (counts of 2^-32 J; AMD's counters are a package's, Intel's a
die's; an overflow timer that is right up to twice 200 W); Documentation/admin-guide/perf-security.rst.
"""

from __future__ import annotations

import errno
import os
import re
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from wattermark.errors import ReaderAbsent, ReaderUnavailable
from wattermark.readers.files import made_by_amd, text_of
from wattermark.readers.rapl import DRAM_MAX_W, PACKAGE_MAX_W, PLATFORM_MAX_W, REFRESH_S
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

SYSFS = Path("/sys")
CALLS = {"x86_64": 298, "aarch64": 241}
"""The number of perf_event_open."""
CLOEXEC = 8
ATTRIBUTES_B = 112  # PERF_ATTR_SIZE_VER5, of Linux 4.1
COUNT_B = 8
LONGEST_S = 30.0
"""Above 400 W the kernel's own timer comes too late for a small register: so often at least."""
MEND = (
    "Until the next boot run: sudo sysctl kernel.perf_event_paranoid=0 - and for good: "
    "echo kernel.perf_event_paranoid=0 | sudo tee /etc/sysctl.d/70-wattermark.conf - or give the program "
    "CAP_PERFMON (a container: --cap-add PERFMON)"
)
_CONFIG = re.compile(r"event=(0x[0-9a-fA-F]+|\d+)")


class PerfReader:
    """One counter for each package and its DRAM, and psys where there is one.

    Parameters
    ----------
    root : Path, optional
        Where the kernel's devices are.

    Raises
    ------
    ReaderUnavailable
        If there is no such PMU, or its events may not be opened.
    """

    def __init__(self, root: Path = SYSFS) -> None:
        pmu = root / "bus/event_source/devices/power"
        kind = text_of(pmu / "type")
        found = list(_events(root, pmu)) if kind.isdigit() else []
        if not found:
            raise ReaderAbsent(
                f"no energy event under {pmu}",
                fix="On bare metal run 'sudo modprobe rapl'; virtual machines have none, "
                "and the CPU is then modelled from its load",
            )
        self._events = [_Event(int(kind), config, cpu, scale) for config, cpu, scale, _ in found]
        if all(event.fd is None for event in self._events):
            raise _refused(self._events[0].error)
        self.channels: Sequence[Channel] = [channel for *_, channel in found]

    def period_s(self, interval_s: float) -> float:
        """The user's interval, while no register can turn unseen. [s]"""
        return min(interval_s, LONGEST_S)

    def read(self) -> Sequence[int | None]:
        """Microjoules since it was opened, an event each."""
        return [event.read_uj() for event in self._events]

    def close(self) -> None:
        for event in self._events:
            event.close()


class _Event:
    """An event that counts from now on; one that could not be opened tells nothing."""

    def __init__(self, kind: int, config: int, cpu: int, scale: float) -> None:
        self.fd: int | None = None
        self.error = 0
        self._top, self._bottom = (scale * 1e6).as_integer_ratio()
        try:
            self.fd = _open(kind, config, cpu)
        except OSError as error:
            self.error = error.errno or 0

    def read_uj(self) -> int | None:
        """Rounded down once, from all that was counted: so differences still add up exactly. [uJ]"""
        if self.fd is None:
            return None
        try:
            told = os.read(self.fd, COUNT_B)
        except OSError:
            return None
        if len(told) != COUNT_B:
            return None
        return int.from_bytes(told, sys.byteorder) * self._top // self._bottom

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


def _open(kind: int, config: int, cpu: int) -> int:
    """A descriptor of the event on a CPU, for all that runs there; no other program inherits it."""
    import ctypes  # only where there is such a PMU

    call = CALLS.get(os.uname().machine)
    if call is None or sys.maxsize < 2**32:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    attributes = struct.pack("=IIQ", kind, ATTRIBUTES_B, config).ljust(ATTRIBUTES_B, b"\0")
    numbers = [ctypes.c_long(number) for number in (-1, cpu, -1, CLOEXEC)]  # any process, this CPU, no group
    fd = int(libc.syscall(ctypes.c_long(call), ctypes.create_string_buffer(attributes), *numbers))
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


def _refused(code: int) -> ReaderUnavailable:
    why = f"perf_event_open: {os.strerror(code)}"
    if code in (errno.EACCES, errno.EPERM):
        return ReaderUnavailable(f"the energy events may not be opened ({why})", fix=MEND)
    return ReaderUnavailable(
        f"the energy events cannot be opened ({why})", fix="Nothing to do: other meters are tried"
    )


def _events(root: Path, pmu: Path) -> Iterator[tuple[int, int, float, Channel]]:
    """Config, CPU, joules a count and channel of each event worth reading: packages, DRAM, psys."""
    sockets = _sockets(root, pmu)
    for event, part, most_w in (
        ("energy-pkg", Part.CPU, PACKAGE_MAX_W),
        ("energy-ram", Part.DRAM, DRAM_MAX_W),
        ("energy-psys", Part.PLATFORM, PLATFORM_MAX_W),
    ):
        config = _CONFIG.search(text_of(pmu / "events" / event))
        scale = _scale(pmu / "events", event)
        if config is None or scale is None:
            continue
        for cpu, socket in sockets[:1] if part is Part.PLATFORM else sockets:
            name = f"{part}/psys" if part is Part.PLATFORM else f"{part}/{socket}"
            yield int(config[1], 0), cpu, scale, Channel(
                name=name, kind=Kind.COUNTER, part=part, unit="uJ", covers=name, power_max_w=most_w,
                refresh_s=REFRESH_S, counted=part is not Part.PLATFORM,
            )  # fmt: skip


def _scale(events: Path, event: str) -> float | None:
    """Joules a count; None where it is told otherwise."""
    try:
        scale = float(text_of(events / f"{event}.scale"))
    except ValueError:
        return None
    return scale if 0 < scale < 1e3 and text_of(events / f"{event}.unit") == "Joules" else None


def _sockets(root: Path, pmu: Path) -> list[tuple[int, str]]:
    """The CPU that answers for each socket, or die of Intel's, and the name that powercap gives it.

    The counter of AMD's dies is that of their socket, whatever the mask says: the first die tells it.
    """
    cpus = {cpu: _place(root, cpu) for cpu in _listed(text_of(pmu / "cpumask"))}
    answers = {place: cpu for cpu, place in sorted(cpus.items(), reverse=True)}
    packages = {place[0]: cpu for place, cpu in sorted(answers.items(), reverse=True)}
    if len(packages) == len(answers) or made_by_amd(root):
        return [(cpu, f"package-{package}") for package, cpu in sorted(packages.items())]
    return [(cpu, f"package-{package}-die-{die}") for (package, die), cpu in sorted(answers.items())]


def _place(root: Path, cpu: int) -> tuple[int, int]:
    """Its package and its die."""
    folder = root / f"devices/system/cpu/cpu{cpu}/topology"
    package, die = (text_of(folder / name) for name in ("physical_package_id", "die_id"))
    return (int(package) if package.isdigit() else 0, int(die) if die.isdigit() else 0)


def _listed(mask: str) -> Iterator[int]:
    """CPUs of a list such as ``0,28`` or ``0-3``."""
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", mask):
        yield from range(int(first), int(last or first) + 1)
