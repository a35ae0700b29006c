"""Meters of known power: a fake RAPL tree, a fake NVML and a stepping wall clock, with the truth.

    bench = Bench(tmp_path).powercap(socket(0, Signal.const(100))).nvml([Gpu(Signal.const(300))])
    subprocess.run([...], env=bench.env())          # the child sees the fakes, this process does not
    bench.truth_j("package-0", t0, t1)              # joules between two time.monotonic() readings

Every value is computed when it is read, from CLOCK_MONOTONIC and a closed form: the truth has no
sampling error and no writer runs beside the reader. A child of `env()` sees only these meters, also
on a machine that has real ones. For a shell:

    python meters.py DIR SCENARIO       prints `export` lines
    python meters.py DIR --list         names the scenarios
"""

from __future__ import annotations

import errno
import math
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
if not __package__:  # run as a script: the relative import below needs the package all the same
    sys.path.insert(0, str(HERE.parent))
    __package__ = HERE.name

from .tree import AMD, EVENTS, INTEL, PMU, SYSFS_SIZE, add_zone, empty_tree, power_pmu, zone_folder  # noqa: E402

INTEL_MAX_UJ = 262_143_328_850  # 2**32 units of 61 uJ
LIBRARIES = {
    "powercap.c": "libfakepowercap.so",
    "nvml.c": "libnvidia-ml.so.1",
    "hlml.c": "libhlml.so",
    "amdsmi.c": "libamd_smi.so",
    "ze.c": "libze_loader.so.1",
    "ioreport.c": "libIOReport.so",
    "emi.c": "libemi.so",
    "ipmi.c": "libfakeipmi.so",
    "clock.c": "libfakeclock.so",
}
FAKE_VARIABLES = ("FAKE_POWERCAP_ROOT", "FAKE_NVML_SPEC", "FAKE_CLOCK_FILE")


class NoCompiler(RuntimeError):
    """There is neither gcc nor cc to build the fakes with."""


# ---------------------------------------------------------------------------- signals
@dataclass(frozen=True)
class Signal:
    """Power over monotonic time, with its integral; the formulas are those of power_signal.h."""

    kind: str
    a: float
    b: float = 0.0
    c: float = 0.0

    @classmethod
    def const(cls, watts: float) -> Signal:
        return cls("const", watts)

    @classmethod
    def square(cls, low: float, high: float, hz: float) -> Signal:
        """`low` in the first half of every period, `high` in the second."""
        return cls("square", low, high, hz)

    @classmethod
    def sine(cls, mean: float, amplitude: float, hz: float) -> Signal:
        return cls("sine", mean, amplitude, hz)

    @classmethod
    def step(cls, before: float, after: float, at_s: float) -> Signal:
        return cls("step", before, after, at_s)

    def text(self, separator: str = " ") -> str:
        """As the C side reads it."""
        numbers = (self.a,) if self.kind == "const" else (self.a, self.b, self.c)
        return separator.join([self.kind, *(repr(float(x)) for x in numbers)])

    def energy_j(self, t: float) -> float:
        """Joules from monotonic second 0 to t."""
        return _ENERGY[self.kind](self.a, self.b, self.c, t)


def _const_j(watts: float, _b: float, _c: float, t: float) -> float:
    return watts * t


def _square_j(low: float, high: float, hz: float, t: float) -> float:
    half, periods = 0.5 / hz, math.floor(t * hz)
    rest = t - periods * 2 * half
    in_low = min(rest, half)
    return periods * half * (low + high) + in_low * low + (rest - in_low) * high


def _sine_j(mean: float, amplitude: float, hz: float, t: float) -> float:
    return mean * t + amplitude * (1 - math.cos(2 * math.pi * hz * t)) / (2 * math.pi * hz)


def _step_j(before: float, after: float, at_s: float, t: float) -> float:
    return before * min(t, at_s) + after * max(0.0, t - at_s)


_ENERGY: dict[str, Callable[[float, float, float, float], float]] = {
    "const": _const_j,
    "square": _square_j,
    "sine": _sine_j,
    "step": _step_j,
}


# ---------------------------------------------------------------------------- what is metered
@dataclass(frozen=True)
class Zone:
    """A powercap zone. `place` is its folder name: 'intel-rapl:0', 'intel-rapl:0:1', 'intel-rapl-mmio:0'."""

    place: str
    name: str
    signal: Signal
    max_uj: int = INTEL_MAX_UJ
    offset_uj: int = 0
    update_s: float = 0.001
    fail_at_s: float | None = None
    fail_errno: int = errno.EACCES

    def model(self) -> str:
        """The file the C side reads."""
        return _model(self, [f"max_uj={self.max_uj}", f"offset_uj={self.offset_uj}"])


@dataclass(frozen=True)
class Event:
    """An energy event of the power PMU, as one CPU of the mask tells it: 'energy-pkg'."""

    name: str
    signal: Signal
    cpu: int = 0
    update_s: float = 0.001
    fail_at_s: float | None = None
    fail_errno: int = errno.EACCES

    def model(self) -> str:
        """The file the C side reads."""
        return _model(self, [])


def _model(counter: Zone | Event, lines: list[str]) -> str:
    lines = [f"signal={counter.signal.text()}", *lines, f"update_s={counter.update_s!r}"]
    if counter.fail_at_s is not None:
        lines += [f"fail_at={counter.fail_at_s!r}", f"fail_errno={counter.fail_errno}"]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Gpu:
    """A GPU of the fake NVML; see nvml.c for the keys. `mig` are slice counts out of `slices`."""

    signal: Signal
    energy: bool = True
    power: bool = True
    busy: bool = True
    window: float = 0.0
    update: float = 0.0
    limit: float = 700.0
    fail_at: float | None = None
    back_at: float | None = None
    reset_at: float | None = None
    reload_at: float | None = None
    hang_s: float = 0.0
    module: float | None = None
    module_energy: bool = True
    chaos: float = 0.0
    seed: int = 0
    mig: tuple[int, ...] = ()
    mig_on: bool = False
    slices: int = 7
    compute: tuple[int, ...] = ()
    pids: tuple[int, ...] = ()
    sm: tuple[int, ...] = ()
    name: str = "NVIDIA H100 80GB HBM3"
    uuid: str = ""

    def line(self, index: int) -> str:
        """The line of the spec file."""
        keys: dict[str, object] = {
            "signal": self.signal.text(","),
            "energy": int(self.energy),
            "power": int(self.power),
            "busy": int(self.busy),
            "window": self.window,
            "update": self.update,
            "limit": self.limit,
            "fail_at": self.fail_at,
            "back_at": self.back_at,
            "reset_at": self.reset_at,
            "reload_at": self.reload_at,
            "hang_s": self.hang_s,
            "module": self.module,
            "module_energy": int(self.module_energy),
            "chaos": self.chaos or None,
            "seed": self.seed if self.chaos else None,
            "mig": ",".join(map(str, self.mig)) or None,
            "mig_on": int(self.mig_on or bool(self.mig)),
            "slices": self.slices,
            "compute": ",".join(map(str, self.compute)) or None,
            "pids": ",".join(map(str, self.pids)) or None,
            "sm": ",".join(map(str, self.sm)) or None,
            "name": self.name.replace(" ", "_"),
            "uuid": self.uuid or gpu_uuid(index),
        }
        return " ".join(f"{key}={value}" for key, value in keys.items() if value is not None)


def gpu_uuid(index: int) -> str:
    """The UUID of a GPU that was given none."""
    return f"GPU-00000000-0000-0000-0000-{index:012d}"


def mig_uuid(uuid: str, instance: int) -> str:
    """The UUID that nvml.c derives for the MIG instance of a GPU."""
    hashed = 2166136261  # FNV-1a
    for byte in uuid.encode():
        hashed = (hashed ^ byte) * 16777619 % 2**32
    rest = uuid[4:].partition("-")
    return f"MIG-{(hashed + instance) % 2**32:08x}{rest[1]}{rest[2]}"


def socket(
    i: int,
    package: Signal,
    core: Signal | None = None,
    dram: Signal | None = None,
    *,
    offset_uj: int | None = None,
    max_uj: int = INTEL_MAX_UJ,
    fail_at_s: float | None = None,
) -> list[Zone]:
    """The zones of one CPU socket as Linux lays them out; sockets hold different counts by default."""
    top = f"intel-rapl:{i}"
    start = 11_000_000 + i * 77_000_000_000 if offset_uj is None else offset_uj
    zones = [Zone(top, f"package-{i}", package, max_uj, start, fail_at_s=fail_at_s)]
    parts = [(name, signal) for name, signal in (("core", core), ("dram", dram)) if signal is not None]
    for j, (name, signal) in enumerate(parts):
        offset = start // 3 + j * 999_000_000
        zones.append(Zone(f"{top}:{j}", name, signal, max_uj, offset, fail_at_s=fail_at_s))
    return zones


# ---------------------------------------------------------------------------- building
def compiler() -> str:
    """Path of a C compiler; raises NoCompiler."""
    found = shutil.which("gcc") or shutil.which("cc")
    if found is None:
        raise NoCompiler("the fake meters need gcc or cc on the PATH")
    return found


def _compile(cc: str, source: Path, target: Path) -> None:
    """Into place by rename: test workers may build the same library at once."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / target.name
        command = [cc, "-O2", "-shared", "-fPIC", "-Wall", "-o", str(made), str(source), "-ldl", "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{source.name} does not compile:\n{done.stderr}")
        made.replace(target)


def build(folder: Path) -> Path:
    """Compile into `folder` what is missing there or older than its source; returns the folder."""
    cc = compiler()
    folder.mkdir(parents=True, exist_ok=True)
    headers = max(path.stat().st_mtime for path in HERE.glob("*.h"))
    for source, library in LIBRARIES.items():
        target = folder / library
        newest = max(headers, (HERE / source).stat().st_mtime)
        if not target.exists() or target.stat().st_mtime < newest:
            _compile(cc, HERE / source, target)
    return folder


def _put(path: Path, text: str) -> None:
    """Replace a file in one step: a reader sees the old text or the new one."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    fresh.replace(path)


# ---------------------------------------------------------------------------- the bench
class Bench:
    """A set of fake meters in a folder. Everything may be changed while a reader runs.

    A changed signal changes the whole past of its counter: let power change with `Signal.step`.
    `libs` is a folder for the compiled fakes that several benches share.
    """

    def __init__(self, folder: Path, libs: Path | None = None) -> None:
        self.folder = Path(folder)
        self.root = self.folder / "sys"
        self.libs = libs or self.folder / "lib"
        self.spec = self.folder / "nvml.spec"
        self.clock = self.folder / "clock"
        self.zones: list[Zone] = []
        self.gpus: list[Gpu] = []
        self.events: list[Event] = []
        self.folder.mkdir(parents=True, exist_ok=True)

    # -------------------------------------------------------------- setting up
    def powercap(self, zones: Iterable[Zone]) -> Bench:
        """Lay out a tree with these zones, parents before their children."""
        self.zones = list(zones)
        empty_tree(self.root)
        for zone in self.zones:
            folder = add_zone(self.root, zone.place, zone.name, zone.max_uj, "read past the fake\n")
            os.truncate(folder / "energy_uj", SYSFS_SIZE)
            denied = zone.fail_errno == errno.EACCES and zone.fail_at_s == 0
            (folder / "energy_uj").chmod(0o400 if denied else 0o444)
            self._write_zone(zone)
        return self

    def perf(self, events: Iterable[Event], cpus: Mapping[int, tuple[int, int]], **more: Any) -> Bench:
        """Give the fake kernel a power PMU; `cpus` are those of its mask, each with its package and die."""
        self.events = list(events)
        power_pmu(self.root, cpus, {event.name for event in self.events}, **more)
        for event in self.events:
            self._event_folder(event).mkdir(parents=True)
            (self._event_folder(event) / "count").write_text("read past the fake\n")
            _put(self._event_folder(event) / "model", event.model())
        return self

    def nvml(self, gpus: Iterable[Gpu]) -> Bench:
        """Give the fake driver these GPUs."""
        self.gpus = list(gpus)
        self._write_gpus()
        return self

    def step_clock(self, at_s: float, offset_s: float) -> Bench:
        """Move CLOCK_REALTIME by `offset_s` from monotonic second `at_s` on."""
        _put(self.clock, f"{at_s!r} {offset_s!r}\n")
        return self

    # -------------------------------------------------------------- changing under a reader
    def update_zone(self, name: str, **changes: Any) -> Bench:
        """Change fields of a zone; a reader sees it within 50 ms."""
        i = self.zones.index(self.zone(name))
        self.zones[i] = replace(self.zones[i], **changes)
        self._write_zone(self.zones[i])
        return self

    def update_gpu(self, index: int, **changes: Any) -> Bench:
        """Change fields of a GPU; a reader sees it within 50 ms."""
        self.gpus[index] = replace(self.gpus[index], **changes)
        self._write_gpus()
        return self

    def update_event(self, name: str, **changes: Any) -> Bench:
        """Change fields of an event ('energy-pkg@0'); a reader sees it within 50 ms."""
        i = self.events.index(self.event(name))
        self.events[i] = replace(self.events[i], **changes)
        _put(self._event_folder(self.events[i]) / "model", self.events[i].model())
        return self

    def fail(self, name: str, at_s: float, errno: int = errno.EACCES) -> Bench:
        """Let opening and reading a zone fail from monotonic second `at_s` on."""
        return self.update_zone(name, fail_at_s=at_s, fail_errno=errno)

    def lose_gpu(self, index: int, at_s: float) -> Bench:
        """Let a GPU fall off the bus at monotonic second `at_s`."""
        return self.update_gpu(index, fail_at=at_s)

    def reload_driver(self, at_s: float) -> Bench:
        """Load the driver anew at a monotonic second: old handles are worth nothing, counters start at 0."""
        self.gpus = [replace(gpu, reload_at=at_s, reset_at=at_s) for gpu in self.gpus]
        self._write_gpus()
        return self

    # -------------------------------------------------------------- using
    def env(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a child that sees these meters and no others. Compiles if need be."""
        build(self.libs)
        env = {k: v for k, v in (os.environ if base is None else base).items() if k not in FAKE_VARIABLES}
        preload = [str(self.libs / "libfakepowercap.so")]
        env["FAKE_POWERCAP_ROOT"] = str(self.root)
        if self.spec.exists():
            env["FAKE_NVML_SPEC"] = str(self.spec)
        if self.clock.exists():
            env["FAKE_CLOCK_FILE"] = str(self.clock)
            preload.append(str(self.libs / "libfakeclock.so"))
        for variable, first in (("LD_PRELOAD", preload), ("LD_LIBRARY_PATH", [str(self.libs)])):
            env[variable] = ":".join([*first, *filter(None, [env.get(variable)])])
        return env

    def zone(self, name: str) -> Zone:
        """A zone by place ('intel-rapl:0:1') or name; for a name, an MMIO twin does not count."""
        found = [zone for zone in self.zones if zone.place == name]
        twin = "intel-rapl-mmio"
        found = found or [z for z in self.zones if z.name == name and not z.place.startswith(twin)]
        if len(found) != 1:
            raise KeyError(f"{len(found)} zones answer to {name!r}, of {[z.place for z in self.zones]}")
        return found[0]

    def event(self, name: str) -> Event:
        """An event by name and CPU: 'energy-pkg@0'."""
        return next(event for event in self.events if f"{event.name}@{event.cpu}" == name)

    def truth_j(self, name: str, t0_s: float, t1_s: float) -> float:
        """Exact joules of a zone, of an event ('energy-pkg@0') or of 'gpu0' between two monotonic times."""
        if name.startswith("gpu") and name[3:].isdigit():
            signal = self.gpus[int(name[3:])].signal
        else:
            signal = (self.event(name) if "@" in name else self.zone(name)).signal
        return signal.energy_j(t1_s) - signal.energy_j(t0_s)

    def _write_zone(self, zone: Zone) -> None:
        _put(zone_folder(self.root, zone.place) / "model", zone.model())

    def _event_folder(self, event: Event) -> Path:
        return self.root / PMU / f"counters/{EVENTS[event.name]}-{event.cpu}"

    def _write_gpus(self) -> None:
        _put(self.spec, "".join(gpu.line(i) + "\n" for i, gpu in enumerate(self.gpus)))


# ---------------------------------------------------------------------------- scenarios
_W100 = Signal.const(100)
_SQUARE = Signal.square(50, 200, 0.5)
_TWO_GPUS = (Gpu(Signal.const(300)), Gpu(Signal.const(150)))
_SQUARE_GPUS = (Gpu(Signal.square(100, 500, 0.5)), Gpu(Signal.const(150)))


def _zones(*zones: Zone) -> Callable[[Bench], Bench]:
    return lambda bench: bench.powercap(zones)


def _gpus(*gpus: Gpu) -> Callable[[Bench], Bench]:
    return lambda bench: bench.nvml(gpus)


def _two(dram: bool = False) -> list[Zone]:
    parts = (Signal.const(20), Signal.const(15)) if dram else (None, None)
    return socket(0, _W100, dram=parts[0]) + socket(1, Signal.const(60), dram=parts[1])


def _twelve() -> list[Zone]:
    return [zone for i in range(12) for zone in socket(i, Signal.const(20 + 5 * i))]


def _psys() -> list[Zone]:
    zones = socket(0, _W100, core=Signal.const(70), dram=Signal.const(20))
    return [*zones, Zone("intel-rapl:1", "psys", Signal.const(180), offset_uj=5_000_000_000)]


def _mmio() -> list[Zone]:
    package = socket(0, _W100)[0]
    return [package, replace(package, place="intel-rapl-mmio:0")]


def _dies() -> list[Zone]:
    """Two dies that mirror the one counter of their socket."""
    return [Zone(f"intel-rapl:{i}", f"package-0-die-{i}", _W100, offset_uj=11_000_000) for i in range(2)]


def _perf(bench: Bench, *, powercap: bool = True, **changes: Any) -> Bench:
    """A socket and its memory, told by both; `changes` are of the event of the socket."""
    events = [Event("energy-pkg", _W100, **changes), Event("energy-ram", Signal.const(20), **changes)]
    bench.powercap(socket(0, _W100, core=Signal.const(70), dram=Signal.const(20)) if powercap else [])
    return bench.perf([*events, Event("energy-cores", Signal.const(70))], {0: (0, 0)})


def _perf_dies(bench: Bench, *, modalias: str, apart_uj: int) -> Bench:
    """Two dies of one socket, told by both; their registers are one, or stand apart."""
    cpus = {0: (0, 0), 8: (0, 1)}
    bench.powercap(replace(zone, offset_uj=i * apart_uj) for i, zone in enumerate(_dies()))
    return bench.perf([Event("energy-pkg", _W100, cpu) for cpu in cpus], cpus, modalias=modalias)


SCENARIOS: dict[str, Callable[[Bench], Bench]] = {
    "const": _zones(*socket(0, _W100)),
    "square": _zones(*socket(0, _SQUARE)),
    "fastsquare": _zones(*socket(0, replace(_SQUARE, c=5.0))),
    "wrap11": _zones(*socket(0, _W100, max_uj=1_100_000_000)),
    "wrap3": _zones(*socket(0, _W100, max_uj=300_000_000)),
    "wrap065": _zones(*socket(0, _W100, max_uj=65_000_000)),
    "dram": _zones(*socket(0, _W100, dram=Signal.const(20))),
    "core_dram": _zones(*socket(0, _W100, core=Signal.const(70), dram=Signal.const(20))),
    "psys": _zones(*_psys()),
    "mmio": _zones(*_mmio()),
    "two": _zones(*_two()),
    "two_equal": _zones(*socket(0, _W100, offset_uj=0), *socket(1, _W100, offset_uj=500_000)),
    "dies": _zones(*_dies()),
    "twelve": _zones(*_twelve()),
    "perf": _perf,
    "perf_only": lambda bench: _perf(bench, powercap=False),
    "perf_amd_dies": lambda bench: _perf_dies(bench, modalias=AMD, apart_uj=0),
    "perf_intel_dies": lambda bench: _perf_dies(bench, modalias=INTEL, apart_uj=10**9),
    "perf_denied": lambda bench: _perf(bench, fail_at_s=0.0),
    "denied": _zones(*socket(0, _W100, fail_at_s=0.0)),
    "gpu1": _gpus(Gpu(Signal.const(300))),
    "gpu8": _gpus(*(Gpu(Signal.const(100 + 50 * i)) for i in range(8))),
    "gpu2": _gpus(*_TWO_GPUS),
    "gpu2square": _gpus(*_SQUARE_GPUS),
    "gpu2noenergy": _gpus(*(replace(gpu, energy=False) for gpu in _SQUARE_GPUS)),
    "mig": _gpus(Gpu(Signal.const(300), mig=(3, 4))),
    "all": lambda bench: bench.powercap(_two(dram=True)).nvml(_TWO_GPUS),
    "none": lambda bench: bench,
}


def main(arguments: list[str]) -> int:
    """Set up a scenario for a shell."""
    if len(arguments) == 2 and arguments[1] == "--list":
        print("\n".join(SCENARIOS))
        return 0
    if len(arguments) != 2 or arguments[1] not in SCENARIOS:
        print(__doc__, file=sys.stderr)
        return 2
    bench = SCENARIOS[arguments[1]](Bench(Path(arguments[0]).absolute()))
    kept = {key: os.environ[key] for key in ("LD_PRELOAD", "LD_LIBRARY_PATH") if key in os.environ}
    for key, value in bench.env(kept).items():
        print(f"export {key}={shlex.quote(value)}")
    print(f"# monotonic now: {time.monotonic():.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
