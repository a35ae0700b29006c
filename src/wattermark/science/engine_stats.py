"""What an engine says of its requests and of itself, as moments of the steady clock and as tokens."""

from __future__ import annotations

from wattermark.values.units import NS_PER_S

LATEST_S = 60.0
"""A stamp of the wall clock that is older than this, or of the future, is not believed."""


def earlier_ns(mono_ns: int, duration_s: float) -> int:
    """The moment that lies so long before another.

    Parameters
    ----------
    mono_ns : int
        By the steady clock. [ns]
    duration_s : float
        Less than none is none. [s]

    Returns
    -------
    int
        [ns]

    Examples
    --------
    >>> earlier_ns(5_000_000_000, 1.5)
    3500000000
    """
    return mono_ns - round(max(duration_s, 0.0) * NS_PER_S)


def stamped_ns(mono_ns: int, wall_s: float, stamp_s: float | None) -> int:
    """When something happened that bears a stamp of the wall clock, by the steady clock.

    Parameters
    ----------
    mono_ns : int
        Now, by the steady clock. [ns]
    wall_s : float
        Now, by the wall clock. [s since 1970]
    stamp_s : float or None
        When it happened, by the wall clock; where that cannot be, it happened now. [s since 1970]

    Returns
    -------
    int
        [ns]

    Examples
    --------
    >>> stamped_ns(5_000_000_000, 1000.0, 999.75)
    4750000000
    >>> stamped_ns(5_000_000_000, 1000.0, 4000.0)
    5000000000
    """
    age_s = 0.0 if stamp_s is None else wall_s - stamp_s
    return earlier_ns(mono_ns, age_s) if 0 <= age_s <= LATEST_S else mono_ns


def kept_tokens(part: float | None, blocks: int | None, block_tokens: int | None) -> float | None:
    """Tokens whose keys and values an engine keeps.

    Parameters
    ----------
    part : float or None
        Of its blocks that is used, 0 to 1. [1]
    blocks : int or None
        That it has. [1]
    block_tokens : int or None
        That fit in a block. [1]

    Returns
    -------
    float or None
        None where one of the three is not known. [1]

    Examples
    --------
    >>> kept_tokens(0.5, 100, 16)
    800.0
    """
    if part is None or not blocks or not block_tokens:
        return None
    return part * blocks * block_tokens
