"""``wattermark lint`` on cards that others published, as printed and as they should be."""

import csv
import io
import json
import time
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


# -- what is said ----------------------------------------------------------------------

SENTENCES = """# t

Training took 21 days on 512 A100 GPUs with a PUE of 1.1, and at 0.385 kg/kWh it emitted {tons} tCO2eq and
consumed 113 MWh.
"""


def say(tmp_path, capsys, text, name="card.md"):
    path = tmp_path / name
    path.write_text(text)
    code = main(["lint", str(path)])
    return code, " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        pytest.param(SENTENCES.format(tons="43.7"), 0, "6 numbers, and none contradicts another", id="prose"),
        pytest.param(
            SENTENCES.format(tons="437"), 1, "off by a factor of 10", id="prose, ten times too much"
        ),
        pytest.param("Energy: 5 MWh\n", 0, "1 number, and no other to compare it with", id="one number"),
        pytest.param(
            "We saved 5 MWh and 2 tCO2eq.\n",
            0,
            "2 numbers with units in sentences were not read",
            id="numbers that were not read",
        ),
        pytest.param(
            "It took 5 MWh.\n", 0, "1 number with units in sentences was not read", id="one of them"
        ),
        pytest.param("# Nothing\n", 0, "What is read: the co2_eq_emissions", id="nothing to read"),
        pytest.param(
            TABLE.format(what=LOCATION, tons=12.9), 1, "about 1,900 to 2,400 tons", id="what is usual"
        ),
    ],
)
def test_the_last_line_tells_what_was_read(tmp_path, capsys, text, code, says):
    found, said = say(tmp_path, capsys, text)
    assert found == code and says in said, said


def test_our_own_card_passes(capsys):
    """examples/card.md is what the README and the docs show."""
    assert main(["lint", str(Path(__file__).parents[2] / "examples" / "card.md"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["claims"] == 8
    assert document["findings"] == document["not_understood"] == []
    assert document["unread_in_sentences"] == 0


OWN = {"it_energy_j": 100.0, "facility_energy_j": 125.0, "carbon_operational_g": 0.0114,
       "carbon_embodied_g": 0.005, "carbon_g": 0.0164, "water_onsite_l": 1.2e-05}  # fmt: skip


def own(**changed):
    values = {name: {"low": value / 2, "best": value, "high": value * 2} for name, value in OWN.items()}
    values |= {name: value and {"low": 0, "best": value, "high": value} for name, value in changed.items()}
    return {"schema": 1, "footprint": values, "components": [], "flags": []}


@pytest.mark.parametrize(
    ("document", "code", "claims"),
    [
        pytest.param(own(), 0, 5, id="a footprint"),
        pytest.param(own(carbon_market_g=None), 0, 5, id="with what is unknown"),
        pytest.param({"schema": 1, "rows": [own(), own()]}, 0, 10, id="of a comparison"),
        pytest.param({"schema": 1, "runs": [{"run": {"fault": "x"}}, own()]}, 0, 5, id="of a list of runs"),
        pytest.param(own(carbon_g=0.5), 1, 5, id="that somebody changed"),
    ],
)
def test_a_file_of_our_own_is_known(tmp_path, capsys, document, code, claims):
    found, told = lint(tmp_path, capsys, json.dumps(document), "plan.json")
    assert (found, told["claims"]) == (code, claims)
    assert "wattermark's own" in told["note"] and told["not_understood"] == []


def test_a_footprint_of_ours_without_numbers_is_refused(tmp_path, capsys):
    code, told = lint(tmp_path, capsys, json.dumps(own(**dict.fromkeys(OWN))), "plan.json")
    assert code == 2 and "wattermark's own" in told


WIDE = (
    f"| m | {' | '.join(['Energy (MWh)'] * 3000)} |\n|{'---|' * 3001}\n"
    f"| a | {' | '.join(str(5 + i) for i in range(3000))} |\n"
)
LONG = "| m | GPU hours | Power (W) | Energy (MWh) | Emissions (t) |\n|---|---|---|---|---|\n" + "".join(
    f"| r{i} | {1000 + i} | 400 | {5000 + i} | {3 + i} |\n" for i in range(3000)
)


@pytest.mark.parametrize(
    ("text", "code"), [pytest.param(WIDE, 0, id="3,000 columns"), pytest.param(LONG, 1, id="3,000 bad rows")]
)
def test_large_tables_take_no_time(tmp_path, capsys, text, code):
    began = time.process_time()
    found, document = lint(tmp_path, capsys, text, "card.md")
    assert time.process_time() - began < 5  # a second or two, on a machine that does much else
    assert found == code and bool(document["unchecked_rows"]) is bool(code)


def test_a_card_gives_no_orders_to_the_terminal(tmp_path, capsys):
    card = tmp_path / "card.md"
    row = "| \x1b]0;x\x07a | 1000 | 400 | 4 |"
    card.write_text(f"| | GPU hours | Power (W) | Energy (kWh) |\n|---|---|---|---|\n{row}\n")
    assert main(["lint", str(card)]) == 1
    assert "\x1b" not in capsys.readouterr().out


def test_a_card_may_come_through_a_pipe(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"pue": 0.5}')))
    assert main(["lint", "-"]) == 1
    assert "PUE is at least 1" in capsys.readouterr().out
