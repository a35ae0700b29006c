"""Names that anybody may have given: a model's, a user's."""

from __future__ import annotations

MOST_NAME = 256
"""Letters of one."""


def printable(name: str) -> str:
    """A name of bearable length, without what would move the cursor of whoever reads a report."""
    short = name[:MOST_NAME]
    return short if short.isprintable() else "".join(filter(str.isprintable, short))
