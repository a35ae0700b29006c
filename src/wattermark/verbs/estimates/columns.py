"""Columns of what-if: read, checked, and parted into groups that share their words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattermark.errors import UsageError
from wattermark.values.jobs import LEAST_PARAMS, LEAST_SHARE, MOST

Column = Sequence[Any] | NDArray[Any] | float | str
Columns = Mapping[str, Column]
Rows = dict[str, NDArray[Any]]
SIZE: Final = (LEAST_SHARE, MOST)
ENDS: Final[Mapping[str, tuple[float, float]]] = {
    **dict.fromkeys(("params", "active_params"), (LEAST_PARAMS, MOST)),
    **dict.fromkeys(("tokens", "input_tokens", "output_tokens"), SIZE),
    **dict.fromkeys(("count", "batch"), (1.0, MOST)),
    **dict.fromkeys(("mfu", "utilisation"), (LEAST_SHARE, 1.0)),
    **{"cached": (0.0, 1.0), "experiments": (0.0, MOST), "pue": (1.0, 10.0)},
    **dict.fromkeys(("wue", "intensity"), (0.0, 1e5)),
}
"""What each number may be, both ends included."""


@dataclass(frozen=True, slots=True)
class Table:
    """The columns that a question may have: numbers and words with what they are if not given."""

    numbers: Mapping[str, float | None]
    words: Mapping[str, str | None]
    factors: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.numbers, *self.words, *self.factors, *self.optional)


def rows_of_columns(columns: Columns, table: Table) -> Rows:
    """Every column as an array, all of one length.

    Raises
    ------
    UsageError
        If a column is missing, not known, or holds what cannot be meant.
    """
    strange = [name for name in columns if name not in table.names]
    if strange:
        raise UsageError(f"there is no column {strange[0]!r}", fix=f"Columns: {', '.join(table.names)}")
    filled = {**table.numbers, **table.words, **columns}
    missing = [name for name, value in filled.items() if value is None]
    if missing:
        raise UsageError(f"the column {missing[0]!r} is missing", fix="Give one value, or one for each row")
    arrays = {
        name: np.asarray(value, str) if name in table.words else _numbers(name, value)
        for name, value in filled.items()
    }
    try:
        shaped = np.broadcast_arrays(*(np.atleast_1d(one) for one in arrays.values()))
    except ValueError as error:
        raise UsageError("the columns differ in length", fix="Give one value, or one for each row") from error
    if shaped[0].ndim > 1:
        raise UsageError("a column has rows of rows", fix="Give one value, or one for each row")
    return dict(zip(arrays, shaped, strict=True))


def _numbers(name: str, value: Any) -> NDArray[np.float64]:
    try:
        found = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{name} holds what is no number", fix="Give numbers") from error
    least, most = ENDS[name]
    if not np.all((found >= least) & (found <= most)):
        wrong = found[~((found >= least) & (found <= most))].flat[0]
        raise UsageError(f"{name} holds {wrong:g}", fix=f"Give numbers from {least:g} to {most:g}")
    return found


def groups(rows: Rows, words: Sequence[str]) -> Iterator[tuple[NDArray[np.intp], dict[str, str]]]:
    """The places of rows that share all their words, and these words."""
    codes = [np.unique(rows[word], return_inverse=True) for word in words]
    key = np.stack([inverse.ravel() for _, inverse in codes], axis=1)
    chosen, place = np.unique(key, axis=0, return_inverse=True)
    order = np.argsort(place.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(place.ravel(), minlength=len(chosen)))
    for one, at in zip(chosen, np.split(order, ends[:-1]), strict=True):
        yield at, {word: str(codes[j][0][one[j]]) for j, word in enumerate(words)}
