"""What a page claims: keys, headings and values as people write them, and nothing that they did not say."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.errors import UsageError
from wattermark.science.lint.printed import read_number, read_unit
from wattermark.values.claims import Severity
from wattermark.verbs.lint.cells import read_value
from wattermark.verbs.lint.devices import device_facts
from wattermark.verbs.lint.keys import split_heading, split_key
from wattermark.verbs.lint.linting import lint, read_page
from wattermark.verbs.lint.sections import phase_of


def claims(text, name):
    """Quantity and value of every claim that is not of our own tables."""
    page = read_page(text, name)
    return {one.quantity: one.value for group in page.groups for one in group.claims if one.unit or one.where}


def told(tmp_path, text, name="card.md"):
    path = tmp_path / name
    path.write_text(text)
    return lint(str(path))


# -- words -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "quantity", "base"),
    [
        pytest.param("gpu_hours", "device_time_s", 3600, id="gpu_hours"),
        pytest.param("a100_hours", "device_time_s", 3600, id="hours of a name"),
        pytest.param("training_time_h", "duration_s", 3600, id="training_time_h"),
        pytest.param("num_gpus", "devices", 1, id="num_gpus"),
        pytest.param("gpu_power_w", "power_w", 1, id="gpu_power_w"),
        pytest.param("tdp_w", "tdp_w", 1, id="tdp_w"),
        pytest.param("gpu_energy_mwh", "it_energy_j", 3.6e9, id="energy of GPUs is before PUE"),
        pytest.param("energy_kwh", "energy_j", 3.6e6, id="energy that does not say"),
        pytest.param("energy_incl_pue_mwh", "facility_energy_j", 3.6e9, id="with PUE"),
        pytest.param("facility_energy_gwh", "facility_energy_j", 3.6e12, id="the facility's"),
        pytest.param("pue", "pue", 1, id="pue"),
        pytest.param("ci_kg_per_kwh", "intensity_g_per_kwh", 1000, id="ci_kg_per_kwh"),
        pytest.param("carbon_intensity_g_per_kwh", "intensity_g_per_kwh", 1, id="in grams"),
        pytest.param("emissions_t", "carbon_g", 1e6, id="emissions_t"),
        pytest.param("co2_kg", "carbon_g", 1000, id="co2_kg"),
        pytest.param("market_based_emissions_t", "carbon_market_g", 1e6, id="market-based"),
        pytest.param("embodied_carbon_kg", "carbon_embodied_g", 1000, id="embodied"),
        pytest.param("water_l", "water_l", 1, id="water_l"),
        pytest.param("onsite_water_m3", "water_onsite_l", 1000, id="on site"),
        pytest.param("wue_l_per_kwh", "wue_l_per_kwh", 1, id="wue"),
        pytest.param("params_billion", "params", 1e9, id="params_billion"),
        pytest.param("active_params_b", "active_params", 1e9, id="active_params_b"),
        pytest.param("tokens_t", "tokens", 1e12, id="trillions of tokens, no tonnes"),
        pytest.param("training_flops", "flops", 1, id="training_flops"),
        pytest.param("emissions_kg_per_billion_params", "carbon_g/params", 1000 / 1e9, id="a ratio"),
    ],
)
def test_a_key_says_quantity_and_unit(key, quantity, base):
    found, unit = split_key(key)
    assert (found, unit.base) == (quantity, pytest.approx(base))


@pytest.mark.parametrize(
    "key",
    [
        "inference",
        "learning_rate",
        "loss",
        "batch_size",
        "energy",
        "notes",
        "hidden_size",
        "cost_usd",
        "energy_score",
        "t",
        "",
    ],
)
def test_a_key_that_says_something_else_is_not_guessed_at(key):
    assert split_key(key) is None


@pytest.mark.parametrize(
    ("heading", "quantity", "base"),
    [
        pytest.param("Training Time (GPU hours)", "device_time_s", 3600, id="the cards of Llama"),
        pytest.param("Training Power Consumption (W)", "power_w", 1, id="power of a device"),
        pytest.param(
            "Training Location-Based Greenhouse Gas Emissions (tons CO2eq)", "carbon_g", 1e6, id="tons"
        ),
        pytest.param(
            "Training Market-Based Greenhouse Gas Emissions (tons CO2eq)", "carbon_market_g", 1e6, id="m"
        ),
        pytest.param("Carbon Emitted(tCO2eq)", "carbon_g", 1e6, id="the card of Llama 2"),
        pytest.param("Total GPU Power Consumption (MWh)", "it_energy_j", 3.6e9, id="power in MWh is energy"),
        pytest.param("Water consumption (kL)", "water_l", 1000, id="kL"),
        pytest.param("PUE", "pue", 1, id="PUE"),
        pytest.param("Datacenter PUE", "pue", 1, id="that of BLOOM"),
        pytest.param("Power Usage Effectiveness (PUE)", "pue", 1, id="in words"),
        pytest.param("kWh", "energy_j", 3.6e6, id="a unit alone"),
        pytest.param("MFU", "mfu", 1, id="MFU"),
        pytest.param("Params (B)", "params", 1e9, id="Params (B)"),
        pytest.param("Tokens (T)", "tokens", 1e12, id="Tokens (T)"),
        pytest.param("Water Usage Effectiveness (L/kWh)", "wue_l_per_kwh", 1, id="the table of OLMo 2"),
        pytest.param("CPU energy (kWh)", "energy_cpu_j", 3.6e6, id="a part of a machine"),
        pytest.param("Active Parameters (billions)", "active_params", 1e9, id="in words"),
    ],
)
def test_a_heading_says_quantity_and_unit(heading, quantity, base):
    found, unit = split_heading(heading)
    assert (found, unit.base) == (quantity, pytest.approx(base))


@pytest.mark.parametrize(
    ("label", "text", "quantity", "value"),
    [
        pytest.param("Carbon Emitted", "83.5 kg", "carbon_g", 83_500, id="its own unit"),
        pytest.param("Carbon (t)", "83.5 kg", "carbon_g", 83_500, id="its own unit, before the label's"),
        pytest.param("GPU hours", "7.0M", "device_time_s", 7e6 * 3600, id="millions"),
        pytest.param("Emissions (tCO2eq)", "about 1,015", "carbon_g", 1015e6, id="about"),
        pytest.param("Energy (MWh)", "~ 2,638", "energy_j", 2638 * 3.6e9, id="a tilde"),
        pytest.param("Energy (MWh)", "**449**", "energy_j", 449 * 3.6e9, id="in bold"),
        pytest.param("FLOPs", "3.3 x 10^22", "flops", 3.3e22, id="a power of ten"),
        pytest.param("Energy (MWh)", "10-20", None, 0, id="a range is no number"),
        pytest.param("Energy (MWh)", "10 to 20", None, 0, id="nor in words"),
        pytest.param("Energy (MWh)", "unknown", None, 0, id="a word"),
        pytest.param("Energy (MWh)", "see table 3", None, 0, id="a number of something else"),
        pytest.param("Loss", "3.2", None, 0, id="another quantity"),
        pytest.param("GPU hours", "12 K", "device_time_s", 12e3 * 3600, id="a scale behind a space"),
        pytest.param("GPU hours", "12 k", "device_time_s", 12e3 * 3600, id="a small letter"),
        pytest.param("GPU hours", "12 thousand", "device_time_s", 12e3 * 3600, id="a word"),
        pytest.param("GPU hours", "1.5 M (est.)", "device_time_s", 1.5e6 * 3600, id="with a remark"),
        pytest.param("GPU hours", "2 million", "device_time_s", 2e6 * 3600, id="millions in a word"),
        pytest.param("Time", "12 K GPU hours", "device_time_s", 12e3 * 3600, id="a scale and a unit"),
        pytest.param("Water", "2 million L", "water_l", 2e6, id="a word and a unit"),
        pytest.param("Tokens", "2 T", "tokens", 2e12, id="T is a trillion where it is no tonne"),
        pytest.param("Emissions (kg)", "5 T", "carbon_g", 5e6, id="and a tonne where it can be"),
        pytest.param("Emissions", "5 t", "carbon_g", 5e6, id="t is a tonne"),
        pytest.param("Energy (MWh)", "5 m", "energy_j", 5 * 3.6e9, id="m is no million"),
        pytest.param("Temperature", "12 K", None, 0, id="Kelvin"),
        pytest.param("GPU hours", "12 K of them", None, 0, id="a letter that is perhaps something else"),
        pytest.param("MFU", "41 %", "mfu", 0.41, id="percent"),
        pytest.param("Energy", "232,5 kWh", "energy_j", 232.5 * 3.6e6, id="a decimal comma"),
        pytest.param("Energy (kWh)", "1.234,5", "energy_j", 1234.5 * 3.6e6, id="in German"),
        pytest.param("Energy", "1 234,5 kWh", "energy_j", 1234.5 * 3.6e6, id="in French"),
        pytest.param("Energy", "1\u202f234 kWh", "energy_j", 1234 * 3.6e6, id="thin spaces"),
        pytest.param("Intensity", "0,385 kg/kWh", "intensity_g_per_kwh", 385, id="a nought and a comma"),
        pytest.param("GPU hours", "12,345", "device_time_s", 12_345 * 3600, id="a comma between thousands"),
        pytest.param("Energy (kWh)", "1 234", None, 0, id="one number, or two"),
        pytest.param("Energy (kWh)", "15 \u00b1 2", None, 0, id="an interval is no number"),
        pytest.param("Hours used", "50 (first) + 20 (second)", None, 0, id="nor is a sum"),
        pytest.param("Carbon intensity", "250 g/kWh (mean), 600 g/kWh (marginal)", None, 0, id="nor are two"),
        pytest.param("Training time", "2h 45m", None, 0, id="nor are hours and minutes"),
        pytest.param("Training time (h)", "2:45", None, 0, id="nor is a clock"),
        pytest.param("Training time", "24 h (per run, 5 seeds)", None, 0, id="nor is one of five"),
        pytest.param("GPU hours", "10,000+", None, 0, id="nor is a bound"),
        pytest.param("Parameters", "8x7B", None, 0, id="nor is a product"),
        pytest.param("Parameters", "6.9B (1.3B active)", None, 0, id="nor are two sizes"),
        pytest.param("Hours used", "0x1F", None, 0, id="nor is what a program would print"),
        pytest.param("FLOPs", "10^22", "flops", 1e22, id="a power alone"),
        pytest.param("FLOPs", "3.14 \u00d7 10\u00b2\u00b3", None, 0, id="a power in small digits"),
        pytest.param("FLOPs", "3.14 \u00d7 10^23", "flops", 3.14e23, id="and in large ones"),
        pytest.param("GPU hours", "1.082.990", "device_time_s", 1_082_990 * 3600, id="points"),
        pytest.param("Time", "72 h (3 days)", "duration_s", 72 * 3600, id="one time in two units"),
        pytest.param(
            "Training", "184,320 A100 GPU hours", "device_time_s", 184320 * 3600, id="hours of a name"
        ),
    ],
)
def test_a_value_is_read_as_it_is_written(label, text, quantity, value):
    found = read_value(split_heading(label), label, text, label, 1)
    assert (found and found.quantity) == quantity
    assert found is None or found.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        pytest.param("NVIDIA H100 80GB HBM3", 700, 700, id="as the driver says"),
        pytest.param("A100", 250, 400, id="a short name: all that it may mean"),
        pytest.param("TPU v4", 192, 192, id="a TPU"),
    ],
)
def test_a_device_brings_what_its_sheet_says(name, low, high):
    (tdp,) = [one for one in device_facts(name, "", 0) if one.quantity == "tdp_w"]
    assert (tdp.low, tdp.high) == (low, high)


# -- pages -----------------------------------------------------------------------------

TABLE = """# Footprint

| | Training Time (GPU hours) | Emissions (tCO2eq) |
|---|---|---|
| 7B | {first} | 31.22 |
| 13B | 368,640 | 62.44 |
| 70B | 1,720,320 | 291.42 |
| Total | {total} | 385.08 |
"""
CARD = """---
license: mit
co2_eq_emissions:
  emissions: {emissions}
  hardware_used: {hardware}
  hours_used: 150.3
---
# A model

- **Hardware Type:** {hardware}
- **Hours used:** 150.3
- **Carbon Emitted:** {said}
"""


def test_a_table_is_a_claim_for_each_cell():
    page = read_page(TABLE.format(first="184,320", total="2,273,280"), "card.md")
    assert [group.name for group in page.groups if group.claims] == ["7B", "13B", "70B", "Total"]
    assert [len(total.parts) for total in page.totals] == [3, 3]
    assert page.not_understood == ()


HTML = """<table>
  <tr><td></td><td><strong>Time (GPU hours)</strong></td><td>Carbon Emitted(tCO<sub>2</sub>eq)</td></tr>
  <tr><td>8B</td><td>1.3M</td><td>390</td></tr>
  <tr><td rowspan="2">70B</td><td>6.4M</td><td>1900</td></tr>
  <tr><td>spanned</td><td>5</td></tr>
</table>
"""


def test_a_table_in_html_is_a_table():
    page = read_page(f"# Footprint\n\n{HTML}\nAfter it.\n", "card.md")
    found = [(g.name, one.quantity, one.text, one.line) for g in page.groups for one in g.claims]
    assert found == [
        ("8B", "device_time_s", "1.3M", 5), ("8B", "carbon_g", "390", 5),
        ("70B", "device_time_s", "6.4M", 6), ("70B", "carbon_g", "1900", 6),
    ]  # fmt: skip
    assert page.not_understood == () and page.unread == 0


@pytest.mark.parametrize(
    "hidden", ["<!-- - Energy: 5 MWh -->", "<!--\n- Energy: 5 MWh\n-->\n", "<!-- - Energy: 5 MWh"]
)
def test_a_remark_claims_nothing(hidden):
    assert claims(f"# A model\n\n{hidden}\n", "card.md") == {}


BLOOM = """| | Datacenter PUE | Carbon intensity of grid used | Power consumption | CO2 emissions | Loss |
|---|---|---|---|---|---|
| Gopher | 1.08 | 330 gCO2eq/kWh | 1,066 MWh | 352 tonnes | 2.1 |
| BLOOM | 1.2 | 57 gCO2eq/kWh | 433 MWh | 25 tonnes | 2.0 |
"""
LLAMA = """| | GPU Type | GPU Power consumption | GPU-hours | Total power consumption | Carbon emitted(t) |
|---|---|---|---|---|---|
| LLaMA-7B | A100-80GB | 400W | 82,432 | 36 MWh | 14 |
"""
LOSSES = "| model | loss | steps |\n|---|---|---|\n| a | 2.1 | 500 |\n"


@pytest.mark.parametrize(
    ("table", "unknown"),
    [
        pytest.param(BLOOM, ("Loss",), id="BLOOM: units in the cells"),
        pytest.param(LLAMA, (), id="LLaMA: a name of a device"),
        pytest.param("| a | kWh | Power |\n|---|---|---|\n| x | 5 | |\n", ("Power",), id="never a unit"),
        pytest.param(LOSSES, (), id="a table of something else"),
    ],
)
def test_a_heading_that_a_row_made_use_of_is_understood(table, unknown):
    assert read_page(table, "card.md").not_understood == unknown


@pytest.mark.parametrize(
    ("first", "total", "contradicts"),
    [
        pytest.param("184,320", "2,273,280", False, id="the sum"),
        pytest.param("184320", "2.27M", False, id="the sum, shortened"),
        pytest.param("184,320", "2,088,960", True, id="one row forgotten"),
        pytest.param("1,843,200", "2,273,280", True, id="a zero too many"),
    ],
)
def test_a_total_in_a_table(tmp_path, first, total, contradicts):
    found = told(tmp_path, TABLE.format(first=first, total=total))
    assert found.contradicts is contradicts, found.findings


@pytest.mark.parametrize(
    ("front", "said", "rules"),
    [
        pytest.param("emissions: 10.2", "Training emitted 10.2 kg CO2eq in total.", ["grams-field"],
                     id="said again in a sentence"),
        pytest.param("emissions: 83.524", "It emitted 83.5 kg CO2.", ["grams-field"], id="round"),
        pytest.param("emissions: 10200", "Training emitted 10.2 kg CO2eq in total.", [], id="grams"),
        pytest.param("emissions: 10.2", "A car emits 10.9 kg of CO2 in such a time.", [], id="another"),
        pytest.param("emissions: 10.2\n  hours_used: 200\n  hardware_used: 1 x A100", "", ["grams-field"],
                     id="too little for its hours"),
        pytest.param("emissions: 45\n  hours_used: 12\n  hardware_used: A100", "", [], id="a clean grid"),
    ],
)  # fmt: skip
def test_kilograms_in_the_field_of_grams_are_told_by_whatever_else_is_there(tmp_path, front, said, rules):
    card = f"---\nco2_eq_emissions:\n  {front}\n---\n# A model\n\n{said}\n"
    assert [one.rule for one in told(tmp_path, card).findings] == rules


def work(text, name="card.md"):
    return read_page(text, name).groups


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param('{"nodes": 4, "num_gpus": 8, "training_time_h": 100}', "c.json", id="nodes"),
        pytest.param('{"num_gpus": 8, "runs": 5, "training_time_h": 100}', "c.json", id="runs"),
        pytest.param("| | Nodes | GPUs | Hours |\n|---|---|---|---|\n| a | 4 | 8 | 9 |", "c.md", id="rows"),
        pytest.param("- Nodes: 4\n- GPUs: 8\n- Training time: 100 h", "c.md", id="a list"),
    ],
)
def test_what_something_beside_it_multiplies_is_not_the_number(text, name):
    found = [one.quantity for group in work(text, name) for one in group.claims]
    assert found == ["duration_s"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param('{"num_nodes": 1, "num_gpus": 8}', "c.json", id="one node"),
        pytest.param("- W&B runs: https://x\n- GPUs: 8", "c.md", id="runs that nobody counts"),
        pytest.param("- Nodes: 4\n- Total GPUs: 8", "c.md", id="the total"),
        pytest.param("| | Nodes | GPUs (total) |\n|---|---|---|\n| a | 4 | 8 |", "c.md", id="in a heading"),
        pytest.param("- Number of nodes: 4\n- Hardware: 4 nodes x 2 A100", "c.md", id="nodes in the count"),
    ],
)
def test_what_multiplies_nothing_leaves_the_number(text, name):
    found = [one for group in work(text, name) for one in group.claims if one.quantity == "devices"]
    assert [one.value for one in found] == [8]


SECTIONS = """# M

## Base model
- GPU hours: 1.46M
- Power: 700 W
- PUE: 1.1

## Our fine-tuning
- Training time: 6 hours

### Energy
- Energy: 2.4 kWh
"""


def test_sections_of_several_phases_are_several_works():
    found = {group.name: {one.quantity for one in group.claims} for group in work(SECTIONS)}
    assert found == {
        "pre-training": {"device_time_s", "power_w", "pue"},
        "fine-tuning": {"duration_s", "energy_j", "pue"},
    }
    merged = SECTIONS.replace("Base model", "Hardware").replace("Our fine-tuning", "Times")
    assert [group.name for group in work(merged) if group.claims] == ["the card"]
    field = f"---\nco2_eq_emissions:\n  emissions: 900\n  training_type: fine-tuning\n---\n{SECTIONS}"
    in_grams = [group.name for group in work(field) if any(one.grams_field for one in group.claims)]
    assert in_grams == ["fine-tuning"]


@pytest.mark.parametrize(
    ("title", "phase"),
    [
        ("Pre-training", "pre-training"),
        ("The base model", "pre-training"),
        ("LoRA fine-tuning", "fine-tuning"),
        ("Inference", "inference"),
        ("Evaluation", "evaluation"),
        ("Memory usage", ""),
        ("Energy usage", ""),
        ("Preserving privacy", ""),
        ("Inference and training", ""),
        ("Pre-training and fine-tuning", ""),
        ("Environmental impact", ""),
    ],
)
def test_a_heading_names_a_phase_or_none(title, phase):
    assert phase_of(title) == phase


def test_use_in_an_object_is_a_work_of_its_own():
    text = '{"model": "x", "training": {"gpu_hours": 5, "energy_kwh": 2}, "inference": {"emissions_kg": 1}}'
    found = [{one.quantity for one in group.claims} for group in work(text, "c.json")]
    assert found == [{"device_time_s", "energy_j"}, {"carbon_g"}]


def test_a_row_of_what_was_not_emitted_is_no_work_and_another_device_has_its_own_power():
    rows = "| What | GPU hours | Emissions (kg) |\n|---|---|---|\n| H100 runs | 5 | 5 |\n| Offsets | 5 | -5 |"
    page = read_page(f"- Power: 700 W\n\n{rows}\n", "card.md")
    found = {group.name: [one.quantity for one in group.claims] for group in page.groups}
    assert found == {"the card": ["power_w"], "H100 runs": ["device_time_s", "carbon_g"], "Offsets": []}


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("| | A | B |\n|---|---|---|\n| GPU hours | 10 | 20 |\n| kWh | 4 | 8 |", id="two works"),
        pytest.param(
            "| | Unit | A | B |\n|---|---|---|---|\n| GPU hours | h | 10 | 20 |\n| Energy | kWh | 4 | 8 |",
            id="with a column of units",
        ),
    ],
)
def test_a_table_may_stand_on_its_side(table):
    found = {group.name: [one.text for one in group.claims] for group in work(table) if group.claims}
    assert found == {"A": ["10", "4"], "B": ["20", "8"]}


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("The world average carbon intensity is 475 g/kWh.", id="of the world"),
        pytest.param("The calculator assumes a carbon intensity of 432 g/kWh.", id="of a calculator"),
        pytest.param("Others would have a PUE of 1.6.", id="of others"),
    ],
)
def test_what_a_sentence_says_of_others_is_not_said_of_the_page(said):
    assert claims(f"# M\n\n{said}\n", "card.md") == {}


ROWS = "| Stage | GPU hours |\n|---|---|\n"


@pytest.mark.parametrize(
    ("rows", "contradicts"),
    [
        pytest.param("first 1000;second 200;Total 1200", False, id="two parts"),
        pytest.param("first 1000;second 200;Total 1300;Average 600", None, id="more than the parts"),
        pytest.param("first 1000;second 200;Total 1200;Average 600", False, id="an average is no part"),
        pytest.param("first 1000;- warmup 100;- main 900;second 200;Total 1200", False, id="parts of parts"),
        pytest.param("first 1000;warmup 100;main 900;second 200;Total 1200", False, id="by their sums"),
        pytest.param("first 1000;warmup 100;main 900;second 200;Total 1000", True, id="and one forgotten"),
        pytest.param("Total (2 stages) 1200;first 1000;second 200", False, id="the total first"),
        pytest.param("All models 1100;first 1000;second 200", True, id="called all"),
        pytest.param("Mean-field training 10;b 20;Total 30", False, id="a name that begins like a mean"),
        pytest.param("Savings program 10;b 20;Total 30", False, id="and like a saving"),
        pytest.param("a 10;b 20;Pretraining total 30;SFT 5;Total 35", False, id="a subtotal at the end"),
        pytest.param("web 10;code 20;Pretraining 30;SFT 5;Total 35", False, id="a parent below its parts"),
        pytest.param("a 10;b 5;failed 1;Total (excl. failed runs) 15", False, id="a total that leaves out"),
        pytest.param("Total Perception 7B 1200;Vision 7B 1000;Audio 7B 1500", False, id="a model called so"),
        pytest.param("a 12;b 120;Overall-BERT 33", False, id="and another"),
    ],
)
def test_a_total_is_that_of_its_parts(tmp_path, rows, contradicts):
    lines = (row.rpartition(" ") for row in rows.split(";"))
    found = told(tmp_path, ROWS + "".join(f"| {name} | {hours} |\n" for name, _, hours in lines))
    assert found.contradicts is bool(contradicts), found.findings
    assert bool(found.findings) is (contradicts is not False)


@pytest.mark.parametrize(
    ("emissions", "said", "rule"),
    [
        pytest.param("83500", "83.5 kg", None, id="grams"),
        pytest.param("83.524", "83.5 kg", "grams-field", id="a card of the hub: 83.524 for 83.5 kg"),
        pytest.param("83.5 kg", "83.5 kg", None, id="kilograms, said so in the field"),
        pytest.param("83.524", "83.5 g", "grams-field", id="too little for its hours"),
    ],
)
def test_a_field_in_grams(tmp_path, emissions, said, rule):
    card = CARD.format(emissions=emissions, hardware="8 x A100", said=said)
    rules = {one.rule for one in told(tmp_path, card).findings}
    assert (rule in rules) if rule else not rules


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "| model | Training Time (GPU hours) | Training Power Consumption (W) |"
            " Training Location-Based Greenhouse Gas Emissions (tons CO2eq) |\n|---|---|---|---|\n"
            "| Llama 3.3 70B | 7.0M | 700 | 12.9 |\n",
            "carbon intensity", id="Llama 3.3: 12.9 t of 7.0M hours at 700 W",
        ),
        pytest.param(
            '{"emissions_kg": 75000, "params_billion": 2.5, "emissions_kg_per_billion_params": 3000}',
            "30,000", id="SCI for AI: 75,000 kg over 2.5 billion",
        ),
        pytest.param(
            '{"name": "OLMo 2 13B", "gpu_energy_mwh": 257, "pue": 1.12, "energy_incl_pue_mwh": 230}',
            "the PUE was divided", id="OLMo 2 13B: 230 for 288 MWh",
        ),
    ],
)  # fmt: skip
def test_an_erratum_of_the_field_is_found(tmp_path, text, says):
    found = told(tmp_path, text, "c.json" if text.startswith("{") else "card.md")
    assert [one.severity for one in found.findings] == [Severity.ERROR]
    assert says in found.findings[0].sentence


def test_numbers_in_code_are_no_claims():
    assert claims("```\nEnergy: 5 MWh\n```\n\n    Energy: 6 MWh\n", "card.md") in (
        {},
        {"energy_j": 6 * 3.6e9},
    )


def test_json_says_where_and_on_which_line():
    page = read_page('{"claims": [\n {"gpu_hours": 10},\n {"gpu_hours": 20}]}', "c.json")
    where = [(one.where, one.line) for group in page.groups for one in group.claims]
    assert where == [("[0].gpu_hours", 2), ("[1].gpu_hours", 3)]


def test_what_is_not_understood_is_listed():
    page = read_page(json.dumps({"gpu_hours": 10, "loss": 2.1, "learning_rate": 3e-4}), "c.json")
    assert page.not_understood == ("loss", "learning_rate")


def test_six_point_nought_is_not_six():
    (six,) = read_page('{"energy_mwh": 6}', "c.json").groups[0].claims
    (point,) = read_page('{"energy_mwh": 6.0}', "c.json").groups[0].claims
    assert point.high - point.low < six.high - six.low


@pytest.mark.parametrize(
    ("front", "found"),
    [
        pytest.param("co2_eq_emissions: 83500", {"carbon_g": 83500}, id="a number"),
        pytest.param("co2_eq_emissions: 83.50 # kg", {"carbon_g": 83500}, id="a remark that tells the unit"),
        pytest.param("co2_eq_emissions: {emissions: 83500, pue: 1.1}", {"carbon_g": 83500, "pue": 1.1},
                     id="in one line"),
        pytest.param("co2_eq_emissions:\n  emissions: [1, 2]\n  hours_used: 10", {"used_time_s": 36000},
                     id="a list is no number"),
        pytest.param("x: &a 5\nco2_eq_emissions:\n  emissions: 5", {"carbon_g": 5}, id="an anchor alone"),
        pytest.param("co2_eq_emissions:", {}, id="nothing"),
        pytest.param("other: 5", {}, id="another field"),
    ],
)  # fmt: skip
def test_front_matter_is_read_as_it_is_written(front, found):
    assert claims(f"---\n{front}\n---\n# A model\n", "card.md") == pytest.approx(found)


# -- what cannot be read ---------------------------------------------------------------

BOMB = "---\na: &a [x, x, x, x, x, x, x, x, x]\n"
for _before, _name in pairwise("abcdefghijkl"):
    BOMB += f"{_name}: &{_name} [{', '.join([f'*{_before}'] * 7)}]\n"
BOMB += "co2_eq_emissions: *l\n---\n"


DOUBLED = "\n".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40))
ALIASES = f"---\na0: &a0 [1, 1]\n{DOUBLED}\nco2_eq_emissions:\n  emissions: *a39\n---\n"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        pytest.param("c.json", "[]", "no object", id="a list of nothing"),
        pytest.param("c.json", "[1, 2]", "no object", id="a list of numbers"),
        pytest.param("c.json", "7", "no object", id="a number"),
        pytest.param("c.json", '{"a": 1, "a": 2}', "twice", id="a key twice"),
        pytest.param("c.json", '{"a": NaN}', "NaN", id="no number"),
        pytest.param("c.json", '{"gpu_hours": 1', "line 1", id="half a document"),
        pytest.param("c.json", '{"a":' * 50_000, "deeply", id="too deep"),
        pytest.param(
            "card.md", "---\nco2_eq_emissions: [\n---\n", "not YAML", id="front matter that is none"
        ),
        pytest.param("c.json", '{"a":' * 500 + '{"gpu_hours": 5}' + "}" * 500, "deeply", id="deep for us"),
        pytest.param("card.md", "x" * 500_001, "larger than 500,000 bytes", id="a book"),
        pytest.param("card.md", ALIASES, "refers to itself", id="a list of lists of lists ... by aliases"),
        pytest.param("card.md", BOMB, "refers to itself (*a on line 3)", id="more than memory holds"),
        pytest.param("card.md", f"---\nco2_eq_emissions: {'[' * 60}\n---\n", "deeply", id="lists of lists"),
        pytest.param(
            "card.md",
            f"---\nco2_eq_emissions: 5\na: {'x' * 400_001}\n---\n",
            "longer",
            id="front matter that is a book",
        ),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(tmp_path, name, text, says):
    with pytest.raises(UsageError) as error:
        told(tmp_path, text, name)
    assert says in str(error.value) and len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("- Hardware: " + "8 x " * 100_000, id="a product of thousands", marks=pytest.mark.slow),
        pytest.param("<table" * 80_000, id="tables that never end"),
        pytest.param("<!--" * 100_000, id="remarks that never end"),
        pytest.param("Ids: " + "1234,5678," * 45_000, id="a list of numbers"),
        pytest.param("- GPU hours: " + "9" * 450_000, id="a number of a megabyte"),
        pytest.param(f"| {'gpu hours ' * 45_000}|\n|---|\n| 5 |", id="a heading of half a megabyte"),
        pytest.param("<table><tr><td>5</td></tr></table>\n" * 12_000, id="many tables"),
        pytest.param("- Energy: 5 kWh\n- PUE: 1.1\n" * 15_000, id="many labels", marks=pytest.mark.slow),
        pytest.param("- Energy: 5 kWh " + "(5 kWh) " * 50_000, id="one value, again and again"),
    ],
)
def test_a_hostile_page_is_read_in_the_time_of_its_length(tmp_path, text):
    assert told(tmp_path, f"# A model\n\n{text}\n").findings == ()


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12) | st.sampled_from(["8 x A100", "1e400 kg", "5 kg", "1,000.5 MWh", "-3 t"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["emissions_kg", "gpu_hours", "pue", "hardware", "inputs", "value", "unit", "x", ""])
        | st.text(max_size=6),
        inner, max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


@given(ODD)
def test_whatever_stands_in_json_is_read_or_told(document):
    try:
        page = read_page(json.dumps({"claims": [document], "gpu_hours": 5}), "c.json")
    except UsageError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert all(one.low <= one.value <= one.high for group in page.groups for one in group.claims)


LINES = ["| a | Energy (MWh) |", "|---|---|", "| x | 5 |", "| Total | 7 |", "- Energy: 5 MWh", "```", "---"]
LINES += [
    "# t",
    "| | |",
    "Carbon Emitted: 5",
    "- PUE = 1.1",
    "| x | 5 | 6 | 7 |",
    "|",
    "",
    "&#124;",
    "- a: b",
]


@given(st.lists(st.sampled_from(LINES)))
def test_whatever_stands_in_a_card_is_read_or_told(lines):
    try:
        page = read_page("\n".join(["# a card", *lines]), "card.md")
    except UsageError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert all(one.low <= one.high for group in page.groups for one in group.claims)


@given(
    st.floats(1e-12, 1e12), st.integers(1, 9), st.sampled_from(["kg", "MWh", "L", "h", "t CO2e", "GPU hours"])
)
def test_a_printed_number_lies_in_its_own_interval(value, digits, unit):
    number = read_number(f"{value:.{digits}g} {unit}")
    assert number.low <= value <= number.high
    assert read_unit(unit) is not None
