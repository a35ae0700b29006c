"""Every published figure beside ours: ``python benchmarks/published.py`` prints the table, in seconds.

What is recomputed and what must hold is that of ``tests/test_published.py``. ``--kind api`` shows one kind.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

from published_cases import KINDS, SHOWN, Case, Outcome, group_of, holds, inside, outcome_of, read_cases  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
HEAD = ("case", "what", "published", "by their formula", "ours", "ours / published", "holds", "remark")
WORDS = {True: "yes", False: "**no**", None: "-"}
SIZES = {
    "J": ((1e12, "TJ"), (1e9, "GJ"), (1e6, "MJ"), (1e3, "kJ"), (1.0, "J"), (1e-3, "mJ")),
    "g": ((1e9, "kt"), (1e6, "t"), (1e3, "kg"), (1.0, "g"), (1e-3, "mg"), (1e-6, "ug")),
    "L": ((1e6, "ML"), (1e3, "m3"), (1.0, "L"), (1e-3, "mL"), (1e-6, "uL")),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A case, and what was found."""

    case: Case
    outcome: Outcome

    @property
    def ratio(self) -> float | None:
        return None if self.outcome.ours is None else self.outcome.ours.best / self.case.value

    @property
    def holds(self) -> bool | None:
        """Whether the row's promise is kept; None where it makes none."""
        return holds(self.case, self.outcome) if self.case.is_tested else None


def short(value: float | None, unit: str) -> str:
    """A value as it is read: 45.7 t, 118 mJ, 8.4e+06 h."""
    if value is None:
        return "-"
    if unit not in SIZES:
        return f"{value:.4g} {unit}"
    size, name = next((one for one in SIZES[unit] if abs(value) >= one[0]), SIZES[unit][-1])
    return f"{value / size:.3g} {name}"


def ours(told: Told) -> str:
    """Our best value, with its interval where it has one."""
    found, unit = told.outcome.ours, told.case.unit
    if found is None:
        return "-"
    if found.is_exact:
        return short(found.best, unit)
    mark = "" if inside(told.case, told.outcome) else ", published outside"
    return f"{short(found.best, unit)} ({short(found.low, unit)} to {short(found.high, unit)}{mark})"


def cells(told: Told) -> tuple[str, ...]:
    case, outcome = told.case, told.outcome
    rule = f" ({case.tolerance})" if case.tolerance else ""
    ratio = "-" if told.ratio is None else f"{told.ratio:.3g}"
    remark = "; ".join(one for one in (case.remark, outcome.note) if one)
    return (
        case.case,
        f"{case.kind}: {case.quantity}",
        short(case.value, case.unit),
        short(outcome.theirs, case.unit),
        ours(told),
        ratio,
        f"{WORDS[told.holds]}{rule}",
        remark,
    )


def plain(told: Told) -> dict[str, object]:
    """A row as JSON."""
    case, found = told.case, told.outcome.ours
    return {
        "case": case.case,
        "kind": case.kind,
        "group": group_of(case),
        "citation": case.citation,
        "quantity": case.quantity,
        "unit": case.unit,
        "published": case.value,
        "theirs": told.outcome.theirs,
        "ours": None if found is None else {"low": found.low, "best": found.best, "high": found.high},
        "ours_over_published": told.ratio,
        "inside_our_band": inside(case, told.outcome),
        "must_hold": case.tolerance,
        "holds": told.holds,
        "remark": case.remark,
        "note": told.outcome.note,
    }


def show(rows: list[Told]) -> None:
    print(f"| {' | '.join(HEAD)} |")
    print(f"|{'---|' * len(HEAD)}")
    for told in rows:
        print(f"| {' | '.join(cell.replace('|', '/') for cell in cells(told))} |")


def summary(rows: list[Told]) -> Iterable[str]:
    """How many of each group there are, and how many hold what they promise."""
    all_of = Counter(group_of(told.case) for told in rows)
    kept = Counter(group_of(told.case) for told in rows if told.holds)
    for name, many in all_of.items():
        yield f"{name}: {many}" + ("" if name == SHOWN else f", of which {kept[name]} hold")
    bands = [found for told in rows if (found := inside(told.case, told.outcome)) is not None]
    yield f"figures beside an interval of ours: {len(bands)}, {sum(bands)} of them inside it"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--kind", nargs="*", default=list(KINDS), choices=list(KINDS), help="only these kinds"
    )
    wanted = parser.parse_args(argv).kind
    rows = [Told(case, outcome_of(case)) for case in read_cases() if case.kind in wanted]
    show(rows)
    said = list(summary(rows))
    print("", *said, sep="\n")
    RESULTS.mkdir(exist_ok=True)
    document = {"cases": [plain(told) for told in rows], "summary": said}
    (RESULTS / "published.json").write_text(json.dumps(document, indent=1, ensure_ascii=False), "utf-8")
    return int(any(told.holds is False for told in rows))


if __name__ == "__main__":
    sys.exit(main())
