"""``wattermark report``: a real run as standards want it."""

import json
import re

import pytest

import wattermark as wm
from wattermark.cli.main import main
from wattermark.cli.report import STANDARDS
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
    assert block["emissions"] == pytest.approx(shown.best, rel=6e-3), "three figures"
    assert block["geographical_location"] == "Germany"


# -- estimates -------------------------------------------------------------------------

LOCATED, UPSTREAM = "scope 2, location-based", "scope 3, category 3: fuel upstream"
TRAINING = wm.Training(params=7e9, tokens=2e12, gpu="h100", count=512, experiments=0.5)
SERVICE = wm.Inference(
    model="llama-3.1-8b", gpu="h100", batch=32, input_tokens=100, output_tokens=200, requests_per_day=1e5
)
CALL = wm.ApiCalls(model="gpt-4o", output_tokens=9)
IMAGE = wm.Media(kind="image", model="flux.1-dev", gpu="l4")
SITE = wm.Site(place="gcp:us-central1", market_intensity=20.0)


@pytest.fixture
def planned(tmp_path, capsys):
    """The JSON file of an estimate, as ``estimate --json`` writes it."""

    def write(kind, *words):
        assert main(["estimate", kind, *words, "--json"]) == 0
        path = tmp_path / f"{kind}.json"
        path.write_text(capsys.readouterr().out)
        return str(path)

    return write


@pytest.fixture
def training_file(planned):
    return planned(
        "training", "--params", "7e9", "--tokens", "2e12", "--gpu", "h100", "--count", "512",
        "--experiments", "0.5", "--place", "gcp:us-central1", "--market-intensity", "20",
    )  # fmt: skip


@pytest.mark.parametrize("standard", [one for one in STANDARDS if one != "sci-ai-consumer"])
def test_a_file_and_python_tell_the_same(standard, training_file, capsys):
    per = {"per": "training token"} if standard.startswith("sci") else {}
    ours = wm.report_as(wm.estimate_training(TRAINING, SITE), standard, **per)
    words = [word for name, value in per.items() for word in (f"--{name}", value)]
    assert json.loads(json.dumps(ours)).items() <= told(capsys, standard, training_file, *words).items()


def test_a_run_shown_as_json_is_reported_as_the_run_itself(ledger, capsys, tmp_path):
    assert main(["show", "last", "--ledger", ledger, "--json"]) == 0
    shown = tmp_path / "shown.json"
    shown.write_text(capsys.readouterr().out)
    assert told(capsys, "ghg", str(shown)) == told(capsys, "ghg", "last", "--ledger", ledger)


def test_a_provider_s_score_is_per_token_trained_on():
    found = wm.report_as(wm.estimate_training(TRAINING, SITE), "sci-ai-provider")
    whole = found["operational_g"]["best"] + found["embodied_g"]["best"]
    assert (found["functional_unit"], found["units"]) == ("training token", 2e12)
    assert found["sci_g_per_unit"]["best"] == pytest.approx(whole / 2e12)


def test_a_consumer_s_score_is_per_request_and_market_instruments_do_not_move_it():
    estimate = [wm.estimate_inference(SERVICE, site) for site in (SITE, wm.Site(place="gcp:us-central1"))]
    scores = [wm.report_as(one, "sci-ai-consumer", per="request") for one in estimate]
    assert scores[0]["sci_g_per_unit"] == scores[1]["sci_g_per_unit"]
    assert scores[0]["units"] == 1e5


def test_the_ai_act_s_fields_of_an_estimate():
    estimate = wm.estimate_training(TRAINING, SITE)
    found = wm.report_as(estimate, "ai-act")
    assert found["training_flop"] == 6 * 7e9 * 2e12
    assert found["training_time_s"] == estimate.amounts["wall_time_s"].best
    mwh = estimate.footprint.facility_energy_j.best / 3.6e9
    assert found["energy_consumption_mwh"] == float(f"{mwh:.2g}")
    assert found["hardware"] == "512 x h100-sxm"


def test_an_intensity_that_was_given_is_not_parted():
    site = wm.Site(intensity=100.0)
    estimate = wm.estimate_training(TRAINING, site)
    rows = {row["row"]: row for row in wm.report_as(estimate, "ghg")["rows"]}
    assert rows[LOCATED]["carbon_g"]["best"] == estimate.footprint.carbon_operational_g.best
    assert rows[UPSTREAM]["carbon_g"] is None and "basis: given" in rows[LOCATED]["note"]


def test_both_rows_of_scope_2_stand_side_by_side():
    estimate = wm.estimate_training(TRAINING, SITE)
    rows = {row["row"]: row["carbon_g"] for row in wm.report_as(estimate, "ghg")["rows"]}
    generated, upstream = (rows[name]["best"] for name in (LOCATED, UPSTREAM))
    assert generated + upstream == pytest.approx(estimate.footprint.carbon_operational_g.best)
    assert 0.05 < upstream / generated < 0.3, "fuels upstream are scope 3"
    assert rows["scope 2, market-based"]["best"] == estimate.footprint.carbon_market_g.best


def test_a_card_is_in_grams_and_our_own_lint_is_content(tmp_path, training_file, capsys):
    assert main(["report", "model-card", training_file, "--training-type", "pre-training"]) == 0
    card = tmp_path / "README.md"
    card.write_text(f"---\n{capsys.readouterr().out}---\n# A model\n")
    assert main(["lint", str(card)]) == 0
    (said,) = re.findall(r"emissions: (\S+)", card.read_text())
    kilograms = f"{float(said) / 1000:.5g}"
    card.write_text(
        f"{card.read_text().replace(said, kilograms)}\nEmissions: {float(kilograms):,.0f} kg CO2e\n"
    )
    assert main(["lint", str(card)]) == 1


@pytest.mark.parametrize(
    "estimate",
    [
        pytest.param(lambda: wm.estimate_training(TRAINING, SITE), id="a training"),
        pytest.param(lambda: wm.estimate_inference(SERVICE), id="a service, nobody knows where"),
        pytest.param(lambda: wm.estimate_api(CALL), id="a closed model"),
        pytest.param(lambda: wm.estimate_media(IMAGE), id="an image"),
    ],
)
def test_methods_cite_what_they_hold_and_nothing_else(estimate):
    text = wm.report_as(estimate(), "methods")["text"]
    paragraph, _, entries = text.partition("\n\n")
    cited = {key for keys in re.findall(r"\\cite\{([^}]+)\}", paragraph) for key in keys.split(",")}
    assert cited == set(re.findall(r"@misc\{([^,]+),", entries))
    assert "wattermark" in cited and "nothing was measured" in paragraph
    assert not re.search(r"(?<![\\$])[%&#_]", re.sub(r"\\cite\{[^}]+\}", "", paragraph))
    assert text.count("{") == text.count("}")


def test_methods_of_a_run_say_what_was_modelled(ledger, capsys):
    text = told(capsys, "methods", "last", "--ledger", ledger)["text"]
    assert "was recorded with" in text and "modelled" in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("[", "holds no JSON", id="no JSON"),
        pytest.param("[" * 100_000, "holds no JSON", id="JSON without a bottom"),
        pytest.param("[]", "the document is no object", id="a list"),
        pytest.param('{"schema": 99}', "schema is 99", id="of another time"),
        pytest.param('{"schema": 1}', "'footprint' is missing", id="nothing in it"),
        pytest.param('{"schema": 1, "footprint": {}}', "'it_energy_j' is missing", id="no quantities"),
    ],
)
def test_a_file_that_is_none_of_ours(text, says, tmp_path, capsys):
    path = tmp_path / "strange.json"
    path.write_text(text)
    assert main(["report", "ghg", str(path)]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("keys", "value", "says"),
    [
        pytest.param(("footprint", "carbon_g"), "much", "footprint.carbon_g is no object", id="a text"),
        pytest.param(("footprint", "carbon_g", "low"), True, "low is True", id="a truth"),
        pytest.param(("footprint", "carbon_g", "best"), 10**400, "best is 1000", id="beyond any number"),
        pytest.param(("footprint", "carbon_g", "best"), float("nan"), "best is nan", id="not a number"),
        pytest.param(("footprint", "carbon_g", "low"), 1e39, "low <= best", id="ends upside down"),
        pytest.param(("footprint", "carbon_g", "low"), -1.0, "carbon_g is below 0", id="less than nothing"),
        pytest.param(("estimate", "units", "training token"), 0, "not above 0", id="no units"),
        pytest.param(("estimate", "kind"), "prayer", "kind is 'prayer'", id="a kind that is none"),
        pytest.param(("boundary",), {}, "'scope' is missing", id="an empty boundary"),
        pytest.param(("boundary", "scope"), "galaxy", "scope is 'galaxy'", id="a scope that is none"),
        pytest.param(("components", 0, "quality"), "good", "quality is 'good'", id="a quality that is none"),
        pytest.param(("factors", 0, "value"), None, "a factor has no value", id="a factor without a value"),
        pytest.param(("place", "steps"), [1], "steps is no list of texts", id="steps that are numbers"),
        pytest.param(("drivers",), {}, "drivers is no list", id="drivers that are none"),
        pytest.param(("estimate", "units", "training token"), "two", "training token is 'two'", id="units"),
    ],
)
def test_a_file_that_was_meddled_with(keys, value, says, training_file, capsys):
    with open(training_file, encoding="utf-8") as file:
        document = json.load(file)
    *way, last = keys
    holder = document
    for key in way:
        holder = holder[key]
    holder[last] = value
    with open(training_file, "w", encoding="utf-8") as file:
        json.dump(document, file)
    assert main(["report", "ghg", training_file]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["sci-ai-consumer"], "Report sci-ai-provider", id="a training has no consumer's score"),
        pytest.param(["ai-act", "--flops", "1e20"], "knows its work already", id="work twice"),
        pytest.param(["ghg", "--place", "deu"], "--place has no meaning", id="a place for a file"),
        pytest.param(["sci", "--per", "smile"], "training token, FLOP", id="a unit that it does not know"),
        pytest.param(["sci", "--units", "3"], "per functional unit", id="units of what"),
    ],
)
def test_what_an_estimate_cannot_be_reported_as(words, says, training_file, capsys):
    assert main(["report", words[0], training_file, *words[1:]]) == 2
    told = capsys.readouterr()
    assert says in told.err and len(told.err.strip().splitlines()) == 1


@pytest.mark.parametrize("standard", ["ai-act", "model-card", "sci-ai-provider"])
def test_a_service_is_no_training(standard):
    with pytest.raises(wm.UsageError, match="estimate of inference"):
        wm.report_as(wm.estimate_inference(SERVICE), standard)


@pytest.mark.parametrize(
    ("standard", "idle"),
    [("ghg", {"per": "x"}), ("methods", {"flops": 1e20}), ("ai-act", {"training_type": "x"}), ("sci", {})],
)
def test_what_a_standard_does_not_ask_for_is_refused(standard, idle):
    per = {"per": "token"} if standard == "sci" else {}
    estimate = wm.estimate_training(TRAINING, SITE)
    assert wm.report_as(estimate, standard, **per)["standard"]
    if idle:
        with pytest.raises(wm.UsageError, match="does not ask"):
            wm.report_as(estimate, standard, **idle)


def test_experiments_are_in_the_energy_and_said_so():
    found = wm.report_as(wm.estimate_training(TRAINING, SITE), "ai-act")
    assert found["energy_holds"].startswith("experiments")


@pytest.mark.parametrize("standard", ["ghg", "sci-ai-provider", "ai-act", "model-card", "methods"])
def test_it_reads_well_in_a_terminal(standard, training_file, capsys):
    assert main(["report", standard, training_file]) == 0
    out = capsys.readouterr().out
    assert out.strip() and "None" not in out and "{'low'" not in out


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
