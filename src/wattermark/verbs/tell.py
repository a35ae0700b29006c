"""Say something to whoever runs the program, and never in its way."""

from __future__ import annotations


def tell(message: str, *values: object) -> None:
    """Say something through the logger ``wattermark``; without any set-up it goes to stderr."""
    import logging

    logging.getLogger("wattermark").warning("wattermark: " + message, *values)
