"""Factor tables with a slip in one of them: refused by name, or numbers that can be."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import wattermark as wm
from fuzzing.holds import check_footprint
from fuzzing.mutate import Case, mutated
from fuzzing.spools import lines
from wattermark.errors import WattermarkError
from wattermark.factors import table as tables
from wattermark.ledger.read import SpoolReader
from wattermark.verbs.account import account

TRAINING = wm.Training(params=7e9, tokens=1e9, gpu="h100-sxm")
INFERENCE = wm.Inference(
    model="llama-3.1-8b", gpu="h100-sxm", requests=1000, input_tokens=100, output_tokens=100
)


class Tables:
    """One table of ours mutated, the others as they are; a run accounted and two estimates made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "tables"
        self._folder.mkdir(exist_ok=True)
        self._texts = {path.name: path.read_bytes() for path in sorted(Path(tables.TABLES).glob("*.csv"))}
        for name, data in self._texts.items():
            (self._folder / name).write_bytes(data)
        reader = SpoolReader(Path("run"))
        reader.feed("".join(lines()).encode())
        self._recorded = reader.recorded()

    def case(self, chance: Random) -> Case:
        name = chance.choice(list(self._texts))
        rows = self._texts[name].splitlines(keepends=True)
        i = chance.choice((0, *range(len(rows))))
        return ((name, b"".join([*rows[:i], mutated(chance, rows[i]), *rows[i + 1 :]])),)

    def check(self, case: Case) -> None:
        usual = tables.TABLES
        for name, data in case:
            (self._folder / name).write_bytes(data)
        tables.TABLES = str(self._folder)
        _forget()
        try:
            self._use()
        finally:
            tables.TABLES = usual
            _forget()
            for name, _ in case:
                (self._folder / name).write_bytes(self._texts[name])

    def _use(self) -> None:
        for place in ("deu", "US-CAMX", "aws:eu-west-1", None):
            try:
                footprint = account(self._recorded, place=place)
            except WattermarkError:
                continue
            check_footprint(self._recorded, footprint)
        for estimate, job in ((wm.estimate_training, TRAINING), (wm.estimate_inference, INFERENCE)):
            try:
                footprint = estimate(job).footprint  # type: ignore[operator]
            except WattermarkError:
                continue
            check_footprint(self._recorded, footprint)


def _forget() -> None:
    """What was read from tables, in every module that keeps some of it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("wattermark."):
            for thing in vars(module).values():
                if callable(getattr(thing, "cache_clear", None)):
                    thing.cache_clear()
