"""Tokens that nobody told, filled from those that were: for shares, not for sums of tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wattermark.science.sharing.columns import Columns, Floats

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imputed:
    """Requests whose tokens are all known, and of which they were filled in: ``read``, ``written`` (m,).

    ``by_time`` (m,) are those of which nothing could be said: without tokens, they bear by their time
    what nobody else bears.
    """

    requests: Columns
    read: Mask
    written: Mask
    by_time: Mask

    @property
    def filled(self) -> Mask:
        """All requests that told less than everything."""
        return self.read | self.written


def impute(requests: Columns) -> Imputed:
    """Fill in the tokens that nobody told.

    Written ones by the pieces of the stream, at the model's mean tokens a piece (one, if nobody told
    them), else by time, at the model's mean rate. A prompt that was read is the model's mean; one to which
    no byte of an answer came goes by time, and is no longer than the mean. Where nobody of the model told
    anything, all models do; where nobody did at all, there are none.

    Parameters
    ----------
    requests : Columns
        nan is what nobody told.

    Returns
    -------
    Imputed
        Passes that nobody told are as many as tokens; cached tokens none. Counts below zero become zero.
    """
    time_s = np.maximum(requests.end_s - requests.begin_s, 0.0)
    no_read, no_written = np.isnan(requests.read_tokens), np.isnan(requests.written_tokens)
    answered = (np.nan_to_num(requests.first_s, nan=np.inf) < requests.end_s) | (requests.written_tokens > 0)
    one = np.ones(len(time_s))
    read_each = _mean(requests, requests.read_tokens, one)
    read_rate = _mean(requests, requests.read_tokens, time_s)
    read = np.where(answered, read_each, np.fmin(read_each, read_rate * time_s))
    written = _mean(requests, requests.written_tokens, time_s) * time_s
    if requests.chunks is not None:
        a_chunk = np.nan_to_num(_mean(requests, requests.written_tokens, requests.chunks), nan=1.0)
        written = np.where(requests.chunks > 0, requests.chunks * a_chunk, written)
    lost = (no_read & np.isnan(read)) | (no_written & np.isnan(written))
    filled = np.maximum(np.where(no_written, np.nan_to_num(written), requests.written_tokens), 0.0)
    return Imputed(
        requests=replace(
            requests,
            read_tokens=np.maximum(np.where(no_read, np.nan_to_num(read), requests.read_tokens), 0.0),
            cached_tokens=np.maximum(np.nan_to_num(requests.cached_tokens), 0.0),
            written_tokens=filled,
            passes=np.where(np.isnan(requests.passes), filled, requests.passes),
        ),
        read=no_read,
        written=no_written,
        by_time=lost,
    )


def _mean(requests: Columns, tokens: Floats, amount: Floats) -> Floats:
    """Tokens for each of an amount, by the requests of the model that told them; else by all, else nan.

    Those that told that they had none at all (refused, say) tell nothing of the others.
    """
    worked = (requests.read_tokens > 0) | (requests.cached_tokens > 0) | (requests.written_tokens > 0)
    told = np.isfinite(tokens) & (amount > 0) & worked
    models = int(requests.model.max(initial=0)) + 1
    of, over = (
        np.bincount(requests.model[told], values[told], models).astype(np.float64)
        for values in (tokens, amount)
    )
    whole = over.sum()
    everybody = of.sum() / whole if whole > 0 else np.nan
    mean = np.divide(of, over, out=np.full(models, everybody), where=over > 0)
    return np.asarray(mean[requests.model], np.float64)
