"""What the recording side writes and the accounting side reads. Frozen; nothing here reads the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wattermark.values.kinds import Kind, Node, Part, Scope, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One number that a meter tells at each look, kept raw.

    ``unit`` is the device's own (``uJ``, ``mJ``, ``pWh``, ``mW``, ``ns``, ``B``); ``wrap`` is where a
    counter starts again from zero, in that unit. ``covers`` names the hardware inside the
    meter's boundary: what one channel covers no other may add. ``share`` is the part of
    the device that belongs to the run (a MIG slice), ``refresh_s`` how often the device
    renews its number, ``power_max_w`` more than the device can draw. ``embedded`` is a part of
    the processor's own chip: what making it took stands with the machine. ``node`` says whether it
    holds all of a node; ``hidden`` how many devices of its kind the run may not see. ``slices`` names the
    pieces of a device that ``share`` is made of, with the part of it that each is.
    """

    name: str
    kind: Kind
    part: Part
    unit: str
    covers: str = ""
    wrap: int | None = None
    power_max_w: float = 1000.0
    refresh_s: float = 0.0
    counted: bool = True
    share: float = 1.0
    embedded: bool = False
    device: str = ""
    uuid: str = ""
    note: str = ""
    node: Node = Node.NO
    hidden: int = 0
    slices: Mapping[str, float] = field(default_factory=dict)


def overlap(one: str, other: str) -> bool:
    """Whether two ``covers`` hold the same hardware: they are equal, or one lies in the other.

    A die lies in its socket, and ``cpu`` holds all that begins with ``cpu/``.

    Examples
    --------
    >>> overlap("cpu/package-0", "cpu/package-0-die-1"), overlap("cpu/package-1", "cpu/package-10")
    (True, False)
    """
    short, long = sorted((one, other), key=len)
    return bool(short) and (f"{long}-die-".startswith(f"{short}-die-") or long.startswith(f"{short}/"))


MOST_RANKS = 2**24
"""More processes are no job: whoever writes or reads a header takes them for a slip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeader:
    """What was known when a run began; the first line of its spool.

    Only the names of the program and its script are kept of a command line: arguments may
    hold secrets. ``inside`` are the runs of the same process that were open then;
    ``ancestors`` the processes above, as ``pid@start``, so that a run inside another
    process's run is known as such. ``machine`` is one for all processes of a machine until it
    starts again. A run may be a job of many processes: ``rank`` of ``world_size``; and it may have
    been taken up again: ``part`` counts from 0. ``sockets`` is 0 where they are not known, ``virtual``
    says that they are a virtual machine's; ``cpu_limit`` and ``memory_limit_b`` are those of the container.
    """

    run: str
    name: str
    host: str
    pid: int
    started_ns: int
    mono_ns: int
    interval_s: float
    scope: Scope = Scope.PROCESS
    command: str = ""
    place: str | None = None
    place_from: str = "unknown"
    pue: float | None = None
    wue_l_per_kwh: float | None = None
    market_intensity_g_per_kwh: float | None = None
    inside: tuple[str, ...] = ()
    ancestors: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    pid_started: str = ""
    logical_cpus: int = 1
    cpu_model: str = ""
    memory_b: int = 0
    sockets: int = 0
    virtual: bool = False
    cpu_limit: float | None = None
    memory_limit_b: int | None = None
    version: str = ""
    machine: str = ""
    job: str = ""
    rank: int | None = None
    world_size: int | None = None
    part: int = 0

    @property
    def booted_ns(self) -> int:
        """When the steady clock began, by the wall clock: tells whether two runs share one."""
        return self.started_ns - self.mono_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanMark:
    """A named stretch of a run, e.g. epoch 3 ``of`` 10. ``end_ns`` is None while it is open."""

    number: int
    name: str
    label: str
    begin_ns: int
    end_ns: int | None = None
    parent: int | None = None
    of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLog:
    """All that one reader said: ``values[i]`` at ``mono_ns[i]``, one entry a channel; None is a gap."""

    channels: tuple[Channel, ...]
    mono_ns: list[int]
    values: list[list[int | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A run as the ledger kept it."""

    header: RunHeader
    logs: Mapping[str, ReaderLog]
    skipped: Mapping[str, tuple[str, str]]
    spans: tuple[SpanMark, ...]
    status: Status
    detail: str
    begin_mono_ns: int
    end_mono_ns: int
    wall_step_s: float = 0.0
    torn_bytes: int = 0
    bad_lines: int = 0
    lost_beats: int = 0
    faults: tuple[str, ...] = ()
