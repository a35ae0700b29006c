"""The steady clock of a record and the wall clock."""

from __future__ import annotations

from wattermark.values.records import Recorded, RunHeader
from wattermark.values.units import NS_PER_S, S_PER_NS


def window_s(record: Recorded) -> tuple[float, float]:
    """From the first look of a record to its last, by the wall clock at its beginning. [s since 1970]

    Parameters
    ----------
    record : Recorded
        Of one process.
    """
    booted_ns = record.header.booted_ns
    return (booted_ns + record.begin_mono_ns) * S_PER_NS, (booted_ns + record.end_mono_ns) * S_PER_NS


def mono_ns_at(header: RunHeader, moment_s: float) -> int:
    """A moment by a record's steady clock. [ns]

    Parameters
    ----------
    header : RunHeader
        Of the record.
    moment_s : float
        [s since 1970]
    """
    return steady_ns(moment_s, header.booted_ns)


def steady_ns(moment_s: float, booted_ns: int) -> int:
    """A moment by a steady clock. [ns]

    Parameters
    ----------
    moment_s : float
        [s since 1970]
    booted_ns : int
        When that clock stood at 0, by the wall clock. [ns since 1970]
    """
    return round(moment_s * NS_PER_S) - booted_ns
