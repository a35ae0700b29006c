"""What a setting can mean; an error names it, what it is, and a way out. Of a secret it tells nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from wattermark.errors import UsageError

SHORTEST_S, LONGEST_S = 0.01, 3600.0
SCOPES = ("process", "machine")


def check_number(low: float, high: float, meaning: str) -> Callable[[str, Any], float]:
    """A check for a number between two ends."""

    def check(name: str, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not low <= number <= high or isinstance(value, bool):
            raise UsageError(
                f"{name} is {value!r}, but {meaning}", fix=f"Give a number from {low:g} to {high:g}"
            )
        return number

    return check


def check_text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{name} is {value!r}, not a name", fix=f"Give {name} as text")
    return value.strip()


def one_of(*choices: str) -> Callable[[str, Any], str]:
    """A check for one of these words."""

    def check(name: str, value: Any) -> str:
        if value not in choices:
            raise UsageError(f"{name} is {value!r}", fix=f"Choose from: {', '.join(filter(None, choices))}")
        return str(value)

    return check


def check_secret(name: str, value: Any) -> str:
    """A key or a password; an error does not tell it."""
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{name} is empty, or no text", fix=f"Give {name} as text")
    if not (value.strip().isascii() and value.strip().isprintable()):
        raise UsageError(
            f"{name} holds letters that no key has", fix="Copy it once more, without line breaks"
        )
    return value.strip()


def check_words(name: str, value: Any) -> str:
    """Words with commas between them; a file may write a list of them."""
    listed = isinstance(value, list) and all(isinstance(word, str) for word in value)
    return check_text(name, ", ".join(value) if listed else value)


def check_address(name: str, value: Any) -> str:
    text = check_text(name, value)
    if not text.startswith(("http://", "https://")) or "@" in text.partition("://")[2].partition("/")[0]:
        raise UsageError(
            f"{name} is no address without a name or a password in it",
            fix="Give one such as https://host:8080",
        )
    return text.rstrip("/")


def check_yes_no(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    answers = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).lower() not in answers:
        raise UsageError(f"{name} is {value!r}", fix="Say true or false")
    return answers[str(value).lower()]


check_pue = check_number(1.0, 5.0, "facility energy over IT energy lies between 1 and 5")
check_wue = check_number(0.0, 50.0, "litres per kWh are not negative, nor that many")
check_intensity = check_number(0.0, 5000.0, "grams CO2e per kWh are not negative, nor that many")
check_grid_water = check_number(0.0, 200.0, "litres per kWh are not negative, nor that many")
check_patience = check_number(0.1, 600.0, "nobody waits for a provider that long, or not at all [s]")
check_interval = check_number(SHORTEST_S, LONGEST_S, "a beat takes from 10 ms to an hour [s]")
