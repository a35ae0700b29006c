"""``wattermark report``: a real run as standards want it."""

import json

import pytest

import wattermark as wm
from wattermark.cli.main import main
from wattermark.science.scores import sci_g_per_unit


@pytest.fixture
def ledger(tmp_path):
    with wm.track(name="train", place="deu", ledger=str(tmp_path / "runs"), interval=0.05):
        sum(i * i for i in range(300_000))
    return str(tmp_path / "runs")


def told(capsys, *words):
    assert main(["report", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("carbon_g", "units", "score_g"),
    [
        pytest.param(3.2e6, 4e7, 0.08, id="SCI for AI, section 9.1: 3,200 kg over 40 million inferences"),
        pytest.param(7.5e7, 2.5, 3e7, id="section 9.2: 75,000 kg over 2.5 billion parameters, not 3,000"),
    ],
)
def test_the_scores_of_the_standard(carbon_g, units, score_g):
    found = sci_g_per_unit(wm.Range.exact(carbon_g), wm.Range.exact(0.0), units)
    assert found.best == pytest.approx(score_g)


def test_sci_is_carbon_over_units(ledger, capsys):
    found = told(capsys, "sci", "last", "--per", "request", "--units", "10", "--ledger", ledger)
    whole = found["operational_g"]["best"] + found["embodied_g"]["best"]
    assert found["sci_g_per_unit"]["best"] == pytest.approx(whole / 10)
    assert found["functional_unit"] == "request"


def test_what_is_not_known_is_null_and_said(ledger, capsys):
    rows = {row["row"]: row for row in told(capsys, "ghg", "last", "--ledger", ledger)["rows"]}
    assert rows["scope 1"]["carbon_g"] is None and rows["scope 1"]["note"]
    assert rows["scope 2, market-based"]["carbon_g"] is None
    bought = told(capsys, "ghg", "last", "--ledger", ledger, "--market-intensity", "30")["rows"]
    assert next(row for row in bought if "market" in row["row"])["carbon_g"]["best"] > 0


def test_a_customer_reports_one_purchased_service(ledger, capsys):
    rows = told(capsys, "ghg-customer", "last", "--ledger", ledger)["rows"]
    assert [row["row"] for row in rows if row["carbon_g"]] == ["scope 3, category 1: purchased services"]


def test_the_ai_act_asks_for_two_figures(ledger, capsys):
    found = told(capsys, "ai-act", "last", "--flops", "1.5e21", "--ledger", ledger)
    assert found["training_flop"] == 1.5e21
    mwh = found["energy_consumption_mwh"]
    assert mwh > 0 and float(f"{mwh:.2g}") == mwh
    assert found["energy_is"].startswith("estimated")


def test_the_block_of_a_card_is_yaml_in_grams(ledger, capsys):
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    assert main(["report", "model-card", "last", "--ledger", ledger]) == 0
    block = yaml.safe_load(capsys.readouterr().out)["co2_eq_emissions"]
    shown = wm.account("last", ledger=ledger).carbon_g
    assert block["emissions"] == pytest.approx(shown.best, rel=1e-4)
    assert block["geographical_location"] == "Germany"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["last"], id="a score without its unit"),
        pytest.param(["last", "--per", "x", "--units", "0"], id="no units"),
        pytest.param(["nobody", "--per", "x", "--units", "1"], id="no such run"),
    ],
)
def test_what_cannot_be_meant_is_told(ledger, words, capsys):
    assert main(["report", "sci", *words, "--ledger", ledger]) in (1, 2)
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
