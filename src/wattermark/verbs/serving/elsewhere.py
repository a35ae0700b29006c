"""Where models of others run: not where those are who ask them, unless that was said for this purpose."""

from __future__ import annotations

from dataclasses import replace

from wattermark.values.records import RunHeader
from wattermark.wiring.config import Config


def place_is_told(config: Config) -> bool:
    """Whether the place was given with the command or the call; settings tell where this machine is."""
    return config.origin.get("place") == "option"


def served_elsewhere(header: RunHeader, config: Config) -> RunHeader:
    """The header of a run whose requests others serve: its place is unknown unless it was given."""
    return header if place_is_told(config) else replace(header, place=None, place_from="unknown")
