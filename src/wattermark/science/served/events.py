"""Requests of the ledger as arrays, and the gaps in what was told of them filled for sharing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.columns import Columns
from wattermark.values.served import Outcome, Route, Served
from wattermark.values.units import NS_PER_S, S_PER_HOUR, S_PER_NS

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
Model = tuple[str, str]
"""A name, and who provides it."""
OUTCOMES = tuple(Outcome)
TOKENS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
NO_WORK = (Outcome.REFUSED, Outcome.UNREACHED)
"""Requests that no model has seen, unless their tokens were told."""
NO_ANSWER = (Route.EMBEDDINGS, Route.RERANK)
"""Routes whose answers are not generated token by token."""
WRITTEN_OVER_READ_S = 10.0
"""Seconds of a generated token over those of one that is read; only where no first piece was seen. [1]"""
NS_PER_HOUR = int(S_PER_HOUR) * NS_PER_S
UNTOLD_TOKENS_PER_S = 0.0
"""Where no request told its tokens they have none: then they share by the time that they ran. [1/s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Requests as arrays of one length m, nan where nobody said.

    Times are since the run began [s]. ``worked`` is False of those that no model saw, ``generates`` of
    those whose answer is no text; ``model``, ``row`` and ``outcome`` are codes, ``request`` is one code for
    events that belong together.
    """

    begin_s: Floats
    first_s: Floats
    end_s: Floats
    input_tokens: Floats
    cached_tokens: Floats
    output_tokens: Floats
    reasoning_tokens: Floats
    passes: Floats
    chunks: Floats
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


H = TypeVar("H", bound=Hashable)


class Names(Generic[H]):
    """Names of some kind, and a code for each in the order of their first use."""

    def __init__(self) -> None:
        self._codes: dict[H, int] = {}

    def code(self, name: H) -> int:
        """The same code for the same name."""
        return self._codes.setdefault(name, len(self._codes))

    def codes(self, names: Iterable[H], count: int) -> Codes:
        """A code for each of some names."""
        return np.fromiter((self.code(name) for name in names), np.int64, count)

    @property
    def all(self) -> tuple[H, ...]:
        """The names, each in the place of its code."""
        return tuple(self._codes)


def events_of(
    served: Sequence[Served],
    *,
    begin_ns: int,
    models: Names[Model],
    rows: Names[H],
    row_of: Callable[[Served], H],
) -> Events:
    """Requests as arrays.

    Parameters
    ----------
    served : sequence of Served
        m of them.
    begin_ns : int
        When the run began, by their steady clock. [ns]
    models, rows : Names
        Given codes here: a model with its provider, and what ``row_of`` says.
    row_of : callable
        What row a request stands in.
    """
    m = len(served)

    def amounts(name: str) -> Floats:
        told = (getattr(one.usage, name) for one in served)
        return np.fromiter((np.nan if one is None else one for one in told), np.float64, m)

    def since(times_ns: Iterable[int | None]) -> Floats:
        return np.fromiter(
            (np.nan if one is None else (one - begin_ns) * S_PER_NS for one in times_ns), np.float64, m
        )

    codes = {outcome: i for i, outcome in enumerate(OUTCOMES)}
    names: Names[str | int] = Names()
    return Events(
        begin_s=since(one.begin_ns for one in served),
        first_s=since(one.first_ns if one.streamed else None for one in served),
        end_s=since(one.end_ns for one in served),
        **{name: amounts(name) for name in TOKENS},
        passes=amounts("passes"),
        chunks=np.fromiter((one.chunks for one in served), np.float64, m),
        worked=np.fromiter((one.outcome not in NO_WORK or one.usage.is_known for one in served), bool, m),
        generates=np.fromiter((one.route not in NO_ANSWER for one in served), bool, m),
        model=models.codes(((one.model, one.provider) for one in served), m),
        row=rows.codes(map(row_of, served), m),
        outcome=np.fromiter((codes[one.outcome] for one in served), np.int64, m),
        request=names.codes((one.request or i for i, one in enumerate(served)), m),
    )


def hour_of(moment_ns: int, booted_ns: int) -> float:
    """When the hour of a moment began. [s since 1970]

    Parameters
    ----------
    moment_ns : int
        By a steady clock. [ns]
    booted_ns : int
        When that clock began, by the wall clock. [ns since 1970]
    """
    return float((moment_ns + booted_ns) // NS_PER_HOUR * S_PER_HOUR)


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
    """What sharing needs of each request, what was not told taken from the others of its model.

    Input tokens that nobody told are the median of those told; generated ones are the pieces of the answer,
    else come at the mean rate while it ran. What no model saw has none. Of an answer that came as a whole
    the time to its first token is taken by the tokens read and written.

    Parameters
    ----------
    events : Events
        m requests.
    """
    ran_s = np.maximum(events.end_s - events.begin_s, 0.0) * events.worked
    input_tokens = _filled(
        events.input_tokens, events.model, lambda told: float(np.median(events.input_tokens[told])), 0.0
    )
    rate = _filled(
        _rate(events),
        events.model,
        lambda told: float(events.output_tokens[told].sum() / ran_s[told].sum()),
        UNTOLD_TOKENS_PER_S,
    )
    guessed = np.where(events.chunks > 0, events.chunks, rate * ran_s)
    output = np.where(np.isnan(events.output_tokens), guessed * events.generates, events.output_tokens)
    cached = np.minimum(np.nan_to_num(events.cached_tokens), input_tokens)
    read, written = (input_tokens - cached) * events.worked, output * events.worked
    passes = np.where(np.isnan(events.passes), written, events.passes * events.worked)
    share = read / np.maximum(read + WRITTEN_OVER_READ_S * written, 1e-9)
    first = np.where(np.isnan(events.first_s), events.begin_s + ran_s * share, events.first_s)
    return Columns(
        begin_s=events.begin_s,
        first_s=first,
        end_s=events.begin_s + ran_s,
        read_tokens=read,
        cached_tokens=cached * events.worked,
        written_tokens=written,
        passes=passes,
        model=events.model,
    )


def _rate(events: Events) -> Floats:
    """Tokens a second of those that told them, nan else."""
    ran_s = events.end_s - events.begin_s
    known = ~np.isnan(events.output_tokens) & events.generates & (ran_s > 0)
    return np.where(known, events.output_tokens / np.where(known, ran_s, 1.0), np.nan)


def _filled(values: Floats, model: Codes, typical: Callable[[Flags], float], otherwise: float) -> Floats:
    """Gaps filled with what is typical of those of the same model that told it, else of all that did."""
    told = ~np.isnan(values)
    found = values.copy()
    for code in np.unique(model[~told]):
        of_model = told & (model == code)
        like = of_model if of_model.any() else told
        found[~told & (model == code)] = typical(like) if like.any() else otherwise
    return found
