"""Tokens that nobody told: how many, and that they are told to be filled in."""

import numpy as np
import pytest

from science.sharing.made import GAP, requests
from wattermark.science.sharing.impute import impute

TOLD = (0, 0.5, 2, 100, 0, 40)  # twenty tokens written, and fifty read, a second


@pytest.mark.parametrize(
    ("rows", "more", "read", "written"),
    [
        pytest.param([TOLD, (0, 1, 4, 50, 0, GAP)], {}, 50, 80, id="written: by time"),
        pytest.param([TOLD, (0, 1, 4, GAP, 0, 9)], {}, 100, 9, id="read to the end: the mean prompt"),
        pytest.param([TOLD, (0, 4, 4, GAP, 0, 0)], {}, 100, 0, id="waited for long: no more than the mean"),
        pytest.param([TOLD, (0, 1, 1, GAP, 0, 0)], {}, 50, 0, id="broke off soon: by time"),
        pytest.param([TOLD, (0, GAP, 1, GAP, 0, GAP)], {}, 50, 20, id="not streamed, nothing told: by time"),
        pytest.param([TOLD, (3, 3, 3, GAP, 0, GAP)], {}, 0, 0, id="it had no time"),
        pytest.param(
            [TOLD, (0, 1, 9, 5, 0, GAP)], {"chunks": [20, 7]}, 5, 14, id="left: by pieces, two each"
        ),
        pytest.param([TOLD, (0, 1, 4, 5, 0, GAP)], {"chunks": [20, 0]}, 5, 80, id="no pieces: by time"),
        pytest.param(
            [(0, 0.5, 2, 100, 0, GAP), (0, 1, 9, 5, 0, GAP)], {"chunks": [9, 7]}, 5, 7, id="a token a piece"
        ),
        pytest.param(
            [TOLD, (0, 1, 4, GAP, 0, GAP)], {"model": [0, 1]}, 100, 80, id="nobody of its model: all models"
        ),
        pytest.param(
            [TOLD, (0, 0.5, 2, 10, 0, 4), (0, 1, 4, GAP, 0, GAP)],
            {"model": [0, 1, 1]},
            10,
            8,
            id="its own model, not others",
        ),
        pytest.param([TOLD, (0, 0, 9), (0, 1, 4, GAP, 0, GAP)], {}, 100, 80, id="the refused tell nothing"),
    ],
)
def test_what_is_filled_in(rows, more, read, written):
    imputed = impute(requests(*rows, **more))
    assert imputed.requests.read_tokens[-1] == pytest.approx(read)
    assert imputed.requests.written_tokens[-1] == pytest.approx(written)
    assert imputed.read[-1] == np.isnan((*rows[-1], 0, 0, 0)[3])
    assert imputed.written[-1] == np.isnan((*rows[-1], 0, 0, 0)[5])
    assert imputed.requests.passes[-1] == imputed.requests.written_tokens[-1]
    assert not imputed.by_time.any()


def test_what_was_told_stays_as_it_is():
    asked = requests(TOLD, (0, 1, 4, 7, 3, 12, 5))
    imputed = impute(asked)
    assert not imputed.filled.any()
    assert imputed.requests.passes.tolist() == [40, 5]
    for name in ("read_tokens", "cached_tokens", "written_tokens"):
        assert getattr(imputed.requests, name) == pytest.approx(getattr(asked, name))


def test_where_nobody_told_anything_there_are_none_and_time_decides():
    imputed = impute(requests((0, 1, 4, GAP, 0, GAP), (0, 1, 2, GAP, GAP, GAP)))
    assert imputed.by_time.all()
    assert imputed.requests.read_tokens.tolist() == imputed.requests.written_tokens.tolist() == [0, 0]


def test_fewer_tokens_than_none_are_none():
    made = impute(requests((0, 1, 4, -7, -3, -12))).requests
    assert made.read_tokens[0] == made.cached_tokens[0] == made.written_tokens[0] == made.passes[0] == 0


def test_no_requests():
    assert not len(impute(requests()).filled)
