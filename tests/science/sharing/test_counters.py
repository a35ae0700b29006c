"""The prior: what it says where data say nothing, and how it yields to them."""

from dataclasses import replace

import numpy as np
import pytest

from science.sharing.engines import COST, KNOWN, PROPORTIONS, looks_of
from wattermark.science.sharing.counters import Prior, columns_of, fit_columns
from wattermark.science.sharing.rounds import rounds_of

WINDOW = {
    "prompt_tokens": 8000.0, "generated_tokens": 1000.0, "steps": 100.0, "requests": 10.0, "running": 10.0,
    "kv_tokens": 20_000.0,
}  # fmt: skip
ALL = ("prompt_tokens", "generated_tokens", "steps", "running", "kv_tokens")


def columns(windows=(WINDOW,), energy_j=None, prior=KNOWN, tells=ALL):
    energy_j = np.full(len(windows), 1000.0) if energy_j is None else np.asarray(energy_j, float)
    return columns_of(rounds_of(looks_of(windows, tells=tells)), [prior], energy_j)


def priors(found):
    return {one.name: one.prior_j for one in found}


def fitted(factor, prior, windows=(WINDOW,)):
    """One fit, to so many times the prior's own energy; and the columns."""
    found = columns(windows, prior=replace(prior, rated_w=700.0))
    own_j = sum(one.amount * one.prior_j for one in found)
    usable = np.ones(len(windows), bool)
    return found, fit_columns(found, own_j * factor, usable, absolute=prior.absolute)


def test_each_column_has_its_cost_of_the_prior():
    cost = replace(COST, pair_j=1e-6)
    assert priors(columns(prior=replace(KNOWN, cost=cost))) == pytest.approx(
        {"read": 0.016, "written": 0.05, "step": 3.5, "context": 1.8e-5 + 2e-6, "idle": 70.0}
    )


def test_where_steps_are_not_told_a_token_bears_its_part_of_one():
    """A mean of the busy windows' concurrency: here 5, as nobody ran at their beginning."""
    found = priors(columns(tells=("prompt_tokens", "generated_tokens", "running")))
    assert set(found) == {"read", "written", "idle"}
    assert found["written"] == pytest.approx(0.05 + 3.5 / 5)


def test_a_step_reads_the_experts_that_its_tokens_chose():
    cost = replace(COST, experts_j=10.0, missed=0.9)
    assert priors(columns(prior=replace(KNOWN, cost=cost)))["step"] == pytest.approx(3.5 + 10 * (1 - 0.9**5))


def test_power_at_rest_is_a_part_of_the_highest_where_the_accelerator_is_not_known():
    found = columns((WINDOW, WINDOW), [1000.0, 4000.0], Prior(cost=COST, absolute=False, idle_fraction=0.1))
    assert priors(found)["idle"] == pytest.approx(0.1 * 4000 / 5)


def test_what_the_prior_expects_is_left_as_it_is():
    found, fit = fitted(1.0, KNOWN)
    assert fit.value_j == pytest.approx([one.prior_j for one in found], rel=1e-6)
    assert fit.residual_j == pytest.approx([0.0], abs=1e-6)


def test_one_window_tells_a_scale_and_leaves_the_proportions_to_the_prior():
    found, fit = fitted(2.0, PROPORTIONS)
    expected = np.array([one.prior_j for one in found])
    ratio = fit.value_j[:-1] / expected[:-1]
    assert ratio == pytest.approx(np.full(4, ratio[0]), rel=1e-3) and ratio[0] > 1.9
    assert fit.value_j[-1] == pytest.approx(70.0, rel=1e-3)
    assert (fit.told < 0.5).all()


def test_a_prior_of_known_scale_yields_with_its_power_at_rest_as_well():
    _, fit = fitted(2.0, KNOWN)
    assert fit.value_j[-1] > 1.2 * 70


def test_a_coefficient_that_no_data_speak_of_is_the_priors():
    """Tokens that were read in one window only, beside thousands that tell what the rest costs."""
    windows = [{**WINDOW, "prompt_tokens": 0.0, "steps": 100.0 + 7 * (i % 9)} for i in range(60)]
    windows[7] = {**windows[7], "prompt_tokens": 1.0}
    found, fit = fitted(1.0, PROPORTIONS, windows)
    read = [one.name for one in found].index("read")
    assert fit.told[read] < 0.01
    assert fit.value_j[read] == pytest.approx(found[read].prior_j, rel=0.05)


def test_a_meter_that_shows_nothing_tells_nothing():
    found = columns()
    fit = fit_columns(found, np.zeros(1), np.ones(1, bool), absolute=True)
    assert fit.value_j.tolist() == [one.prior_j for one in found] and not fit.told.any()
