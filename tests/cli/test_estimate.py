"""``wattermark estimate`` as a person meets it."""

import json
import shlex

import pytest

from wattermark.cli import estimate
from wattermark.cli.main import main

EXAMPLES = [
    shlex.split(block.replace("wattermark ", "", 1))
    for block in estimate.EPILOG.replace("\\\n", " ").splitlines()
    if block.strip().startswith("wattermark")
]
TRAINING = ["estimate", "training", "--tokens", "2e12", "--gpu", "h100-sxm"]
INFERENCE = ["estimate", "inference", "--gpu", "h100-sxm", "--input-tokens", "100", "--output-tokens", "200"]
IMAGE = ["estimate", "image", "--gpu", "h100"]


@pytest.mark.parametrize("words", EXAMPLES, ids=lambda words: " ".join(words)[:60])
def test_the_examples_of_help_run(words, capsys):
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    for row in document.get("rows", [document]):
        assert row["footprint"]["carbon_g"]["low"] < row["footprint"]["carbon_g"]["best"]
        assert row["estimate"]["kind"] and row["drivers"] and row["factors"]
    assert main(words) == 0
    assert "carbon" in capsys.readouterr().out


@pytest.mark.parametrize("by", ["carbon", "water", "energy"])
def test_comparisons_are_sorted(by, capsys):
    words = [*TRAINING, "--params", "7B", "--compare", "place=swe,deu,aws:us-west-2", "--sort", by]
    assert main(words) == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    first = {"carbon": "swe", "water": "deu", "energy": "aws"}[by]
    assert rows[0].startswith(f"place={first}")


def test_a_row_that_cannot_be_is_told_and_the_others_stand(capsys):
    words = ["estimate", "inference", "--model", "llama-3.1-70b", "--gpu", "h100", "--input-tokens", "100"]
    words += ["--output-tokens", "100", "--compare", "count=1,2"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "count=2 " in out and "count=1: llama-3.1-70b at bf16 takes 141 GB" in out
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["what_if"] for row in told["rows"]] == ["count=2"]
    assert [row["what_if"] for row in told["refused"]] == ["count=1"]
    assert main([*words[:-1], "count=1"]) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param([*TRAINING, "--params", "0"], "params is 0", id="nothing"),
        pytest.param([*TRAINING, "--params", "-7"], "params is -7", id="less than nothing"),
        pytest.param([*TRAINING, "--params", "-7B"], "params is -7e+09", id="less than nothing, in billions"),
        pytest.param([*TRAINING, "--params", "nan"], "params is nan", id="not a number"),
        pytest.param([*TRAINING, "--params", "inf"], "params is inf", id="endless"),
        pytest.param([*TRAINING, "--params", "7e9", "--mfu", "1.2"], "mfu is 1.2", id="more than the peak"),
        pytest.param([*TRAINING, "--params", "7e9", "--flops", "1e24"], "twice", id="work twice"),
        pytest.param([*TRAINING, "--params", "7e9", "--gpu-hours", "10"], "too few", id="hours too few"),
        pytest.param(
            ["estimate", "training", "--gpu", "k80", "--flops", "1e18"], "no published peak", id="no peak"
        ),
        pytest.param([*TRAINING, "--params", "7e9", "--gpu", "h10"], "h100-sxm", id="a near accelerator"),
        pytest.param([*TRAINING, "--params", "7e9", "--place", "grmany"], "Did you mean", id="a near place"),
        pytest.param([*TRAINING, "--model", "lama-3.1-8b"], "llama-3.1-8b", id="a near model"),
        pytest.param([*TRAINING, "--params", "7e9", "--model", "gpt2"], "twice", id="a model twice"),
        pytest.param(
            [*TRAINING, "--params", "7e9", "--compare", "gpu"], "cannot be meant", id="compare what"
        ),
        pytest.param([*TRAINING, "--params", "7e9", "--compare", "mfu=much"], "mfu is 'much'", id="much"),
        pytest.param(
            [*TRAINING, "--params", "7e9", "--compare", "precision=fp1"], "fp1", id="no such format"
        ),
        pytest.param([*TRAINING, "--params", "7e9", "--pue", "0.9"], "pue", id="a facility that gives power"),
        pytest.param(TRAINING, "by half", id="tokens only"),
        pytest.param(["estimate", "training", "--gpu", "h100"], "not known", id="no size at all"),
        pytest.param([*INFERENCE, "--model", "llama-3.1-8b", "--batch", "0"], "batch is 0", id="no request"),
        pytest.param([*INFERENCE, "--model", "llama-3.1-405b", "--count", "1"], "--count 16", id="too large"),
        pytest.param([*INFERENCE, "--config", "nowhere.json"], "nowhere.json", id="no such file"),
        pytest.param(
            [*INFERENCE, "--model", "llama-3.1-8b", "--fit", "nowhere"], "nowhere", id="no such fit"
        ),
        pytest.param(
            ["estimate", "api", "--model", "gpt-9", "--output-tokens", "5"],
            "no published energy",
            id="unknown model",
        ),
        pytest.param([*IMAGE, "--model", "flux"], "flux.1-dev", id="a near image model"),
        pytest.param([*IMAGE, "--model", "rembrandt"], "Known are sana", id="no image model at all"),
        pytest.param(IMAGE, "model is not known", id="no image model given"),
        pytest.param([*IMAGE, "--model", "flux.1-dev", "--steps", "0"], "steps is 0", id="no step"),
        pytest.param([*IMAGE, "--model", "flux.1-dev", "--count", "0"], "count is 0", id="no accelerator"),
        pytest.param([*IMAGE, "--model", "flux.1-dev", "--ring", "2"], "ring of 2", id="a ring of one"),
        pytest.param([*IMAGE, "--model", "flux.1-dev", "--batch", "0.5"], "batch is 0.5", id="half an image"),
        pytest.param(["estimate", "api", "--model", "gpt-4o"], "without tokens", id="an empty request"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_sentence(words, says, capsys):
    assert main(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert says in told.err and "Traceback" not in told.err
    assert len(told.err.strip().splitlines()) == 1
