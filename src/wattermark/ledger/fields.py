"""What a line of a spool holds, as what it must be: else it is a bad line, and costs no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from wattermark.values.kinds import Kind, Node, Part, Scope
from wattermark.values.records import MOST_RANKS, Channel, RunHeader
from wattermark.values.units import BASE_PER_RAW, WRAP_64

MOST, MOST_CPUS = WRAP_64, 2**20  # more is no reading, and no machine
MOST_S, MOST_W, MOST_FACTOR = 1e9, 1e9, 1e6  # a generation, a power station; the settings allow much less


def known_fields(record: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that this version knows; a newer one may have written more."""
    names = _names(record)
    return {name: value for name, value in given.items() if name in names}


@cache
def _names(record: type) -> frozenset[str]:
    """A file of requests asks a million times."""
    return frozenset(field.name for field in fields(record))


def int64(value: Any) -> int:
    """A whole number that arrays can hold."""
    number = int(value)
    if abs(number) > MOST:
        raise ValueError(f"{number} is no reading")
    return number


def readings(values: Iterable[Any], channels: int) -> list[int | None]:
    """What one look told, a number for each channel."""
    found = [_reading(value) for value in values]
    if len(found) != channels:
        raise ValueError("a number for each channel is expected")
    return found


def _reading(value: Any) -> int | None:
    """What a meter said; more than any can say is no answer, and spoils those beside it no more than one."""
    number = None if value is None else int(value)
    return number if number is not None and abs(number) <= MOST else None


_HEADER_TYPES: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("pid", "started_ns", "mono_ns", "logical_cpus", "memory_b", "part", "sockets"), int64),
    **dict.fromkeys(
        ("rank", "world_size", "memory_limit_b"), lambda one: None if one is None else int64(one)
    ),
    **dict.fromkeys(("run", "name", "host", "machine", "job", "command", "version"), str),
    **dict.fromkeys(("place_from", "pid_started", "cpu_model"), str),
    **dict.fromkeys(("inside", "ancestors"), lambda texts: tuple(str(text) for text in texts)),
    **dict.fromkeys(
        ("pue", "wue_l_per_kwh", "market_intensity_g_per_kwh", "cpu_limit"),
        lambda one: None if one is None else float(one),
    ),
    "place": lambda one: None if one is None else str(one),
    "interval_s": float,
    "virtual": bool,
    "scope": Scope,
    "tags": lambda tags: {str(key): str(value) for key, value in dict(tags).items()},
}


def header_of(given: Mapping[str, Any]) -> RunHeader:
    """A header whose fields are what they must be; else an error that makes it a bad line."""
    header = RunHeader(
        **{name: _HEADER_TYPES[name](value) for name, value in known_fields(RunHeader, given).items()}
    )
    possible = (
        0 < header.interval_s <= MOST_S
        and 1 <= header.logical_cpus <= MOST_CPUS
        and 0 <= header.memory_b <= MOST
        and 0 <= header.sockets <= MOST_CPUS
        and (header.cpu_limit is None or 0 < header.cpu_limit <= MOST_CPUS)
        and (header.memory_limit_b is None or 0 < header.memory_limit_b <= MOST)
        and header.part >= 0
        and (header.rank is None or header.rank >= 0)
        and (header.world_size is None or 1 <= header.world_size <= MOST_RANKS)
        and (header.pue is None or 1 <= header.pue <= MOST_FACTOR)
        and (header.wue_l_per_kwh is None or 0 <= header.wue_l_per_kwh <= MOST_FACTOR)
        and (
            header.market_intensity_g_per_kwh is None or 0 <= header.market_intensity_g_per_kwh <= MOST_FACTOR
        )
    )
    if not possible:
        raise ValueError("a header with impossible numbers")
    return header


def channel_of(given: Mapping[str, Any]) -> Channel:
    """A channel whose numbers can be; else an error that makes it a bad line."""
    known = known_fields(Channel, given)
    kinds = {"kind": Kind(known["kind"]), "part": Part(known["part"]), "node": Node(known.get("node", ""))}
    channel = Channel(**{**known, **kinds})
    numbers = (channel.power_max_w, channel.refresh_s, channel.share)
    texts = (channel.name, channel.covers, channel.device, channel.uuid, channel.note)
    possible = (
        channel.unit in BASE_PER_RAW
        and all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int | float) for number in numbers)
        and 0 < channel.power_max_w <= MOST_W
        and 0 <= channel.refresh_s <= MOST_S
        and 0 < channel.share <= 1
        and isinstance(channel.hidden, int)
        and isinstance(channel.slices, dict)
        and all(isinstance(part, int | float) and 0 < part <= 1 for part in channel.slices.values())
        and (channel.wrap is None or (isinstance(channel.wrap, int) and 0 < channel.wrap <= MOST))
    )
    if not possible:
        raise ValueError(f"a channel with impossible numbers: {channel.name}")
    return channel
