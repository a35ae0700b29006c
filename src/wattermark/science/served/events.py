"""Requests of the ledger as arrays."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.columns import Columns
from wattermark.values.served import NO_ANSWER, NO_WORK, Outcome, Route
from wattermark.values.units import NS_PER_S, S_PER_HOUR, S_PER_NS

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
Model = tuple[str, str]
"""A name, and who provides it."""
OUTCOMES = tuple(Outcome)
TOKENS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
NS_PER_HOUR = int(S_PER_HOUR) * NS_PER_S


class Word(Protocol):
    """A column of names: for each request the place of its name."""

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def places(self) -> Any: ...


class Table(Protocol):
    """Requests as columns of one length, as the ledger reads them: whole numbers below zero are untold."""

    @property
    def whole(self) -> Mapping[str, Any]: ...

    @property
    def words(self) -> Mapping[str, Word]: ...

    @property
    def streamed(self) -> Any: ...

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Requests as arrays of one length m, nan where nobody said.

    Times are since the run began [s]. ``worked`` is False of those that no model saw, or that took no
    tokens (answered by a cache, or a question to the server); ``generates`` of those whose answer is no
    text; ``model``, ``row`` and ``outcome`` are codes, ``request`` is one code for events that belong
    together, below zero for one that stands alone. An event stands for ``many`` requests, whose tokens it
    adds. [1]
    """

    begin_s: Floats
    first_s: Floats
    end_s: Floats
    input_tokens: Floats
    cached_tokens: Floats
    output_tokens: Floats
    reasoning_tokens: Floats
    passes: Floats
    again_tokens: Floats
    chunks: Floats
    many: Floats
    worked: Flags
    generates: Flags
    model: Codes
    row: Codes
    outcome: Codes
    request: Codes

    def __len__(self) -> int:
        return len(self.begin_s)

    @property
    def told(self) -> Flags:
        """Whether anything was said of the tokens of each."""
        return np.asarray(~np.isnan(self.input_tokens) | ~np.isnan(self.output_tokens))

    @property
    def tokens(self) -> Floats:
        """Read and written, as far as they were told. [1]"""
        return np.nan_to_num(self.input_tokens) + np.nan_to_num(self.output_tokens)

    @property
    def total(self) -> int:
        """How many requests all of them stand for. [1]"""
        return int(self.many.sum())

    def count(self, which: Flags) -> int:
        """How many requests some of them stand for. [1]"""
        return int(self.many[which].sum())


H = TypeVar("H", bound=Hashable)


class Names(Generic[H]):
    """Names of some kind, and a code for each in the order of their first use."""

    def __init__(self) -> None:
        self._codes: dict[H, int] = {}

    def code(self, name: H) -> int:
        """The same code for the same name."""
        return self._codes.setdefault(name, len(self._codes))

    def codes(self, names: Iterable[H], places: Codes) -> Codes:
        """The codes of names at some places; one that stands nowhere gets none."""
        used = set(np.unique(places).tolist())
        codes = [self.code(name) if i in used else -1 for i, name in enumerate(names)]
        return np.array([*codes, -1], np.int64)[places]

    @property
    def all(self) -> tuple[H, ...]:
        """The names, each in the place of its code."""
        return tuple(self._codes)


def events_of(
    table: Table, *, begin_ns: int, models: Names[Model], row: Codes, requests: Names[str] | None = None
) -> Events:
    """Requests as arrays.

    Parameters
    ----------
    table : Table
        m requests.
    begin_ns : int
        When the run began, by their steady clock. [ns]
    models : Names
        Given codes here: a model with its provider.
    row : ndarray, shape (m,)
        The code of the row that each stands in.
    requests : Names, optional
        Given codes here, where events of several tables may belong together.
    """
    whole = {name: _whole(table, name) for name in ("begin_ns", "first_ns", "end_ns")}
    told = {name: _or_nan(_whole(table, name)) for name in (*TOKENS, "passes", "again_tokens")}
    asks_nothing = quiet(table)
    for name in ("input_tokens", "output_tokens"):
        told[name][asks_nothing] = 0.0
    streamed = np.asarray(table.streamed, bool) & (whole["first_ns"] >= 0)
    generates = ~_is_any(table.words["route"], NO_ANSWER)
    read, written = told["input_tokens"], told["output_tokens"]
    took_nothing = (read == 0) & ((written == 0) | (np.isnan(written) & ~generates))
    silent = np.isnan(read) & np.isnan(written)

    def since(times_ns: Codes) -> Floats:
        return np.asarray((times_ns - begin_ns) * S_PER_NS, np.float64)

    return Events(
        begin_s=since(whole["begin_ns"]),
        first_s=np.where(streamed, since(whole["first_ns"]), np.nan),
        end_s=since(whole["end_ns"]),
        **told,
        chunks=_whole(table, "chunks").astype(np.float64),
        many=_whole(table, "many").astype(np.float64),
        worked=~took_nothing & ~(silent & _is_any(table.words["outcome"], NO_WORK)),
        generates=generates,
        model=_of_pairs(table.words["model"], table.words["provider"], models),
        row=row,
        outcome=_places_in(table.words["outcome"], OUTCOMES),
        request=_joined(table.words["request"], Names() if requests is None else requests),
    )


def quiet(table: Table) -> Flags:
    """Questions that ask no model, such as for the list of models: no tokens, no model, no known route.

    Parameters
    ----------
    table : Table
        m requests.

    Returns
    -------
    ndarray, shape (m,)
    """
    silent = (_whole(table, "input_tokens") < 0) & (_whole(table, "output_tokens") < 0)
    return silent & _is_any(table.words["route"], (Route.OTHER,)) & _is_any(table.words["model"], ("",))


def _whole(table: Table, name: str) -> Codes:
    return np.asarray(table.whole[name], np.int64)


def _or_nan(told: Codes) -> Floats:
    return np.where(told < 0, np.nan, told)


def places_of(word: Word) -> Codes:
    """Of each request the place of its name.

    Parameters
    ----------
    word : Word
        A column.
    """
    return np.asarray(word.places, np.int64)


def _is_any(word: Word, wanted: Sequence[str]) -> Flags:
    fits = np.array([name in wanted for name in word.names], bool)
    return fits[places_of(word)] if len(fits) else np.zeros(0, bool)


def _places_in(word: Word, order: Sequence[str]) -> Codes:
    of_name = np.array([order.index(name) for name in word.names], np.int64)
    return of_name[places_of(word)] if len(of_name) else np.zeros(0, np.int64)


def _of_pairs(model: Word, provider: Word, models: Names[Model]) -> Codes:
    found, places = np.unique(
        places_of(model) * len(provider.names) + places_of(provider), return_inverse=True
    )
    pairs = [divmod(code, len(provider.names)) for code in found.tolist()]
    return models.codes([(model.names[i], provider.names[j]) for i, j in pairs], places)


def _joined(request: Word, names: Names[str]) -> Codes:
    codes = np.array([names.code(name) if name else -1 for name in request.names], np.int64)
    return codes[places_of(request)] if len(codes) else np.zeros(0, np.int64)


def one_after_another(parts: Sequence[Events], began_s: Sequence[float]) -> Events:
    """Events of several machines, by the wall clock. [s since 1970]

    Parameters
    ----------
    parts : sequence of Events
        One at least.
    began_s : sequence of float
        When the clock of each began. [s since 1970]
    """
    if len(parts) == 1:
        return _moved(parts[0], began_s[0])
    moved = [_moved(one, at) for one, at in zip(parts, began_s, strict=True)]
    return Events(
        **{name: np.concatenate([getattr(one, name) for one in moved]) for name in Events.__slots__}
    )


def _moved(events: Events, by_s: float) -> Events:
    times = {name: getattr(events, name) + by_s for name in ("begin_s", "first_s", "end_s")}
    return replace(events, **times)


def rows_named(table: Table, column: str, rows: Names[Any], *, no_name: str, quiet_name: str | None) -> Codes:
    """Rows by a column of names.

    Parameters
    ----------
    table : Table
        m requests.
    column : str
        Of ``table.words``.
    rows : Names
        Given codes here.
    no_name : str
        For requests that have none.
    quiet_name : str, optional
        For those that ask no model.
    """
    word = table.words[column]
    named = np.ones(len(table), bool) if quiet_name is None else ~quiet(table)
    codes = np.zeros(len(table), np.int64)
    codes[named] = rows.codes([name or no_name for name in word.names], places_of(word)[named])
    if quiet_name is not None and not named.all():
        codes[~named] = rows.code(quiet_name)
    return codes


def hour_codes(table: Table, booted_ns: int, rows: Names[Any]) -> Codes:
    """Rows by the hour in which each request began. [s since 1970]

    Parameters
    ----------
    table : Table
        m requests.
    booted_ns : int
        When their steady clock began, by the wall clock. [ns since 1970]
    rows : Names
        Given codes here.
    """
    hours, places = np.unique((_whole(table, "begin_ns") + booted_ns) // NS_PER_HOUR, return_inverse=True)
    return rows.codes([float(hour * S_PER_HOUR) for hour in hours.tolist()], places)


def hours_s(times_s: Floats, began_s: float) -> Floats:
    """When the hour of each moment began. [s since 1970]

    Parameters
    ----------
    times_s : ndarray
        Since the run began. [s]
    began_s : float
        When that was. [s since 1970]
    """
    return np.asarray(np.floor((times_s + began_s) / S_PER_HOUR) * S_PER_HOUR, np.float64)


def columns_of(events: Events) -> Columns:
    """What sharing needs of each request; what was not told stays open there.

    Parameters
    ----------
    events : Events
        m requests. What no model saw has no tokens, and takes no time.
    """
    worked = events.worked
    cached = np.where(worked, np.nan_to_num(events.cached_tokens), 0.0)
    written = np.where(np.isnan(events.output_tokens) & ~events.generates, 0.0, events.output_tokens)
    return Columns(
        begin_s=events.begin_s,
        first_s=np.where(worked, events.first_s, events.begin_s),
        end_s=np.where(worked, events.end_s, events.begin_s),
        read_tokens=np.where(worked, np.maximum(events.input_tokens - cached, 0.0), 0.0),
        cached_tokens=cached,
        written_tokens=np.where(worked, written, 0.0),
        passes=np.where(worked, events.passes, 0.0),
        model=events.model,
        again_tokens=np.where(worked, np.nan_to_num(events.again_tokens), 0.0),
        chunks=np.where(worked, events.chunks, 0.0),
    )
