"""Options that several commands share."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wattermark.wiring.config import Config


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, for programs")


def add_ledger(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ledger", metavar="DIR", help="the folder that keeps the runs")


def add_site(parser: argparse.ArgumentParser) -> None:
    """Where it ran, or is to be accounted."""
    parser.add_argument("--place", help="deu, US-CAMX, aws:eu-west-1 ... (see: wattermark places)")
    parser.add_argument("--pue", help="facility energy per IT energy, at least 1")
    parser.add_argument("--wue", help="on-site water per IT energy [L/kWh]")
    parser.add_argument("--market-intensity", metavar="G", help="contracted supply [g CO2e/kWh]")
    parser.add_argument(
        "--scope",
        metavar="SCOPE",
        help="process: the command and its children; machine: all that the meters saw",
    )


def settings(args: argparse.Namespace, *names: str) -> Config:
    """The settings that hold, those given as options in front."""
    from wattermark.wiring.config import load_config

    given: dict[str, Any] = {name: getattr(args, name, None) for name in names}
    return load_config(given)


THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?[a-z]?")
SUFFIXES = {"k": "e3", "m": "e6", "g": "e9", "b": "e9", "t": "e12"}


def amount(text: str) -> float:
    """A number as people write large ones: ``7e9``, ``7B``, ``1.5T``.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    plain = text.strip().lower()
    if THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if plain[-1:] in SUFFIXES:
        plain = plain[:-1] + SUFFIXES[plain[-1]]
    try:
        return float(plain)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number; write 7e9 or 7B") from error


def duration_s(text: str) -> float:
    """A length of time as people write it: ``24`` (hours), ``24h``, ``90m``, ``2d``, ``1d12h``. [s]

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    from wattermark.values.durations import seconds_of

    try:
        return seconds_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def wait_s(text: str) -> float:
    """Seconds that somebody waits, a day at most. [s]

    Raises
    ------
    argparse.ArgumentTypeError
        If it is no number, or nobody would wait that long.
    """
    return seconds_within(text, "time to wait", most_s=86_400)


def seconds_within(text: str, what: str, *, most_s: int) -> float:
    """A plain number of seconds, from a tenth to the most. [s]

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= most_s:
        raise argparse.ArgumentTypeError(f"{text!r} is no {what}; give 0.1 to {most_s} seconds")
    return seconds
