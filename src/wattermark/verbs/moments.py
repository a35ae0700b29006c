"""Moments as people read and write them; inside they are seconds since 1970 (UTC)."""

from __future__ import annotations

from datetime import UTC, datetime

from wattermark.errors import UsageError


def iso(moment_s: float) -> str:
    """In UTC, for programs: ``2026-12-01T03:00:00Z``."""
    return datetime.fromtimestamp(moment_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def local(moment_s: float) -> str:
    """In this machine's zone, for people: ``Tue 1 Dec 03:00``."""
    moment = datetime.fromtimestamp(moment_s).astimezone()
    return f"{moment:%a} {moment.day} {moment:%b %H:%M}"


def moment_s(text: str) -> float:
    """An ISO 8601 moment; without a zone it is this machine's. [s since 1970]

    Raises
    ------
    UsageError
        If it is none.
    """
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is no moment", fix="Write 2026-12-01T03:00, with Z or an offset if need be"
        ) from error
