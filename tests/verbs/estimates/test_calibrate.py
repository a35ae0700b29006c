"""``wattermark calibrate`` on runs that were recorded: a fake GPU whose power is known, and real tags."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from fakes.meters import Bench, Gpu, Signal
from wattermark.cli.main import main
from wattermark.ledger.read import read_spool
from wattermark.ledger.runs import runs
from wattermark.science.serving import decode_energy_j, prefill_energy_j, request_work
from wattermark.values.jobs import Inference
from wattermark.values.kinds import Part
from wattermark.values.workload import Requests
from wattermark.verbs.account import account
from wattermark.verbs.estimates.calibrate import COEFFICIENTS, calibrate
from wattermark.verbs.estimates.ground import model_of
from wattermark.verbs.estimates.inference import estimate_inference

pytest.importorskip("scipy", reason="calibrate needs scipy")
pytestmark = pytest.mark.usefixtures("ledger")

RECORD = """
import json, sys, time
import wattermark as wm
for tags in json.loads(sys.argv[1]):
    with wm.track(name="serve", place="deu", scope="machine", interval=0.02, tags=tags):
        time.sleep(0.1)
"""
WATTS, SLEPT_S = 350.0, 0.1
TIMES = 2.0
"""So much more is measured here than the shipped coefficients say, but for what a run takes to begin."""
WORK = [("llama-3.1-8b", batch, out) for batch in (8, 32, 128) for out in (200, 800)]
WORK += [("qwen3-30b-a3b", 64, 400), ("llama-3.1-70b", 64, 400)]
GOOD = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "batch": "32", "input_tokens": "150",
        "output_tokens": "400", "requests": "10"}  # fmt: skip
H100 = Gpu(Signal.const(WATTS))


def told_j(model, batch, output_tokens, coefficients):
    """What coefficients say of one output token."""
    values = {**coefficients, "serving_error": 1.0}
    known = model_of(model=model, config=None, params=None, active_params=None)
    work = request_work(
        known, Requests(batch=float(batch), input_tokens=150.0, output_tokens=float(output_tokens),
                        precision=known.precision),
    )  # fmt: skip
    return float(decode_energy_j(work, values) + prefill_energy_j(work, values)) / output_tokens


def shipped():
    from wattermark.factors.serving import serving_factors
    from wattermark.verbs.estimates.ground import accelerator_of

    return {one.name: one.value.best for one in serving_factors(accelerator_of("h100-sxm"), 1.0)}


def tagged(model, batch, output_tokens):
    """Tags of a run that took ``TIMES`` the joules that the shipped coefficients say."""
    requests = WATTS * SLEPT_S / (TIMES * told_j(model, batch, output_tokens, shipped()) * output_tokens)
    return {**GOOD, "model": model, "batch": str(batch), "output_tokens": str(output_tokens),
            "requests": str(requests)}  # fmt: skip


@pytest.fixture(scope="module")
def record(tmp_path_factory, libs):
    """Records a run for each set of tags, with a fake GPU; gives the ledger."""

    def runs_of(*tags, gpus=(H100,)):
        folder = tmp_path_factory.mktemp("recorded")
        home = {"PATH": os.environ["PATH"], "HOME": str(folder), "WATTERMARK_LEDGER": str(folder / "runs"),
                "PYTHONPATH": os.pathsep.join(sys.path)}  # fmt: skip
        bench = Bench(folder / "bench", libs)
        env = bench.nvml(gpus).env(home) if gpus else bench.env(home)
        command = [sys.executable, "-c", RECORD, json.dumps(tags)]
        subprocess.run(command, env=env, check=True, cwd=folder, timeout=60)
        return folder / "runs"

    return runs_of


@pytest.fixture(scope="module")
def served(record):
    """A ledger of eight runs of three models, and one that has nothing to do with serving."""
    return record(*(tagged(*work) for work in WORK), {"model": "llama-3.1-8b"})


@pytest.fixture
def fitted(served):
    return calibrate(served, "h100-sxm")


def seen(ledger):
    """How many times more than shipped each run measured: ``TIMES``, and what a busy machine adds."""
    found = []
    for place in runs(ledger):
        recorded = read_spool(place.spool)
        if set(GOOD) <= set(recorded.header.tags):
            (gpu,) = [one for one in account(recorded).components if one.kind == Part.GPU]
            found.append(TIMES * gpu.energy_j.best / (WATTS * SLEPT_S))
    return found


def moved(calibration):
    """How many times more than shipped the calibrated coefficients say, for each work."""
    return [told_j(*work, calibration.after) / told_j(*work, calibration.before) for work in WORK]


def test_it_measures_what_the_gpu_took(served):
    assert len(seen(served)) == len(WORK)
    assert all(0.95 * TIMES < times < 10 * TIMES for times in seen(served))


def test_coefficients_move_towards_what_was_measured(fitted, served):
    assert len(fitted.runs) == len(WORK)
    assert all(1.05 < times < 1.2 * max(seen(served)) for times in moved(fitted))
    assert fitted.error_after < fitted.error_before


@pytest.mark.parametrize(
    ("prior", "part", "near"),
    [
        pytest.param("1e-6", 1.0, 0.3, id="none: what was measured"),
        pytest.param("8", 0.3, 0.25, id="as many as there are runs: between"),
        pytest.param("1e6", 0.0, 0.001, id="a million: what was shipped"),
    ],
)
def test_the_prior_holds_them_back(served, capsys, prior, part, near):
    assert main(["calibrate", "--gpu", "h100", "--prior", prior, "--ledger", str(served), "--json"]) == 0
    after = json.loads(capsys.readouterr().out)["calibration"]["after"]
    times = np.median([told_j(*work, after) / told_j(*work, shipped()) for work in WORK])
    assert (times - 1) / (np.median(seen(served)) - 1) == pytest.approx(part, abs=near)


@pytest.mark.slow
def test_many_runs_of_one_model_count_as_many(record):
    tags = tagged("llama-3.1-8b", 32, 400)
    few, many = (calibrate(record(*[tags] * times), "h100-sxm") for times in (1, 12))
    more = [np.median(moved(one)) - 1 for one in (few, many)]
    assert more[1] > 2 * more[0] > 0


def test_the_band_never_shrinks_and_holds_what_was_seen(fitted, served):
    from wattermark.factors.serving import serving_factors
    from wattermark.verbs.estimates.ground import accelerator_of

    (error,) = [o for o in serving_factors(accelerator_of("h100-sxm"), 1.0) if o.name == "serving_error"]
    assert fitted.serving_error["low"] <= error.value.low
    assert fitted.serving_error["high"] >= error.value.high
    held = calibrate(served, "h100-sxm", prior_rows=1e6)
    assert held.serving_error["high"] > 0.9 * TIMES, (
        "coefficients that were held back are off by what was measured"
    )


def test_its_json_is_what_an_estimate_takes(served, tmp_path, capsys):
    path = tmp_path / "fit.json"
    assert main(["calibrate", "--gpu", "h100-sxm", "--ledger", str(served), "--json"]) == 0
    path.write_text(capsys.readouterr().out)
    after = json.loads(path.read_text())["calibration"]["after"]
    job = Inference(model="llama-3.1-8b", gpu="h100-sxm", batch=32, input_tokens=150, output_tokens=400)
    command = ["estimate", "inference", "--fit", str(path), "--model", job.model, "--gpu", job.gpu]
    command += ["--batch", "32", "--input-tokens", "150", "--output-tokens", "400", "--json"]
    assert main(command) == 0
    factors = {one["name"]: one for one in json.loads(capsys.readouterr().out)["factors"]}
    assert {name: factors[name]["value"]["best"] for name in COEFFICIENTS} == pytest.approx(after)
    assert all(factors[name]["source"] == "user" for name in COEFFICIENTS)
    assert estimate_inference(job).footprint.it_energy_j.best > 0


def test_people_see_a_table(served, capsys):
    assert main(["calibrate", "--gpu", "h100-sxm", "--ledger", str(served)]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*COEFFICIENTS, "median error", "shipped", "calibrated"))


# -- what cannot be meant --------------------------------------------------------------


def refused(capsys, *arguments):
    code = main(list(map(str, arguments)))
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert len(told.err.strip().splitlines()) == 1 and "Traceback" not in told.err
    return told.err


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        *(pytest.param({name: text}, f"the tag {name} is {text!r}", id=f"{name}={text}")
          for name, text in (("batch", "many"), ("requests", "0"), ("output_tokens", "-5"),
                             ("input_tokens", "nan"), ("requests", "inf"), ("count", "two"))),
        pytest.param({"model": "llama-99"}, "'llama-99' is not known", id="a model that nobody knows"),
        pytest.param({"gpu": "voodoo-2"}, "'voodoo-2' is not known", id="a GPU that nobody knows"),
        pytest.param({"quantisation": "fp3"}, "quantisation is 'fp3'", id="a precision that nobody knows"),
    ],
)  # fmt: skip
def test_a_tag_that_cannot_be_meant_is_told_with_its_run(record, capsys, tags, says):
    ledger = record({**GOOD, **tags})
    (place,) = runs(ledger)
    told = refused(capsys, "calibrate", "--gpu", "h100-sxm", "--ledger", ledger)
    assert says in told and place.run in told


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param({}, id="no tags"),
        pytest.param({k: v for k, v in GOOD.items() if k != "requests"}, id="one tag missing"),
        pytest.param({**GOOD, "gpu": "b200"}, id="another GPU's"),
    ],
)
def test_a_ledger_without_a_measurement(record, capsys, tags):
    told = refused(capsys, "calibrate", "--gpu", "h100-sxm", "--ledger", record(tags))
    assert "no finished run" in told and "--tag requests=..." in told


def test_an_empty_ledger(tmp_path, capsys):
    assert "no finished run" in refused(capsys, "calibrate", "--gpu", "h100", "--ledger", tmp_path)


def test_a_run_that_saw_no_gpu(record, capsys):
    ledger = record(GOOD, gpus=())
    assert "saw no energy of an accelerator" in refused(
        capsys, "calibrate", "--gpu", "h100", "--ledger", ledger
    )


def test_a_gpu_that_nobody_knows_and_a_prior_of_nothing(served, capsys):
    assert "not known" in refused(capsys, "calibrate", "--gpu", "voodoo-2", "--ledger", served)
    assert "prior" in refused(capsys, "calibrate", "--gpu", "h100", "--prior", "0", "--ledger", served)


def test_a_spool_that_cannot_be_read_stops_nobody(record):
    ledger = record(GOOD)
    for name, data in (("a", b""), ("b", b"\x00\xff"), ("c", b"{}\n")):
        (ledger / name).mkdir()
        (ledger / name / "host-1.jsonl").write_bytes(data)
    assert len(calibrate(ledger, "h100-sxm").runs) == 1


AFTER = dict.fromkeys(COEFFICIENTS, 1e-12)
STEPS = (-1.0, float("nan"), float("inf"), 1e9, "much", None, True, [1])


def fit(gpu="h100-sxm", after=AFTER):
    return json.dumps({"calibration": {"gpu": gpu, "after": after}})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "is no calibration", id="an empty file"),
        pytest.param("{", "is no calibration", id="half a document"),
        pytest.param("[]", "is no calibration", id="a list"),
        pytest.param("7", "is no calibration", id="a number"),
        pytest.param("null", "is no calibration", id="null"),
        pytest.param("[" * 100_000, "is no calibration", id="too deep"),
        pytest.param(json.dumps({"calibration": []}), "is no calibration", id="a list of nothing"),
        pytest.param(json.dumps({"calibration": {"gpu": "h100-sxm"}}), "is no calibration", id="half of it"),
        pytest.param(fit(after=7), "is no calibration", id="a number of coefficients"),
        pytest.param(fit(gpu="b200"), "of b200", id="another GPU's"),
        pytest.param(fit(gpu=["a\nb"]), "not of h100", id="a list of GPUs"),
        pytest.param(fit(gpu="a\nb"), "not of h100", id="a GPU of two lines"),
        *(
            pytest.param(fit(after={**AFTER, "serving_step_j": value}), "serving_step_j is", id=f"{value!r}")
            for value in STEPS
        ),
        pytest.param(fit(after={**AFTER, "serving_step_j": "a\nb" * 999}), "serving_step_j is", id="a novel"),
        pytest.param(fit(after={**AFTER, "serving_step_j": 10**400}), "serving_step_j is", id="400 digits"),
        pytest.param(fit(after=dict.fromkeys(COEFFICIENTS, 0)), "are 0", id="a GPU that needs nothing"),
    ],
)
def test_a_file_that_is_no_calibration(tmp_path, capsys, text, says):
    path = tmp_path / "fit.json"
    path.write_text(text)
    told = refused(capsys, "estimate", "inference", "--fit", path, "--model", "llama-3.1-8b", "--gpu", "h100",
                   "--input-tokens", "150", "--output-tokens", "400")  # fmt: skip
    assert says in told and len(told) < 600


@pytest.mark.parametrize("name", [".", "nowhere.json"])
def test_a_file_that_is_not_there(tmp_path, capsys, name):
    told = refused(capsys, "estimate", "inference", "--fit", tmp_path / name, "--model", "llama-3.1-8b",
                   "--gpu", "h100", "--input-tokens", "150", "--output-tokens", "400")  # fmt: skip
    assert "cannot be read" in told
