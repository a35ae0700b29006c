"""The serving model: fitted to what was measured, and honest about what it has not seen."""

import csv
from pathlib import Path

import numpy as np
import pytest

from wattermark.factors.table import table
from wattermark.science.serving_fit import band, fit, fit_to_prior, leave_one_model_out, model_weights

ROOT = Path(__file__).parents[2]
nnls = pytest.importorskip("scipy.optimize", reason="the fit needs scipy: pip install scipy").nnls
TARGETS = {"h100-sxm": 0.15, "b200": 0.20}
CHAT_MEDIAN, CHAT_P90 = 0.12, 0.40


def solve(matrix, vector):
    return nnls(matrix, vector)[0]


@pytest.fixture(scope="module", params=sorted(TARGETS))
def measured(request):
    import serving_data

    rows = serving_data.measured_rows(request.param)
    chat = np.array([row["task"] == serving_data.CHAT for _, row in rows])
    return request.param, leave_one_model_out([one for one, _ in rows], solve), chat


def test_models_that_the_fit_never_saw_are_told_well(measured):
    gpu, left_out, chat = measured
    assert np.median(left_out.errors) <= TARGETS[gpu]
    assert np.median(left_out.errors[chat]) <= CHAT_MEDIAN
    assert np.quantile(left_out.errors[chat], 0.9) <= CHAT_P90


def test_the_band_holds_nine_of_ten_of_what_was_left_out(measured):
    _, left_out, _ = measured
    assert 0.85 <= left_out.coverage <= 0.95


def test_the_shipped_table_tells_these_errors(measured):
    gpu, left_out, chat = measured
    told = next(row for row in table("serving_fit") if row["gpu"] == gpu and row["name"] == "serving_error")
    assert float(told["median_error"]) == pytest.approx(np.median(left_out.errors), abs=6e-4)
    assert float(told["chat_median_error"]) == pytest.approx(np.median(left_out.errors[chat]), abs=6e-4)
    assert float(told["coverage"]) == pytest.approx(left_out.coverage, abs=6e-4)


def test_the_tool_writes_the_shipped_bytes(tmp_path, monkeypatch):
    import fit_serving

    shipped = (fit_serving.TABLES / "serving_fit.csv").read_bytes()
    (tmp_path / "serving_measured.csv").write_bytes(
        (fit_serving.TABLES / "serving_measured.csv").read_bytes()
    )
    monkeypatch.setattr(fit_serving, "TABLES", tmp_path)
    assert fit_serving.main([]) == 0
    written = (tmp_path / "serving_fit.csv").read_bytes()
    assert list(csv.reader(written.decode().splitlines())) == list(csv.reader(shipped.decode().splitlines()))


def made(rows=40):
    rng = np.random.default_rng(0)
    terms = rng.uniform(0.1, 10, (rows, 4))
    return terms, np.array([1.0, 2.0, 3.0, 4.0])


def test_a_fit_finds_the_coefficients_that_made_the_rows():
    terms, true = made()
    assert fit(terms, terms @ true, np.ones(40), solve) == pytest.approx(true)


@pytest.mark.parametrize(
    ("strength", "near"),
    [
        pytest.param(1e-9, [1, 2, 3, 4], id="no prior: what was measured"),
        pytest.param(1e9, [2, 2, 2, 2], id="nothing but prior"),
    ],
)
def test_a_prior_pulls(strength, near):
    terms, true = made()
    found = fit_to_prior(
        terms, terms @ true, np.ones(40), prior=np.full(4, 2.0), strength=strength, solve=solve
    )
    assert found == pytest.approx(near, rel=1e-3)


def test_every_model_counts_the_same():
    assert model_weights(["a", "a", "a", "a", "b"]) ** 2 == pytest.approx([0.25, 0.25, 0.25, 0.25, 1])
    low, high = band(np.array([1.0] * 99 + [2.0]), ["a"] * 99 + ["b"])
    assert (low, high) == (1.0, 2.0)
