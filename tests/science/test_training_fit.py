"""The default MFU: made from published runs, each with its paper, and honest about those it has not seen."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wattermark as wm
from wattermark.factors.accelerators import accelerator_named
from wattermark.factors.table import table
from wattermark.factors.training import mfu_factor
from wattermark.science.training_fit import (
    leave_one_paper_out,
    percentiles,
    quantiles,
    share_of,
    spread,
    times_off,
)

ROOT = Path(__file__).parents[2]
FIT = {row["name"]: row for row in table("training_fit")}
KINDS = {
    "training_mfu": [("tpu-v4", "bf16", False), ("v100", "fp16", False), ("mi300x", "bf16", False)],
    "training_mfu_ampere": [("a100", "fp16", False), ("a800-sxm", "bf16", False), ("a100", "fp8", False)],
    "training_mfu_hopper": [("h100", "bf16", False), ("h800-sxm", "bf16", False)],
    "training_mfu_mixture": [("h100", "bf16", True), ("a100", "fp8", True)],
    "training_mfu_8bit": [("h100", "fp8", True), ("a100", "int8", True)],
    "training_mfu_8bit_dense": [("h100", "fp8", False), ("a100", "int8", False)],
}
"""What is asked for of each row: an accelerator without units for fp8 computes in 16 bit."""


@pytest.fixture(scope="module")
def tool():
    import fit_training

    return fit_training


def of_kind(tool, name):
    runs = [run for run in tool.published() if name in (run.kind, run.factor)]
    return np.array([run.mfu for run in runs]), [run.row["paper"] for run in runs]


# -- the table of runs -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mfu"),
    [
        pytest.param("llama-2-70b", 0.428, id="Llama 2 70B"),
        pytest.param("llama-3.1-405b", 0.346, id="Llama 3.1 405B: below its 0.38 to 0.43 of a step"),
        pytest.param("palm-540b", 0.304, id="PaLM: below its 0.46 of a step"),
        pytest.param("gopher-280b", 0.302, id="Gopher"),
        pytest.param("pythia-12b", 0.262, id="Pythia 12B"),
        pytest.param("starcoderbase-15b", 0.259, id="StarCoder"),
        pytest.param("deepseek-v3", 0.173, id="DeepSeek-V3: of the 8-bit peak, by its active parameters"),
        pytest.param("deepseek-v2", 0.205, id="DeepSeek-V2: hours of a trillion tokens"),
    ],
)
def test_a_run_reached_what_can_be_reckoned_by_hand(tool, name, mfu):
    (run,) = [run for run in tool.published() if run.row["name"] == name]
    assert run.mfu == pytest.approx(mfu, abs=6e-4)


@pytest.mark.parametrize("row", table("training_runs"), ids=lambda row: row["name"])
def test_every_run_is_right_within_a_factor_of_two(tool, row):
    run = tool.Run(row, tool.mfu_of(row))
    assert times_off(np.array([run.mfu]), float(FIT[run.factor]["best"]))[0] <= 2


@pytest.mark.parametrize("row", table("training_runs"), ids=lambda row: row["name"])
def test_no_run_is_absurd(tool, row):
    assert 0.05 < tool.mfu_of(row) < 0.7
    assert float(row["active_params"]) <= float(row["params"])
    assert row["note"], "where in which paper?"
    if row["step_mfu"]:
        assert tool.mfu_of(row) < float(row["step_mfu"]), "pauses never make a run faster than its steps"


def test_the_measured_power_lies_in_the_band_that_is_taken():
    band = next(row for row in table("defaults") if row["name"] == "training_power_fraction")
    shares = [float(row["power_share"]) for row in table("training_runs") if row["power_share"]]
    assert shares and all(float(band["low"]) <= share <= float(band["high"]) for share in shares)


# -- the fit ---------------------------------------------------------------------------


def test_the_tool_writes_the_shipped_bytes(tool, tmp_path, capsys):
    assert tool.main(["--out", str(tmp_path)]) == 0
    assert (tmp_path / "training_fit.csv").read_bytes() == (tool.TABLES / "training_fit.csv").read_bytes()
    assert "phi-2" in capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in KINDS if FIT[name]["basis"] != "guessed"])
def test_the_shipped_numbers_are_those_of_the_runs(tool, name):
    values, papers = of_kind(tool, name)
    usual = spread(*of_kind(tool, "training_mfu"))
    told = [float(FIT[name][column]) for column in ("low", "best", "high")]
    assert told == pytest.approx(percentiles(values, papers, usual_spread=usual).tolist(), rel=5e-3)
    left = leave_one_paper_out(values, papers, usual_spread=usual)
    assert float(FIT[name]["coverage"]) == pytest.approx(share_of(left.inside, papers), abs=6e-4)


def test_runs_that_the_fit_never_saw_are_told_well():
    dense = FIT["training_mfu"]
    assert int(dense["papers"]) >= 20
    assert float(dense["median_error"]) <= 0.25
    assert float(dense["within_two"]) >= 0.9
    assert 0.85 <= float(dense["coverage"]) <= 0.97


@pytest.mark.parametrize("generation", ["ampere", "hopper"])
def test_a_generation_of_its_own_is_told_better_than_by_all(generation):
    row = FIT[f"training_mfu_{generation}"]
    assert float(row["within_two"]) >= 0.9 and float(row["coverage"]) >= 0.8


def test_eight_bits_never_take_longer_than_sixteen():
    for model in ({"params": 7e9}, {"params": 42e9, "active_params": 7e9}):
        hours = [
            wm.estimate_training(wm.Training(**model, tokens=1e12, gpu="h100", precision=precision))
            for precision in ("fp8", "bf16")
        ]
        eight, sixteen = (one.amounts["accelerator_hours"].best for one in hours)
        assert 0.5 * sixteen < eight < sixteen


def test_mixtures_reach_less_of_the_peak_and_eight_bits_bring_less_than_their_peak_promises():
    best = {name: float(row["best"]) for name, row in FIT.items()}
    assert best["training_mfu_mixture"] < 0.75 * best["training_mfu"]
    assert best["training_mfu_8bit"] == pytest.approx(best["training_mfu_8bit_of_16bit_peak"] / 2, rel=0.01)
    assert best["training_mfu_8bit_of_16bit_peak"] > best["training_mfu_mixture"]


@pytest.mark.parametrize(
    ("row", "asked"), [pytest.param(row, asked, id=f"{row} {asked}") for row in KINDS for asked in KINDS[row]]
)
def test_a_factor_is_that_of_its_kind(row, asked):
    gpu, precision, mixture = asked
    found = mfu_factor(accelerator_named(gpu), precision, mixture=mixture)
    assert found.value.best == float(FIT[row]["best"])
    assert found.name == "training_mfu"


@pytest.mark.parametrize("precision", ["bf16", "fp8"])
@pytest.mark.parametrize("active", [7e9, 1.5e9], ids=["dense", "a mixture"])
def test_estimates_and_rows_of_what_if_take_the_same(precision, active):
    job = {"params": 7e9, "active_params": active, "tokens": 1e12, "gpu": "h100-sxm", "precision": precision}
    one = wm.estimate_training(wm.Training(**job)).amounts["accelerator_hours"].best
    assert wm.what_if_training(job)["accelerator_hours"][0] == pytest.approx(one)
    kinds = {"bf16": ("_hopper", "_mixture"), "fp8": ("_8bit_dense", "_8bit")}
    row = "training_mfu" + kinds[precision][active < 7e9]
    peak = 1979e12 if precision == "fp8" else 989e12
    assert one == pytest.approx(6 * active * 1e12 / (peak * float(FIT[row]["best"]) * 3600))


# -- the sums --------------------------------------------------------------------------


def test_every_paper_counts_the_same():
    assert quantiles(np.array([1.0] * 99 + [2.0, 3.0]), ["a"] * 99 + ["b", "c"], [0.5]) == pytest.approx(
        [2.0]
    )
    assert share_of(np.array([True] * 9 + [False]), ["a"] * 9 + ["b"]) == pytest.approx(0.5)


def test_few_papers_borrow_the_spread_of_many():
    low, best, high = percentiles(np.array([0.1, 0.4]), ["a", "b"], usual_spread=0.3)
    assert best == pytest.approx(0.2)
    wide = np.exp(1.645 * 0.3 * 1.5**0.5)
    assert [low, high] == pytest.approx([best / wide, best * wide])


@given(
    st.lists(st.floats(0.01, 1), min_size=2, max_size=30), st.integers(2, 30), st.floats(0.01, 1),
    st.floats(0.1, 10),
)  # fmt: skip
def test_ends_enclose_the_middle_and_grow_with_what_was_seen(values, papers, usual, times):
    runs = np.array(values)
    names = [str(i % papers) for i in range(len(runs))]
    low, best, high = percentiles(runs, names, usual_spread=usual)
    assert low <= best <= high
    scaled = percentiles(times * runs, names, usual_spread=usual)
    assert scaled == pytest.approx(times * np.array([low, best, high]))


@given(st.integers(11, 25), st.floats(0.05, 0.6))
def test_papers_that_agree_are_told_without_error(papers, mfu):
    runs, names = np.full(papers, mfu), [str(i) for i in range(papers)]
    left = leave_one_paper_out(runs, names, usual_spread=0.3)
    assert left.expected == pytest.approx(runs)
    assert left.inside.all()
