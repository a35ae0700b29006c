"""A watch as people read it: what was not seen is no zero, and what the prior said is told as such."""

import json
from dataclasses import replace

import numpy as np
import pytest

from science.sharing.engines import KNOWN, PROPORTIONS, load, looks_of
from wattermark.report.watched import (
    watched_document,
    watched_sections,
    window_document,
    window_heading,
    window_line,
)
from wattermark.science.sharing.rounds import rounds_of
from wattermark.science.sharing.watched import watched

MADE = load(60)


def found(prior=KNOWN, energy_j=MADE.energy_j, **more):
    return watched(rounds_of(looks_of(MADE.windows, **more)), energy_j, [prior], meter="gpu/0")


def text(one):
    lines = [
        f"{line.label}|{line.best}|{line.note}" for section in watched_sections(one) for line in section.lines
    ]
    return "\n".join([*lines, *(said for section in watched_sections(one) for said in section.sentences)])


def test_a_line_stands_under_its_heading_and_fits_a_terminal():
    line = window_line(found())
    assert len(line) == len(window_heading()) <= 80
    assert line.split()[-1] == "1.000"


@pytest.mark.parametrize(
    ("prior", "ends"),
    [
        pytest.param(KNOWN, "estimated", id="by the model"),
        pytest.param(PROPORTIONS, "no meter", id="by nothing"),
    ],
)
def test_a_line_says_when_no_meter_spoke(prior, ends):
    line = window_line(found(prior, np.full(60, np.nan)))
    assert line.endswith(ends)
    assert "-" in line.split()


def test_no_window_yet():
    nothing = watched(rounds_of([]), np.zeros(0), [], meter="")
    assert window_line(nothing) == "no window yet"
    assert "no window was closed" in text(nothing) and "Give --model" not in text(nothing)


def test_a_window_without_the_meter_has_no_power_and_no_zero():
    energy_j = MADE.energy_j.copy()
    energy_j[-1] = np.nan
    told = window_line(found(energy_j=energy_j)).split()
    assert told[0] == "-" and "W" not in told and float(told[1].replace(",", "")) > 0


def test_the_sum_tells_residual_r2_and_what_the_data_told():
    told = text(found())
    assert "of all windows" in told and "measured: gpu/0" in told
    assert "R2|1.000" in told and "residual|" in told
    assert "|data (100%)" in told and "prior" not in told


def test_where_data_told_nothing_the_prior_is_named():
    steady = load(60, steady=True, idle_every=0)
    told = text(watched(rounds_of(looks_of(steady.windows)), steady.energy_j, [KNOWN], meter="gpu/0"))
    assert "|prior: data did not tell it (" in told
    assert "can hardly be told apart; watch at changing load" in told


def test_what_an_engine_does_not_tell_is_told():
    told = text(found(tells=("prompt_tokens", "generated_tokens", "running")))
    assert "vllm m does not tell: which of them were cached" in told
    assert "requests: not known" in told


def test_nothing_known_asks_for_what_would_help():
    told = text(found(PROPORTIONS, np.full(60, np.nan)))
    assert "seen by a meter|not known" in told and "Give --model and --gpu for an estimate" in told


def test_documents_are_json_without_nan():
    energy_j = MADE.energy_j.copy()
    energy_j[5] = np.nan
    for document in (window_document(found(energy_j=energy_j)), watched_document(found(energy_j=energy_j))):
        told = json.loads(json.dumps(document, allow_nan=False))
        assert told["coefficients"][0]["from"] == "data"
    assert watched_document(found(energy_j=energy_j))["windows"][5]["energy_j"] is None


def test_several_engines_are_told_apart():
    one = found()
    two = replace(one, engines=(*one.engines, replace(one.engines[0], upstream="b")))
    assert "output token (a)|" in text(two)
