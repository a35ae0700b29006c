"""What others published, by our formulas: the arithmetic within a percent, the models within their bands."""

from dataclasses import replace

import pytest
from peers import jegham
from published_cases import GROUPS, KINDS, SHOWN, holds, outcome_of, read_cases

CASES = list(read_cases())
FEWEST, MOST_SHOWN = 196, 4
"""Cases that there were once, and those that nothing can be said of: neither gets worse."""


def cases(*groups):
    kinds = {kind for group in groups for kind in GROUPS[group]}
    return [pytest.param(case, id=case.case) for case in CASES if case.kind in kinds and case.is_tested]


@pytest.mark.parametrize("case", cases("arithmetic"))
def test_the_arithmetic_is_theirs(case):
    assert holds(case, outcome_of(case)), outcome_of(case)


@pytest.mark.parametrize("case", cases("our models"))
def test_our_models_hold_what_was_published(case):
    assert holds(case, outcome_of(case)), outcome_of(case)


@pytest.mark.parametrize("case", cases("other models"))
def test_another_model_is_reproduced_by_its_own_formula(case):
    found = outcome_of(case)
    assert found.theirs is not None, "a row of another model needs its formula"
    assert holds(case, found), found


@pytest.mark.parametrize("case", cases(*GROUPS))
@pytest.mark.parametrize("times", [0.01, 100.0])
def test_a_figure_a_hundred_times_off_is_told(case, times):
    wrong = replace(case, value=case.value * times)
    assert not holds(wrong, outcome_of(wrong))


def test_every_case_is_of_a_kind_and_every_kind_has_a_case():
    assert {case.kind for case in CASES} == set(KINDS)
    assert len({case.case for case in CASES}) == len(CASES) >= FEWEST


def test_few_figures_are_only_shown_and_each_says_why():
    untested = [case for case in CASES if not case.is_tested]
    assert {case.kind for case in untested} == {SHOWN}
    assert len(untested) <= MOST_SHOWN
    assert all(case.remark for case in untested)


def test_no_citation_is_missing():
    assert all(case.citation for case in CASES)


def test_the_time_of_an_energy_is_that_which_it_came_from():
    spent_wh = jegham.energy_wh(output_tokens=300, tokens_per_s=100, latency_s=1, share_w=1275, pue=1.12)
    assert jegham.seconds_of(spent_wh, share_w=1275, pue=1.12) == pytest.approx(4)
