"""``wattermark plan`` and ``wattermark saved`` as a person types them."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

JOB = ("--energy", "120kWh", "--hours", "8", "--within", "48h")


def wm(home, *words):
    return subprocess.run(
        [sys.executable, "-m", "wattermark", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=home["HOME"],
        env=home,
    )


def planned(home, *words):
    done = wm(home, "plan", *JOB, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_place_with_less_carbon_is_the_plan_and_water_stands_beside(home):
    told = planned(home, "--places", "deu,swe")
    plan = told["plan"]
    assert (plan["now"]["place"], plan["best"]["place"], plan["worth_it"]) == ("deu", "swe", True)
    saving = {one["quantity"]: one["planned"] for one in plan["savings"]}
    assert saving["carbon"] == pytest.approx(1 - plan["best"]["carbon_g"] / plan["now"]["carbon_g"])
    assert saving["water"] < 0 < saving["water-thermal"]  # Sweden's reservoirs
    parts = ("water_onsite_l", "water_offsite_thermal_l", "water_offsite_hydro_l")
    assert plan["best"]["water_l"] == pytest.approx(sum(plan["best"][part] for part in parts))
    assert plan["now"]["begin"].endswith("Z")


def test_reservoirs_change_the_ranking_and_that_is_told(home):
    plan = planned(home, "--places", "deu,swe", "--weights", "carbon=1,water=0.5")["plan"]
    assert plan["best"]["place"] == "deu"
    assert [(one["counted"], one["best"]["place"]) for one in plan["otherwise"]] == [("water-thermal", "swe")]


def test_a_plan_is_kept_where_the_runs_are(home, tmp_path):
    told = planned(home)
    kept = tmp_path / "runs" / "plans" / f"{told['id']}.plan"
    line = json.loads(kept.read_text())
    assert (line["kind"], line["plan"]) == ("plan", told["plan"])


def test_as_long_and_with_as_much_as_a_run(home):
    assert wm(home, "run", "--quiet", "--name", "mine", "--", "sleep", "0.2").returncode == 0
    done = wm(home, "plan", "--run", "mine", "--within", "1h", "--json")
    job = json.loads(done.stdout)["plan"]["job"]
    shown = json.loads(wm(home, "show", "mine", "--json").stdout)
    assert job["name"] == "mine"
    assert job["it_energy_j"] == pytest.approx(shown["footprint"]["it_energy_j"]["best"])
    assert job["duration_s"] == pytest.approx(shown["duration_s"])


def test_a_person_reads_it_and_sees_it(home, tmp_path):
    done = wm(home, "plan", *JOB, "--places", "deu,swe", "--svg", "plan.svg")
    assert done.returncode == 0, done.stderr
    assert "plan swe" in done.stdout
    assert ElementTree.parse(tmp_path / "plan.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(
            (*JOB[:4], "--within", "4h"), 2, "deadline comes before", id="a deadline before the end"
        ),
        pytest.param(("--within", "4h"), 2, "energy of the job is not known", id="nothing known of the job"),
        pytest.param(("--energy", "1kWh", "--within", "4h"), 2, "length of the job", id="half known"),
        pytest.param(("--run", "gone", "--within", "4h"), 2, "no runs in", id="no such run"),
        pytest.param((*JOB, "--places", "nowhere"), 2, "not known", id="no such place"),
        pytest.param((*JOB, "--weights", "carbon=-1"), 2, "0 and above", id="a negative weight"),
        pytest.param((*JOB, "--weights", "carbon"), 2, "Write carbon=1", id="a weight without a number"),
        pytest.param(
            (*JOB, "--weights", "water=1,water-thermal=1"), 2, "holds the other", id="contradictory weights"
        ),
        pytest.param((*JOB, "--weights", "cost=1"), 1, "cost of starting now", id="no price is known"),
        pytest.param((*JOB, "--weights", "carbon=1,cost=1"), 1, "--prices WORLD=", id="how to tell a price"),
        pytest.param((*JOB, "--weights", "carbon=1,carbon=2"), 2, "told twice", id="two weights of one"),
        pytest.param((*JOB, "--weights", ""), 2, "names nothing", id="weights of an empty variable"),
        pytest.param((*JOB, "--places", ","), 2, "names nothing", id="a comma for places"),
        pytest.param((*JOB, "--places", ""), 2, "names nothing", id="places of an empty variable"),
        pytest.param((*JOB, "--svg", ""), 2, "cannot be written", id="a picture of an empty variable"),
        pytest.param((*JOB[:4], "--within", "520w"), 2, "more than a year away", id="in ten years"),
        pytest.param((*JOB, "--most-pauses", "-1"), 2, "may pause -1 times", id="less than no pause"),
        pytest.param((*JOB, "--held-power", "-5"), 2, "held is -5", id="held power below zero"),
        pytest.param((*JOB, "--held-power", "nan"), 2, "held is nan", id="held power that is no number"),
        pytest.param((*JOB, "--held-power", "inf"), 2, "held is inf", id="held power without an end"),
        pytest.param((*JOB, "--move-gb", "-1"), 2, "data to move is -1", id="less than no data"),
        pytest.param((*JOB, "--move-gb", "nan"), 2, "data to move is nan", id="data that are no number"),
        pytest.param((*JOB, "--bandwidth", "0"), 2, "bandwidth is 0", id="no bandwidth"),
        pytest.param((*JOB, "--bandwidth", "-1"), 2, "bandwidth is -1", id="bandwidth below zero"),
        pytest.param((*JOB, "--egress", "-1"), 2, "move a GB is -1", id="paid for moving data"),
        pytest.param((*JOB, "--egress", "nan"), 2, "move a GB is nan", id="a price of data that is none"),
        pytest.param((*JOB, "--prices", "WORLD=nan"), 2, "price of WORLD is nan", id="a price that is none"),
        pytest.param((*JOB, "--prices", "WORLD=-1"), 2, "price of WORLD is -1", id="a price below zero"),
        pytest.param((*JOB, "--prices", "fra=1"), 2, "none of the places", id="a price of elsewhere"),
        pytest.param((*JOB, "--capacity", "fra=1kW"), 2, "none of the places", id="a capacity of elsewhere"),
        pytest.param(("--energy", "12kW", *JOB[2:]), 2, "no energy above zero", id="a power for an energy"),
        pytest.param(("--energy", "-3kWh", *JOB[2:]), 2, "no energy above zero", id="less than nothing"),
        pytest.param((*JOB[:2], "--hours", "soon", *JOB[4:]), 2, "no length of time", id="no length"),
        pytest.param((*JOB[:2], "--hours", "0", *JOB[4:]), 2, "takes no time", id="no time"),
        pytest.param((*JOB, "--from", "yesterday"), 2, "no moment", id="no moment"),
        pytest.param(
            (*JOB, "--svg", "gone/plan.svg"), 2, "cannot be written", id="no folder for the picture"
        ),
    ],
)
def test_bad_input_is_one_sentence(home, words, code, says):
    done = wm(home, "plan", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert done.stderr.startswith("wattermark: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("places", ["deu,deu", "deu,DEU,Germany"])
def test_one_place_by_several_names_is_one(home, places):
    plan = planned(home, "--places", places, "--move-gb", "500")["plan"]
    assert {option["place"] for option in (plan["now"], plan["best"], *plan["front"])} == {"deu"}
    assert {heard["place"] for heard in plan["heard"]} == {"deu"}


def test_home_by_another_name_has_the_same_file(home, tmp_path):
    first_s = time.time() // 3600 * 3600
    rows = [f"{datetime.fromtimestamp(first_s + i * 3600, UTC):%Y-%m-%dT%H:%MZ},{300 + i}" for i in range(60)]
    (tmp_path / "mine.csv").write_text("\n".join(("time,carbon_intensity", *rows)), encoding="utf-8")
    home |= {"WATTERMARK_PLACE": "deu", "WATTERMARK_SIGNALS_FILE": "mine.csv"}
    for name in ("deu", "DEU", "Germany"):
        plan = planned(home, "--places", name)["plan"]
        assert plan["heard"][0]["source"] == "mine.csv"
    flags = planned(home, "--places", "swe")["plan"]["flags"]
    assert any("mine.csv does not know SWE; one without zones is of home" in flag for flag in flags)


def test_a_plan_that_cannot_be_kept_is_told_all_the_same(home, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    done = wm(home, "plan", *JOB, "--ledger", "taken", "--json")
    assert (done.returncode, json.loads(done.stdout)["id"]) == (0, None)
    assert done.stderr.startswith("wattermark: the plan is not kept: taken cannot be written (")


def test_a_run_that_has_not_ended_is_no_measure(home):
    with subprocess.Popen(
        [sys.executable, "-m", "wattermark", "run", "--quiet", "--name", "mine", "--", "cat"],
        stdin=subprocess.PIPE, cwd=home["HOME"], env=home,
    ) as running:  # fmt: skip
        while "mine" not in wm(home, "runs").stdout:
            assert running.poll() is None
        done = wm(home, "plan", "--run", "mine", "--within", "1h")
        given = wm(home, "plan", "--run", "mine", *JOB)
        running.communicate()
    assert (done.returncode, given.returncode) == (2, 0)
    assert "has not ended" in done.stderr


def test_a_home_without_room_is_told(home):
    flags = planned(home, "--places", "deu", "--capacity", "deu=1kW")["plan"]["flags"]
    assert flags == ["no-room: deu has no room for 15 kW; all is compared with it"]


def test_where_all_hours_are_alike_there_is_one_way_and_no_empty_heading(home):
    plan = planned(home)["plan"]
    assert plan["front"] == [plan["now"]]
    lines = wm(home, "plan", *JOB, "--places", "deu,swe").stdout.splitlines()
    headings = [i for i, line in enumerate(lines) if i and line and not line.startswith(" ")]
    assert headings
    assert all(line and line.startswith(" ") for line in (lines[i + 1] for i in headings))


def test_a_run_that_nobody_planned_saved_nothing_that_could_be_told(home):
    wm(home, "run", "--quiet", "--", "true")
    done = wm(home, "saved", "last")
    assert (done.returncode, done.stdout) == (2, "")
    assert "was not planned" in done.stderr


def test_by_a_usual_year_nothing_is_proved(home):
    plan = planned(home)["id"]
    wm(home, "run", "--quiet", "--tag", f"plan={plan}", "--", "sleep", "0.2")
    done = wm(home, "saved", "last", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["claimed"], told["plan"]) == (1, False, plan)
    assert "nobody told the hours" in told["refused"]
    carbon = next(one for one in told["claims"] if one["quantity"] == "carbon")
    shown = json.loads(wm(home, "show", "last", "--json", "--place", "WORLD").stdout)
    best = shown["footprint"]["carbon_operational_g"]["best"]
    assert carbon["realised"] == pytest.approx(best, rel=1e-5)  # its clock tells 0.2 us of 0.2 s


@pytest.mark.parametrize("command", ["plan", "plan fleet", "saved", "backtest", "signals"])
def test_help_waits_for_no_numbers(home, command):
    script = (
        "import sys\nfrom wattermark.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = ('numpy', 'httpx', 'rich', 'duckdb', 'highspy')\n"
        "assert not [one for one in heavy if one in sys.modules]"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command.split(), "--help"],
        capture_output=True, text=True, timeout=60, check=False, cwd=home["HOME"], env=home,
    )  # fmt: skip
    assert (done.returncode, "usage:" in done.stdout) == (0, True), done.stderr
