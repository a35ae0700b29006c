"""What the first steps tell of a training: ``python benchmarks/forecast.py``, half a minute.

Ours beside the mean of the first steps times their number, as carbontracker forecasts (2.4.7, predictor.py).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("src", "benchmarks")]

from forecast_curves import KINDS, made, recorded  # noqa: E402

from wattermark.science.forecast import what_is_left  # noqa: E402

TRAININGS = 2000
DONE = (3, 5, 10)
Told = tuple[bool, float, float, float]
"""Whether the band holds, its width and our error over what came, and that of the mean times the number."""


def told(steps: NDArray[np.float64], done: int) -> Told:
    """A forecast of the whole after some steps, against what it came to."""
    ours = what_is_left(steps[:done].tolist(), len(steps) - done)
    came, so_far = float(steps[done:].sum()), float(steps[:done].sum())
    whole = so_far + came
    theirs = float(steps[:done].mean()) * len(steps)
    width = (ours.high - ours.low) / whole
    return ours.low <= came <= ours.high, width, abs(ours.best - came) / whole, abs(theirs - whole) / whole


def of_kind(kind: str) -> Iterator[Told]:
    rng = np.random.default_rng(0)
    for _ in range(TRAININGS):
        steps = made(kind, rng)
        yield told(steps, int(rng.integers(3, len(steps) // 2 + 1)))


def row(name: str, many: Sequence[Told]) -> str:
    held, width, ours, theirs = np.array(many, float).T
    errors = (f"{np.median(one):.2%} | {np.quantile(one, 0.9):.1%}" for one in (ours, theirs))
    return f"| {name} | {len(many)} | {held.mean():.0%} | {np.median(width):.1%} | {' | '.join(errors)} |"


def table(rows: Iterable[str]) -> None:
    print("| trainings | forecasts | the 90 % band holds | width | error | p90 | mean x number | p90 |")
    print("|---|---|---|---|---|---|---|---|")
    for one in rows:
        print(one, flush=True)


def main() -> int:
    table(row(f"made: {kind}", list(of_kind(kind))) for kind in KINDS)
    print()
    table(row(name, [told(steps, done) for done in DONE]) for name, steps in recorded())
    return 0


if __name__ == "__main__":
    sys.exit(main())
