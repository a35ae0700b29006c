"""``wattermark lint`` on cards that others published, as printed and as they should be."""

import csv
import json
from pathlib import Path

import pytest

from wattermark.cli.main import main

TABLE = """| model | Training Time (GPU hours) | Training Power Consumption (W) | {what} |
|---|---|---|---|
| Llama 3.3 70B | 7.0M | 700 | {tons} |
"""
LOCATION = "Training Location-Based Greenhouse Gas Emissions (tons CO2eq)"
MARKET = "Training Market-Based Greenhouse Gas Emissions (tons CO2eq)"
CARD = """---
co2_eq_emissions:
  emissions: {grams}
---
# A model
- Hardware Type: A100
- Hours used: 150.3
- Carbon Emitted: 83.5 kg
"""
OLMO = {"gpu_energy_mwh": 257, "pue": 1.12, "ci_kg_per_kwh": 0.352, "emissions_t": 101}
LLAMA = {"gpu_hours": 184320, "power_w": 400, "pue": 1.1, "ci_kg_per_kwh": 0.385, "emissions_t": 31.22}

with (Path(__file__).parents[1] / "data" / "published_cases.csv").open(encoding="utf-8", newline="") as file:
    PUBLISHED = [row for row in csv.DictReader(file) if row["kind"] in ("energy", "carbon")]


def claim(row, times=1.0):
    """A published case as a claim; its value as printed, or some times that."""
    words = {"facility_energy_j": "facility_energy", "carbon_g": "carbon"}
    told = {"quantity": words[row["quantity"]], "value": float(row["value"]) * times, "unit": row["unit"]}
    inputs = {"gpu_hours" if k == "hours" else k: value for k, value in json.loads(row["inputs"]).items()}
    return json.dumps({**told, "inputs": inputs})


def lint(tmp_path, capsys, text, name):
    path = tmp_path / name
    path.write_text(text)
    code = main(["lint", str(path), "--json"])
    told = capsys.readouterr()
    return code, json.loads(told.out) if told.out else told.err


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        pytest.param("card.md", TABLE.format(what=LOCATION, tons=12.9), "intensity", id="12.9 t of 7M hours"),
        pytest.param("card.md", CARD.format(grams=83.5), "1000", id="kilograms in the grams field"),
        pytest.param(
            "c.json", json.dumps({**OLMO, "energy_incl_pue_mwh": 230}), "divided", id="a PUE divided"
        ),
        pytest.param("c.json", json.dumps({**LLAMA, "emissions_t": 3.122}), "10", id="a shifted point"),
        pytest.param("c.json", json.dumps({**LLAMA, "pue": 0.9}), "PUE", id="a facility that gives power"),
    ],
)
def test_what_contradicts_itself_is_told(tmp_path, capsys, name, text, says):
    if "---" in text[:4]:
        pytest.importorskip("yaml", reason="the front matter of a card needs PyYAML")
    code, document = lint(tmp_path, capsys, text, name)
    assert code == 1
    assert any(says in json.dumps(finding) for finding in document["findings"]), document


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("card.md", TABLE.format(what=LOCATION, tons="2,040"), id="as it should be"),
        pytest.param("card.md", TABLE.format(what=MARKET, tons=0), id="a market-based zero"),
        pytest.param("card.md", CARD.format(grams=83500), id="grams"),
        pytest.param("c.json", json.dumps({**OLMO, "energy_incl_pue_mwh": 288}), id="a PUE multiplied"),
        pytest.param("c.json", json.dumps(LLAMA), id="Llama 2 7B"),
        *(pytest.param("c.json", claim(row), id=row["case"]) for row in PUBLISHED),
    ],
)
def test_what_agrees_is_left_alone(tmp_path, capsys, name, text):
    code, document = lint(tmp_path, capsys, text, name)
    assert code == 0, document
    assert document["findings"] == []


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["case"])
def test_a_published_value_a_thousand_times_too_large_is_told(tmp_path, capsys, row):
    code, document = lint(tmp_path, capsys, claim(row, 1000), "c.json")
    assert code == 1, document


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("c.json", "{", id="half a document"),
        pytest.param("c.json", "", id="an empty file"),
        pytest.param("c.json", "[" * 100_000, id="too deep"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(tmp_path, capsys, name, text):
    code, told = lint(tmp_path, capsys, text, name)
    assert code == 2
    assert "Traceback" not in told and len(told.strip().splitlines()) == 1


def test_a_file_that_is_not_there(capsys):
    assert main(["lint", "nowhere.md"]) == 2
    assert "nowhere.md" in capsys.readouterr().err
