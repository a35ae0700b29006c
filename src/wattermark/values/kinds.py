"""Words with a fixed meaning: how a number is to be read, of what it is, and how it was come by."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """How a channel's raw number is to be read."""

    COUNTER = "counter"  # grows from some start; may wrap
    POWER = "power"  # watts at a moment
    GAUGE = "gauge"  # an amount at a moment


class Part(StrEnum):
    """What a channel looks at."""

    CPU = "cpu"
    DRAM = "dram"
    GPU = "gpu"
    PLATFORM = "platform"  # holds other parts; shown, never added
    LOAD = "load"  # how busy, not how much energy


class Node(StrEnum):
    """Whether a channel holds all of a node, and where it looks."""

    NO = ""  # one part of it, or several and not all
    INPUT = "input"  # all of it, where its power supplies take it
    INSIDE = "inside"  # all of it, behind a supply or a battery, or nobody says where


class Quality(StrEnum):
    """How an energy was come by."""

    MEASURED = "measured"
    MODELLED = "modelled"
    MISSING = "missing"


class Scope(StrEnum):
    """Whose energy a run is charged with."""

    PROCESS = "process"  # the tracked process and its descendants
    MACHINE = "machine"  # all that the meters saw


class Status(StrEnum):
    """How a run ended."""

    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
