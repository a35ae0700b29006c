"""Doctor: which meters work here, and what mends those that do not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wattermark.errors import FOREIGN, ReaderAbsent, WattermarkError
from wattermark.values.kinds import Part
from wattermark.values.ports import Reader
from wattermark.values.records import Channel
from wattermark.verbs.meters import candidates
from wattermark.wiring.config import load_config
from wattermark.wiring.whereami import where_am_i

HINTS: Mapping[str, str] = {
    "redfish": "Nothing to do where one of the two is told; a controller that tells neither may be slow",
    "prometheus": "See what its page says, and correct or unset WATTERMARK_PROMETHEUS_URL",
    "load": "Nothing to do: the processor time of a control group is told where the run has one to itself",
    "ipmi": "Look again: the board's controller was slow",
}
"""What to do about a meter that is there and silent."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it works, what it shows, how it is mended.

    ``absent`` is what this machine does not have: there is nothing to mend.
    """

    name: str
    works: bool
    says: str
    fix: str = ""
    absent: bool = False


def examine(ledger: Path) -> list[Finding]:
    """Every meter, the ledger and the place. Nothing is changed."""
    return [*(_meter(name, opener) for name, opener in candidates().items()), _ledger(ledger), _place()]


def can_measure(findings: Sequence[Finding]) -> bool:
    """Whether any meter of energy works; load alone is modelled."""
    meters = (one for one in findings if one.name.startswith("meter ") and one.name != "meter load")
    return any(finding.works for finding in meters)


def can_model(findings: Sequence[Finding]) -> bool:
    """Whether the load at least is seen."""
    return any(finding.works for finding in findings if finding.name == "meter load")


def _meter(name: str, opener: Callable[[], Reader]) -> Finding:
    try:
        reader = opener()
    except WattermarkError as error:
        return Finding(f"meter {name}", False, error.problem, error.fix, isinstance(error, ReaderAbsent))
    except FOREIGN as error:
        return Finding(f"meter {name}", False, f"{type(error).__name__}: {error}", "Report it to its makers")
    try:
        values = list(reader.read())
    except FOREIGN as error:
        return Finding(f"meter {name}", False, str(error), _hint(name))
    else:
        silent = [c.name for c, value in zip(reader.channels, values, strict=True) if _is_silent(c, value)]
        shown = ", ".join(dict.fromkeys(_named(reader)))
    finally:
        reader.close()
    if silent:
        return Finding(f"meter {name}", True, f"{shown}; no answer from {', '.join(silent)}", _hint(name))
    return Finding(f"meter {name}", True, shown)


def _is_silent(channel: Channel, value: int | None) -> bool:
    """A load that does not answer has no answer for now, as of a control group that holds others."""
    return value is None and channel.part is not Part.LOAD


def _named(reader: Reader) -> Iterator[str]:
    for channel in reader.channels:
        yield f"{channel.name} ({channel.device})" if channel.device else channel.name


def _hint(name: str) -> str:
    if name == "rapl":
        from wattermark.readers.rapl import MEND

        return MEND
    return HINTS.get(name, "See the driver's own tool")


def _ledger(ledger: Path) -> Finding:
    probe = ledger
    while not probe.exists() and probe != probe.parent:
        probe = probe.parent
    if probe.is_dir() and os.access(probe, os.W_OK):
        return Finding("ledger", True, str(ledger))
    return Finding(
        "ledger", False, f"{ledger} cannot be written", "Name a folder with --ledger or WATTERMARK_LEDGER"
    )


def _place() -> Finding:
    config = load_config()
    if config.place is not None:
        return Finding("place", True, f"{config.place} from {config.origin['place']}")
    where = where_am_i()
    if where.place is None:
        return Finding("place", False, where.found, "Run: wattermark config set place deu")
    guess = ", a guess" if where.guess else ""
    return Finding("place", True, f"{where.place} from {where.found}{guess}")
