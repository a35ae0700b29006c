"""Work of requests whose batch is not known: the formulas of an estimate, at any batch."""

from dataclasses import fields

import numpy as np
import pytest

from wattermark.factors.accelerators import accelerator_named
from wattermark.factors.hardware import host_power_factor
from wattermark.factors.serving import serving_factors
from wattermark.factors.shapes.models import architecture_named
from wattermark.factors.table import named
from wattermark.science.served.what_if import mean_batch, otherwise
from wattermark.science.served.work import BATCH, USUAL_BATCH, batch_factor, it_energy_j, sketch_of, works_of
from wattermark.science.serving import Work, request_work
from wattermark.science.sketch_serving import usual_idle
from wattermark.science.uncertainty import DRAWS, intervals
from wattermark.values.range import Range
from wattermark.values.workload import Requests

TOKENS = {
    "input_tokens": np.array([100.0, 2000.0, 7.0]),
    "cached_tokens": np.array([0.0, 500.0, 9.0]),
    "output_tokens": np.array([300.0, 20.0, 0.0]),
}
H100 = accelerator_named("h100-sxm")


@pytest.mark.parametrize("batch", [1.0, 7.5, 300.0])
@pytest.mark.parametrize("name", ["llama-3.1-8b", "qwen3-30b-a3b"])
def test_work_at_a_batch_is_that_of_the_estimator(name, batch):
    model = architecture_named(name)
    each, whole = works_of(model, TOKENS, np.ones(3), precision="bf16", accelerators=2.0)
    for i in range(3):
        alone = request_work(
            model,
            Requests(
                batch=batch,
                input_tokens=TOKENS["input_tokens"][i],
                cached_tokens=min(TOKENS["cached_tokens"][i], TOKENS["input_tokens"][i]),
                output_tokens=TOKENS["output_tokens"][i],
                accelerators=2.0,
            ),
        )
        for field in fields(Work):
            got = np.broadcast_to(getattr(each(batch), field.name), 3)[i]
            assert got == pytest.approx(getattr(alone, field.name)), field.name
    for field in fields(Work):
        summed = np.broadcast_to(getattr(each(batch), field.name), 3).sum()
        assert getattr(whole(batch), field.name) == pytest.approx(summed), field.name


def test_a_row_that_stands_for_many_is_as_many_requests_alike():
    model = architecture_named("qwen3-30b-a3b")
    many = np.array([1.0, 5.0, 3.0])
    tokens = {name: one * many for name, one in TOKENS.items()}
    each, whole = works_of(model, tokens, many, precision="bf16", accelerators=2.0)
    one_each, _ = works_of(model, TOKENS, np.ones(3), precision="bf16", accelerators=2.0)
    for field in fields(Work):
        alone = np.broadcast_to(getattr(one_each(8.0), field.name), 3)
        assert getattr(each(8.0), field.name) == pytest.approx(alone * many), field.name
        assert getattr(whole(8.0), field.name) == pytest.approx((alone * many).sum()), field.name


def test_the_energy_of_each_request_sums_to_that_of_all():
    model = architecture_named("llama-3.1-8b")
    factors = (
        *serving_factors(H100, 64.0),
        batch_factor(None),
        *(named("defaults", name) for name in ("gpu_idle_fraction", "serving_utilisation")),
        host_power_factor(H100.tdp_w),
    )
    each, whole = (
        sketch_of(work, H100, accelerators=1.0, idle=usual_idle, embed=False)
        for work in works_of(model, TOKENS, np.ones(3), precision="bf16", accelerators=1.0)
    )
    assert np.sum(it_energy_j(each, factors)) == pytest.approx(it_energy_j(whole, factors))
    found = intervals(lambda v: {"j": sum(term.run(v) for term in whole.terms)}, factors)
    assert found["j"].high > 5 * found["j"].low  # an unknown batch is worth that much


def test_a_batch_that_was_told_has_no_doubt():
    assert batch_factor(12.0).value == Range.exact(12.0)
    assert (batch_factor(None).value, batch_factor(None).name) == (USUAL_BATCH, BATCH)
    assert DRAWS > 1


@pytest.mark.parametrize(
    ("begin_s", "ran_s", "batch"),
    [
        pytest.param([], [], 1.0, id="nobody"),
        pytest.param([0, 10], [5, 5], 1.0, id="one after the other, a pause between"),
        pytest.param([0, 0, 0], [4, 4, 4], 3.0, id="three at a time"),
        pytest.param([0, 2], [4, 4], 8 / 6, id="two overlap"),
        pytest.param([5, 0], [1, 10], 1.1, id="one inside of another, told later"),
        pytest.param([0, 0], [0, 0], 1.0, id="no time"),
    ],
)
def test_how_many_run_at_a_time(begin_s, ran_s, batch):
    assert mean_batch(np.array(begin_s, float), np.array(ran_s, float)) == pytest.approx(batch)


def test_making_the_hardware_does_not_change_with_what_runs_on_it():
    parts = {"carbon_operational_g": Range(8, 10, 20), "carbon_embodied_g": Range(1, 2, 3)}
    water = {name: None for name in ("water_onsite_l", "water_l")}
    found = otherwise({**parts, "carbon_g": Range(9, 12, 23), "it_energy_j": Range.exact(4), **water}, 0.5)
    assert found["carbon_operational_g"] == Range(4, 5, 10)
    assert found["carbon_embodied_g"] == Range(1, 2, 3)
    assert found["carbon_g"].best == pytest.approx(7) and found["carbon_g"].low < 7 < found["carbon_g"].high
    assert found["it_energy_j"] == Range.exact(2)
    assert found["water_l"] is None
