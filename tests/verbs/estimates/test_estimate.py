"""Estimates: every input moves the answer the way that physics does, and parts are the whole."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wattermark as wm

TRAINING = wm.Training(params=7e9, tokens=2e12, gpu="h100-sxm", count=512)
INFERENCE = wm.Inference(
    model="llama-3.1-70b", gpu="h100-sxm", count=4, batch=16, input_tokens=1500, output_tokens=400, cached=0.5
)
API = wm.ApiCalls(model="gpt-4o", input_tokens=1000, output_tokens=500)
IMAGES = wm.Media(kind="image", model="flux.1-dev", gpu="h100", items=100, utilisation=0.5)
VIDEO = wm.Media(kind="video", model="wan2.1-t2v-14b", gpu="b200", count=4, frames=81, utilisation=0.5)
SITE = wm.Site(place="deu", pue=1.2, wue=0.5)
MORE = st.floats(1.001, 8)


def answer(job, site=SITE):
    verb = {
        wm.Training: wm.estimate_training,
        wm.Inference: wm.estimate_inference,
        wm.ApiCalls: wm.estimate_api,
        wm.Media: wm.estimate_media,
    }[type(job)]
    return verb(job, site).footprint


def no_less(more, less):
    for name in ("it_energy_j", "facility_energy_j", "carbon_g", "water_l"):
        assert more.quantities()[name].best >= less.quantities()[name].best * (1 - 1e-12)


@pytest.mark.parametrize(
    ("job", "change"),
    [
        pytest.param(TRAINING, lambda j, x: replace(j, tokens=j.tokens * x), id="more tokens to train on"),
        pytest.param(TRAINING, lambda j, x: replace(j, params=j.params * x), id="more parameters"),
        pytest.param(TRAINING, lambda j, x: replace(j, mfu=0.4 / x), id="a lower utilisation"),
        pytest.param(TRAINING, lambda j, x: replace(j, experiments=x - 1), id="more experiments"),
        pytest.param(INFERENCE, lambda j, x: replace(j, input_tokens=j.input_tokens * x), id="more input"),
        pytest.param(INFERENCE, lambda j, x: replace(j, output_tokens=j.output_tokens * x), id="more output"),
        pytest.param(INFERENCE, lambda j, x: replace(j, reasoning_tokens=100 * x), id="reasoning"),
        pytest.param(INFERENCE, lambda j, x: replace(j, batch=j.batch / x), id="a smaller batch"),
        pytest.param(INFERENCE, lambda j, x: replace(j, cached=j.cached / x), id="less of it cached"),
        pytest.param(INFERENCE, lambda j, x: replace(j, utilisation=0.5 / x), id="more waiting"),
        pytest.param(IMAGES, lambda j, x: replace(j, items=j.items * x), id="more images"),
        pytest.param(IMAGES, lambda j, x: replace(j, steps=50 * x), id="more steps"),
        pytest.param(IMAGES, lambda j, x: replace(j, height=1024 * x), id="larger images"),
        pytest.param(IMAGES, lambda j, x: replace(j, utilisation=0.5 / x), id="idle between images"),
        pytest.param(VIDEO, lambda j, x: replace(j, frames=j.frames * x), id="longer videos"),
        pytest.param(VIDEO, lambda j, x: replace(j, count=j.count * int(x + 1)), id="more GPUs"),
        pytest.param(VIDEO, lambda j, x: replace(j, batch=8 / x), id="a smaller batch of videos"),
        pytest.param(API, lambda j, x: replace(j, output_tokens=j.output_tokens * x), id="a longer answer"),
        pytest.param(API, lambda j, x: replace(j, input_tokens=j.input_tokens * x), id="a longer question"),
    ],
)
@given(x=MORE)
def test_more_work_never_costs_less(job, change, x):
    base = replace(job, mfu=0.4) if isinstance(job, wm.Training) else job
    base = replace(base, utilisation=0.5) if isinstance(job, wm.Inference) else base
    base = replace(base, batch=8) if job is VIDEO else base
    no_less(answer(change(base, x)), answer(base))


@pytest.mark.parametrize(
    ("job", "told"),
    [
        pytest.param(replace(IMAGES, gpu="t4"), True, id="24 GB on 16"),
        pytest.param(replace(IMAGES, gpu="t4", count=4), True, id="and on four of them: each holds all"),
        pytest.param(IMAGES, False, id="24 GB on 80"),
    ],
)
def test_weights_that_do_not_fit_are_told(job, told):
    assert any("moving them in and out" in text for text in wm.estimate_media(job).assumptions) is told


@pytest.mark.parametrize(
    ("job", "seconds"),
    [
        pytest.param(wm.Media(kind="video", model="cogvideox-5b", gpu="a100"), 180, id="its model card"),
        pytest.param(wm.Media(kind="video", model="wan2.1-t2v-1.3b", gpu="rtx-4090"), 240, id="its README"),
    ],
)
def test_a_gpu_that_nobody_measured_takes_about_as_long_as_was_published(job, seconds):
    found = wm.estimate_media(job).amounts["busy_time_per_item_s"]
    assert found.low < seconds < found.high and found.best == pytest.approx(seconds, rel=0.2)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: replace(TRAINING, gpu=None), id="no GPU"),
        pytest.param(lambda: replace(TRAINING, method=None), id="no method"),
        pytest.param(lambda: replace(INFERENCE, model=None, config=5), id="a number for a file"),
        pytest.param(lambda: replace(API, model=None), id="no model"),
        pytest.param(lambda: wm.Site(place=5), id="a number for a place"),
        pytest.param(lambda: wm.Site(intensity=[1]), id="a list for a number"),
        pytest.param(lambda: wm.estimate_inference(replace(INFERENCE, model=None, config="a\0b")), id="file"),
        pytest.param(lambda: wm.estimate_inference(replace(INFERENCE, fit="a\0b")), id="fit"),
        pytest.param(
            lambda: wm.report_as(wm.estimate_training(TRAINING), "model-card", training_type=5), id="a type"
        ),
        pytest.param(lambda: wm.estimate_training(TRAINING, "deu"), id="a place for a site"),
        pytest.param(lambda: wm.estimate_training(INFERENCE), id="another job"),
        pytest.param(lambda: wm.estimate_api(None), id="nothing"),
        pytest.param(lambda: wm.report_as(None, "ghg"), id="a report of nothing"),
    ],
)
def test_what_is_no_job_is_told_in_python_as_well(make):
    with pytest.raises(wm.UsageError) as error:
        make()
    assert len(str(error.value).splitlines()) == 1


GPUS = st.sampled_from(["h100", "a100", "v100", "tpu-v4"])


@given(st.floats(0.02, 0.99), st.floats(1.001, 1.5), GPUS, st.sampled_from(["bf16", "fp8"]))
def test_more_active_parameters_never_cost_less(share, x, gpu, precision):
    """The ends within what other draws move them: a model between the kinds has a factor of its own."""

    def at(part):
        job = replace(TRAINING, gpu=gpu, precision=precision, params=7e11, active_params=7e11 * part)
        return answer(job).it_energy_j

    less, more = at(share), at(min(share * x, 1.0))
    assert more.best >= less.best * (1 - 1e-9)
    assert more.low >= less.low * 0.97 and more.high >= less.high * 0.97


def test_numbers_of_numpy_are_numbers():
    plain, theirs = (replace(TRAINING, tokens=tokens) for tokens in (10**9, np.int64(10**9)))
    assert answer(theirs).carbon_g == answer(plain).carbon_g


DAY = replace(INFERENCE, cached=0.3)
STEPS = {
    "more requests": lambda j, x: replace(j, requests_per_day=j.requests_per_day * x),
    "longer answers": lambda j, x: replace(j, output_tokens=j.output_tokens * x),
    "longer questions": lambda j, x: replace(j, input_tokens=j.input_tokens * x),
    "less of it cached": lambda j, x: replace(j, cached=j.cached / x),
}


@pytest.mark.parametrize("change", STEPS.values(), ids=STEPS)
@given(x=st.floats(1.001, 1.5), requests=st.floats(1, 1e7), gpu=st.sampled_from(["h100", "b200", "l40s"]))
def test_a_day_of_more_work_costs_no_less_at_either_end(change, x, requests, gpu):
    base = replace(DAY, requests_per_day=requests, gpu=gpu, count=8)
    less, more = answer(base), answer(change(base, x))
    for name in ("it_energy_j", "carbon_g", "water_l"):
        one, other = less.quantities()[name], more.quantities()[name]
        assert other.low >= one.low * (1 - 1e-9)
        assert other.best >= one.best * (1 - 1e-12)
        assert other.high >= one.high * (1 - 1e-9)


@pytest.mark.parametrize(
    ("job", "says"),
    [
        pytest.param(replace(TRAINING, gpu="a100", precision="fp8"), "fp8: computed in 16 bit", id="A100"),
        pytest.param(replace(TRAINING, precision="fp8"), None, id="H100"),
        pytest.param(replace(INFERENCE, quantisation="fp8"), None, id="weights that it computes with"),
        pytest.param(replace(INFERENCE, quantisation="int4"), "int4: weights are unpacked", id="and others"),
    ],
)
def test_arithmetic_that_the_hardware_lacks_is_told(job, says):
    verb = wm.estimate_training if isinstance(job, wm.Training) else wm.estimate_inference
    said = [text for text in verb(job).question.assumptions if "has no units for" in text]
    assert len(said) == (says is not None) and all(says in text for text in said)


@pytest.mark.parametrize(
    "job", [TRAINING, INFERENCE, IMAGES, API], ids=["training", "inference", "images", "api"]
)
@given(x=st.floats(1.001, 3))
def test_a_hotter_site_never_costs_less(job, x):
    base = answer(job)
    hotter = answer(job, replace(SITE, wue=0.5 * x))
    assert hotter.water_onsite_l.best > base.water_onsite_l.best
    no_less(answer(job, replace(SITE, pue=1.2 * x)), base)


@pytest.mark.parametrize("job", [replace(TRAINING, experiments=0.5), INFERENCE, IMAGES, VIDEO, API])
def test_parts_are_the_whole(job):
    found = answer(job)
    assert sum(c.energy_j.best for c in found.components) == pytest.approx(found.it_energy_j.best)
    parts = ("water_onsite_l", "water_offsite_thermal_l", "water_offsite_hydro_l", "water_embodied_l")
    assert sum(found.quantities()[name].best for name in parts) == pytest.approx(found.water_l.best)
    assert found.carbon_g.best == pytest.approx(
        found.carbon_operational_g.best + found.carbon_embodied_g.best
    )


@pytest.mark.parametrize("job", [TRAINING, INFERENCE, IMAGES, VIDEO, API])
def test_nothing_is_told_without_its_interval(job):
    found = answer(job)
    for name, value in found.quantities().items():
        assert (value is None) == (name == "carbon_market_g")
        assert value is None or value.low < value.best < value.high
    assert {driver.quantity for driver in found.drivers} == {"it_energy_j", "carbon_g", "water_l"}
    assert any(flag.startswith("estimated") for flag in found.flags)


@pytest.mark.parametrize(
    ("method", "flops_per_param"), [("full", 6), ("lora", 4), ("qlora", 4), ("dpo", 8), ("rl", 8)]
)
def test_each_method_has_its_work(method, flops_per_param):
    found = wm.estimate_training(replace(TRAINING, method=method))
    assert found.amounts["flops"].best == pytest.approx(flops_per_param * 7e9 * 2e12)
    assert any(c.name.startswith("sampling") for c in found.footprint.components) == (method == "rl")


def test_work_beside_hours_tells_the_utilisation_and_the_hours_count():
    hours = wm.Training(gpu="h100", gpu_hours=1.3e6)
    both = wm.estimate_training(replace(hours, model="llama-3-8b", tokens=15e12), SITE)
    assert both.amounts["implied_mfu"].best == pytest.approx(0.156, abs=0.002)
    assert both.footprint.it_energy_j == answer(hours).it_energy_j
    assert wm.report_as(both, "ai-act")["training_flop"] == both.amounts["flops"].best
    by_flops = wm.estimate_training(replace(hours, flops=both.amounts["flops"].best), SITE)
    assert by_flops.amounts["implied_mfu"] == both.amounts["implied_mfu"]


def test_an_accelerator_without_a_peak_can_be_held_for_hours():
    found = wm.estimate_training(wm.Training(gpu="k80", gpu_hours=10), SITE).footprint
    assert {c.name for c in found.components} == {"accelerators", "hosts"}


@pytest.mark.parametrize(
    ("gpu", "hours", "measured_mwh"),
    [
        pytest.param("tpu-v3", 245_760, 85.7 / 1.12, id="T5, Patterson et al. 2021: the power of the system"),
        pytest.param("tpu-v3", 663_552, 179 / 1.10, id="Switch Transformer, likewise"),
        pytest.param("v100", 3_552_000, 1287 / 1.10, id="GPT-3, likewise"),
        pytest.param("tpu-v4", 8_404_992, 3436 / 1.08, id="PaLM, arXiv:2204.02311"),
    ],
)
def test_power_that_was_measured_with_its_host_goes_before_the_data_sheet(gpu, hours, measured_mwh):
    found = wm.estimate_training(wm.Training(gpu=gpu, gpu_hours=hours)).footprint
    assert [c.name for c in found.components] == ["accelerators and hosts"]
    assert found.it_energy_j.low <= measured_mwh * 3.6e9 <= found.it_energy_j.high
    given = wm.estimate_training(wm.Training(gpu=gpu, gpu_hours=hours, power_w=100.0)).footprint
    assert given.it_energy_j.best == pytest.approx(hours * 3600 * 100)


def test_a_mixture_of_experts_works_by_its_active_parameters():
    dense = wm.estimate_training(replace(TRAINING, params=2e9))
    sparse = wm.estimate_training(replace(TRAINING, params=7e9, active_params=2e9))
    assert sparse.amounts["flops"] == dense.amounts["flops"]


def test_what_is_given_of_the_site_goes_before_the_tables():
    site = wm.Site(place="deu", pue=1.1, wue=0.2, intensity=100.0, market_intensity=10.0, grid_water=2.0)
    found = answer(TRAINING, site)
    kwh = found.it_energy_j.best / 3.6e6
    assert found.facility_energy_j.best == pytest.approx(found.it_energy_j.best * 1.1)
    assert found.carbon_operational_g.best == pytest.approx(kwh * 1.1 * 100)
    assert found.carbon_market_g.best == pytest.approx(kwh * 1.1 * 10)
    assert found.water_onsite_l.best == pytest.approx(kwh * 0.2)
    assert found.water_offsite_thermal_l.best == pytest.approx(kwh * 1.1 * 2)
    assert found.water_offsite_hydro_l.best == 0


def test_replicas_and_requests_tell_how_much_of_the_time_is_waited():
    day = replace(INFERENCE, requests_per_day=1e5)
    few = wm.estimate_inference(replace(day, replicas=2)).footprint
    many = wm.estimate_inference(replace(day, replicas=20)).footprint
    waits = [
        next(c.energy_j.best for c in one.components if c.name == "waiting accelerators")
        for one in (few, many)
    ]
    assert waits[1] > 5 * waits[0]
    with pytest.raises(wm.UsageError, match="1 replica cannot serve"):
        wm.estimate_inference(replace(day, requests_per_day=1e8, replicas=1))


def test_an_accelerator_without_measurements_has_a_wider_band():
    widths = [
        (
            found := wm.estimate_inference(replace(INFERENCE, gpu=gpu)).amounts[
                "accelerator_energy_per_request_j"
            ]
        ).high
        / found.low
        for gpu in ("h100-sxm", "a100-sxm-80")
    ]
    assert widths[1] > 2 * widths[0]


def test_rows_of_what_if_are_the_same_one_by_one():
    tokens, gpus = np.array([1e11, 2e12, 5e12]), ["h100-sxm", "b200", "h100-sxm"]
    rows = wm.what_if_training({"params": 7e9, "tokens": tokens, "gpu": gpus, "place": "deu", "pue": 1.2})
    for i, gpu in enumerate(gpus):
        one = answer(wm.Training(params=7e9, tokens=tokens[i], gpu=gpu), wm.Site(place="deu", pue=1.2))
        assert rows["carbon_g"][i] == pytest.approx(one.carbon_g.best)
    batches = np.array([8.0, 24.0, 100.0])
    asked = {"model": "llama-3.1-8b", "gpu": "h100", "input_tokens": 150, "output_tokens": 400}
    rows = wm.what_if_inference({**asked, "batch": batches, "place": "deu"})
    for i, batch in enumerate(batches):
        one = answer(wm.Inference(**asked, batch=batch, count=1), wm.Site(place="deu"))
        assert rows["water_l"][i] == pytest.approx(one.water_l.best)


@pytest.mark.parametrize(
    ("column", "says"),
    [
        pytest.param({"cached": 2}, "cached holds 2", id="more cached than read"),
        pytest.param({"utilisation": 3}, "utilisation holds 3", id="more work than time"),
        pytest.param({"batch": 0.1}, "batch holds 0.1", id="a tenth of a request"),
        pytest.param({"serving_utilisation": 0.3}, "no column", id="a factor's inner name"),
    ],
)
def test_rows_of_requests_that_cannot_be_meant_are_told(column, says):
    asked = {"model": "llama-3.1-8b", "gpu": "h100", "input_tokens": 10, "output_tokens": 10}
    with pytest.raises(wm.UsageError, match=says):
        wm.what_if_inference({**asked, **column})


def test_a_row_that_does_not_fit_is_a_gap_and_the_others_stand():
    rows = wm.what_if_inference(
        {
            "model": ["llama-3.1-405b", "llama-3.1-8b", "llama-3.1-8b"],
            "count": [1, 1, 1],
            "batch": [1, 1, 4096],
            "gpu": "l4",
            "input_tokens": 4000,
            "output_tokens": 100,
        }
    )
    assert np.isnan(rows["carbon_g"]).tolist() == [True, False, True]


def test_many_places_are_one_question():
    places = ["deu", "swe", "", "aws:us-east-1"] * 25
    rows = wm.what_if_training({"params": 7e9, "tokens": 1e12, "gpu": "h100", "place": places})
    for name, value in zip(places[:4], rows["carbon_g"][:4], strict=True):
        site = wm.Site(place=name or None)
        one = wm.estimate_training(wm.Training(params=7e9, tokens=1e12, gpu="h100"), site)
        assert value == pytest.approx(one.footprint.carbon_g.best)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"params": 7e9, "tokens": 1e9}, "gpu"),
        ({"params": 7e9, "tokens": 1e9, "gpu": "h100", "colour": 1}, "colour"),
        ({"params": [7e9, -1], "tokens": 1e9, "gpu": "h100"}, "params holds -1"),
        ({"params": 7e9, "tokens": 1e308, "gpu": "h100"}, "tokens holds 1e"),
        ({"params": 7e9, "tokens": 1e9, "gpu": "h100", "mfu": 5}, "mfu holds 5"),
        ({"params": 7e9, "tokens": 1e9, "gpu": "h100", "pue": 0.5}, "pue holds 0.5"),
        ({"params": 7e9, "tokens": 1e9, "gpu": "h100", "count": 0.3}, "count holds 0.3"),
        ({"params": 7e9, "tokens": 1e9, "gpu": "h100", "method": "rl"}, "do not sample"),
        ({"params": 7e9, "active_params": 9e12, "tokens": 1e9, "gpu": "h100"}, "more than all"),
        ({"params": [[7e9]], "tokens": 1e9, "gpu": "h100"}, "rows of rows"),
        ({"params": [7e9, 1e9], "tokens": [1, 2, 3], "gpu": "h100"}, "length"),
        ({"params": "many", "tokens": 1e9, "gpu": "h100"}, "number"),
    ],
)
def test_rows_that_cannot_be_meant_are_told(columns, says):
    with pytest.raises(wm.UsageError, match=says):
        wm.what_if_training(columns)
