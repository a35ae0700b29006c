"""Intervals by shared draws: one factor is one error, wherever and whenever it is used."""

import subprocess
import sys
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from science.build import FACTORS, factor
from wattermark.science.uncertainty import DRAWS, Z_95, draws, drivers, intervals, standard_draws

SRC = Path(__file__).parents[2] / "src"
PLUS = st.floats(0.01, 1e4)


@st.composite
def ranges(draw, low=PLUS):
    return sorted(draw(st.tuples(low, low, low)))


@pytest.mark.parametrize("one", [f for f in FACTORS if f.value.low > 0], ids=lambda f: f.name)
def test_five_percent_lie_below_low_and_five_above_high(one):
    drawn = draws(one)
    assert np.mean(drawn < one.value.low) == pytest.approx(0.05, abs=0.001) or one.value.low == one.least
    assert np.mean(drawn > one.value.high) == pytest.approx(0.05, abs=0.001)
    assert np.median(drawn) == pytest.approx(one.value.best, rel=0.01)


@given(ranges())
def test_no_draw_is_negative_or_lost(ends):
    drawn = draws(factor("f", *ends))
    assert drawn.shape == (DRAWS,)
    assert np.isfinite(drawn).all() and (drawn >= 0).all()


@given(ranges(low=st.floats(1, 4)))
def test_no_pue_is_drawn_below_one(ends):
    assert draws(factor("pue", *ends, least=1.0)).min() >= 1


def test_one_identity_has_the_same_draws_and_another_has_others():
    same = draws(factor("f", 1, 2, 4, key="DEU")), draws(factor("f", 1, 2, 4, key="DEU"))
    other = draws(factor("f", 1, 2, 4, key="FRA"))
    assert np.array_equal(*same)
    assert abs(np.corrcoef(same[0], other)[0, 1]) < 0.1


def test_draws_are_the_same_in_every_process():
    """Neither Python's hash seed nor a global random state has a part in them."""
    code = "from wattermark.science.uncertainty import standard_draws as d; print(d('f@DEU')[:5].tolist())"
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONPATH": str(SRC), "PYTHONHASHSEED": seed},
            check=True, capture_output=True, text=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert told == {f"{standard_draws('f@DEU')[:5].tolist()}\n"}


def test_draws_are_the_slices_of_a_normal_distribution():
    normal = NormalDist()
    exact = [normal.inv_cdf((i + 0.5) / DRAWS) for i in range(DRAWS)]
    assert np.sort(standard_draws("f@DEU")) == pytest.approx(exact, abs=2e-5)
    assert pytest.approx(normal.inv_cdf(0.95), abs=1e-15) == Z_95


def test_nobody_can_use_the_draws_up():
    """They are cached: what one footprint wrote into them, the next would read."""
    with pytest.raises(ValueError, match="read-only"):
        draws(FACTORS[0])[:] = 0


@given(ranges(), ranges(), ranges())
def test_best_is_exact_and_lies_within(a, b, c):
    """Best comes from the best values alone, to the last bit; the ends enclose it."""
    known = [factor("a", *a), factor("b", *b), factor("c", *c)]
    got = intervals(lambda v: {"q": v["a"] * v["b"] + v["c"]}, known)["q"]
    assert got.best == a[1] * b[1] + c[1]
    assert got.low <= got.best <= got.high


@given(ranges())
def test_a_formula_that_is_one_factor_gives_back_its_range(ends):
    assume(ends[0] < ends[1] < ends[2])
    got = intervals(lambda v: {"q": v["a"]}, [factor("a", *ends)])["q"]
    assert (got.low, got.high) == (pytest.approx(ends[0], rel=0.02), pytest.approx(ends[2], rel=0.02))


def test_an_exact_factor_gives_no_width():
    got = intervals(lambda v: {"q": 3 * v["a"]}, [factor("a", 2, 2, 2)])["q"]
    assert got.is_exact and got.best == 6
    assert drivers(lambda v: {"q": 3 * v["a"]}, [factor("a", 2, 2, 2)], ["q"]) == ()


def test_a_factor_used_twice_is_the_same_error_twice():
    """a / a has no width: nobody has to keep the books of correlation."""
    got = intervals(lambda v: {"q": v["a"] / v["a"]}, [factor("a", 1, 2, 4)])["q"]
    assert (got.low, got.high) == (1, 1)


@given(st.lists(ranges(), min_size=1, max_size=6))
def test_drivers_are_told_widest_first(many):
    known = [factor(f"f{i}", *ends) for i, ends in enumerate(many)]
    found = drivers(lambda v: {"q": sum(v.values())}, known, ["q"])
    shares = [driver.share for driver in found]
    assert len(found) <= 3
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 1e-9 and all(share > 0 for share in shares)


def test_the_widest_factor_drives():
    known = [factor("narrow", 9, 10, 11), factor("wide", 1, 10, 50), factor("exact", 10, 10, 10)]
    found = drivers(lambda v: {"q": v["narrow"] * v["wide"] * v["exact"]}, known, ["q"])
    assert [driver.factor for driver in found] == ["wide", "narrow"]
    assert found[0].share > 0.9
