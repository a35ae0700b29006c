"""Looks at readers, one a second, as the recorder takes and writes them; read back and accounted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

from fuzzing.holds import Broken, check_footprint, energy_of
from fuzzing.spools import HEADER, S
from wattermark.errors import ReaderUnavailable, WattermarkError
from wattermark.ledger.read import SpoolReader
from wattermark.ledger.spool import line, reader_line, run_line
from wattermark.readers.choose import choose
from wattermark.recorder.beat import Beat
from wattermark.recorder.recording import Recording
from wattermark.values.footprint import Footprint
from wattermark.values.ports import Reader
from wattermark.verbs.account import account

LOOKS = 4
WRONG = 1e-6


class Kept:
    """A spool in memory."""

    def __init__(self) -> None:
        self.text = run_line(HEADER)

    def write(self, lines: str) -> None:
        self.text += lines

    def close(self) -> None:
        """Nothing is held open."""


def looked(
    openers: Mapping[str, Callable[[], Reader]], before_look: Callable[[int], None], *, step_s: int = 1
) -> tuple[Footprint, Kept]:
    """Open what opens, take some looks through the recorder's own loop, account them.

    ``before_look`` is called with the number of each look, so that the world can change in between.

    Raises
    ------
    Broken
        If the recorder gave up.
    """
    chosen = choose(openers)
    for problem in chosen.skipped.values():
        if not isinstance(problem, ReaderUnavailable):
            raise Broken(f"skipped without a reason of ours: {problem!r}")
    kept = Kept()
    clock_ns = [2 * S]
    beat = Beat(
        lambda: (
            chosen.readers,
            "".join(reader_line(name, r.channels) for name, r in chosen.readers.items()),
        ),
        line,
        mono_ns=lambda: clock_ns[0],
        wall_ns=lambda: clock_ns[0],
    )
    recording = Recording(kept, line, interval_s=1.0)
    before_look(0)
    if not beat.join(recording):
        raise Broken("the first look was never taken")
    for number in range(1, LOOKS):
        clock_ns[0] += step_s * S
        before_look(number)
        _ask_and_wait(beat, clock_ns[0], kept)
    clock_ns[0] += step_s * S
    before_look(LOOKS)
    beat.leave(recording, lambda at_ns: line("stop", mono_ns=at_ns, time_ns=at_ns, status="ok", detail=""))
    for reader in chosen.readers.values():
        reader.close()
        reader.close()
    return _accounted(kept), kept


def _ask_and_wait(beat: Beat, at_ns: int, kept: Kept) -> None:
    """One more run joins and leaves: a look that is taken when this returns."""
    other = Recording(Kept(), line, interval_s=1.0)
    if not beat.join(other):
        raise Broken("a look was never taken")
    beat.leave(other, lambda _: "")


def _accounted(kept: Kept) -> Footprint:
    reader = SpoolReader(Path("memory"))
    reader.feed(kept.text.encode())
    recorded = reader.recorded()
    if recorded.bad_lines:
        raise Broken(f"{recorded.bad_lines} lines of the recorder cannot be read back")
    if any("give" in fault for fault in recorded.faults):
        raise Broken(f"faults: {recorded.faults}")
    try:
        footprint = account(recorded)
    except WattermarkError as error:
        raise Broken(f"what was recorded cannot be accounted: {error}") from error
    check_footprint(recorded, footprint)
    return footprint


def check_energy(footprint: Footprint, name: str, true_j: float) -> None:
    """A meter that nothing was done to must tell the truth, whatever happens to the others.

    Raises
    ------
    Broken
        If it does not.
    """
    found_j = energy_of(footprint, name)
    if found_j is None or not math.isclose(found_j, true_j, rel_tol=WRONG):
        raise Broken(f"{name} told {found_j} J and used {true_j} J; only other meters were touched")
