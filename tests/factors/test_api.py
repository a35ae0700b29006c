"""Closed models: a line through what was published, and a band that holds it."""

import csv
from pathlib import Path

import pytest

import wattermark as wm
from wattermark.factors.api import api_factors, typical_api_factors
from wattermark.factors.table import table

ROOT = Path(__file__).parents[2]
with (ROOT / "tools" / "facts" / "api_anchors.csv").open(encoding="utf-8", newline="") as file:
    ANCHORS = list(csv.DictReader(file))


@pytest.mark.parametrize("row", ANCHORS, ids=lambda row: f"{row['model']}-{row['energy_wh']}")
def test_every_anchor_lies_in_the_band_of_its_line(row):
    tokens = {name: float(row[name]) for name in ("input_tokens", "output_tokens")}
    found = wm.estimate_api(wm.ApiCalls(model=row["model"], provider=row["provider"], **tokens))
    energy_j = found.amounts["energy_per_request_j"]
    assert energy_j.low <= float(row["energy_wh"]) * 3600 <= energy_j.high
    assert energy_j.high / energy_j.low >= 8


@pytest.mark.parametrize(
    "name",
    ["GPT-4o", "openai/gpt-4o", "gpt-4o-2024-08-06", " gpt-4o ", "chatgpt-4o-latest", "openai.gpt-4o-v1:0"],
)
def test_a_model_by_the_names_that_people_use(name):
    plain = wm.estimate_api(wm.ApiCalls(model="gpt-4o", output_tokens=100)).footprint
    assert wm.estimate_api(wm.ApiCalls(model=name, output_tokens=100)).footprint == plain


@pytest.mark.parametrize(
    ("job", "says"),
    [
        pytest.param({"model": "gpt-9"}, "no published energy", id="nobody told anything of it"),
        pytest.param({"model": "gpt-4p"}, "Did you mean gpt-4", id="a near name"),
        pytest.param({"model": "o1", "provider": "acme"}, "Known: anthropic", id="an unknown provider"),
        pytest.param({"model": "o1", "provider": "meta"}, "no published energy", id="another's model"),
    ],
)
def test_an_unknown_model_says_what_is_missing(job, says):
    with pytest.raises(wm.UsageError, match=says):
        wm.estimate_api(wm.ApiCalls(**job, output_tokens=1))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("us.anthropic.claude-3-7-sonnet-20250219-v1:0", id="Amazon Bedrock, of a region"),
        pytest.param("anthropic.claude-3-7-sonnet-20250219-v1:0", id="Amazon Bedrock"),
        pytest.param("claude-3-7-sonnet@20250219", id="Vertex AI"),
        pytest.param("publishers/anthropic/models/claude-3-7-sonnet", id="a path"),
    ],
)
def test_a_model_by_the_names_that_clouds_give_it(name):
    assert api_factors(name, None)[0].key == "anthropic:claude-3.7-sonnet"


def test_a_model_of_which_nothing_was_published_is_wide_enough_for_all_that_were():
    request, token, read, error = typical_api_factors("gpt-9")
    assert {one.basis for one in (request, token, read, error)} == {"guessed"}
    assert "nothing was published of gpt-9" in request.note

    def short_j(line, end):
        told = {one.name: one.value for one in line}
        plain = told["api_request_j"].best + 300 * told["api_output_token_j"].best
        return getattr(told["api_error"], end) * (plain + 100 * told["api_input_token_j"].best)

    known = [api_factors(row["model"], row["provider"]) for row in table("api_models")]
    assert short_j(typical_api_factors("gpt-9"), "low") <= min(short_j(one, "low") for one in known) * 1.0001
    assert (
        short_j(typical_api_factors("gpt-9"), "high") >= max(short_j(one, "high") for one in known) * 0.9999
    )


def test_the_tool_writes_the_shipped_bytes(tmp_path):
    pytest.importorskip("scipy.optimize", reason="the fit needs scipy: pip install scipy")
    import fit_api

    assert fit_api.main(["--out", str(tmp_path)]) == 0
    assert (tmp_path / "api_models.csv").read_bytes() == (fit_api.TABLES / "api_models.csv").read_bytes()
