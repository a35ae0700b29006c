"""``wattermark serving report`` as a person and a program meet it."""

import csv
import io
import json
import shlex
from xml.etree import ElementTree

import pytest

from verbs.serving.kept import keep_run, request
from wattermark.cli import serving_report
from wattermark.cli.main import main
from wattermark.values.served import Outcome

POWER = [100.0] * 5 + [500.0] * 10 + [100.0] * 5
CALLS = "20260921-151320-calls-00000002"
EXAMPLES = [
    shlex.split(line.partition("   ")[0].replace("wattermark", "", 1).partition("|")[0])
    for line in (raw.strip() for raw in serving_report.EPILOG.splitlines())
    if line.startswith("wattermark")
]


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """A server with a meter, and calls without one."""
    folder = tmp_path / "runs"
    served = [
        request(5, 15, tenant="a"),
        request(6, 10, first_s=6.5, tenant="b", cached=40, reasoning=20),
        request(7, 9, outcome=Outcome.LEFT, read=None, written=None, tenant="b"),
    ]
    keep_run(folder, POWER, served=served)
    calls = [
        request(0, 2, model="gpt-4o"),
        request(0, 2, model='=cmd|"<b>&\x1b[2J'),
        request(0, 2, model="qwen3-8b"),
    ]
    keep_run(folder, run=CALLS, served=calls)
    monkeypatch.setenv("WATTERMARK_LEDGER", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def run(capsys, *words):
    assert main(["serving", "report", *words]) == 0
    return capsys.readouterr().out


def document(capsys, *words):
    return json.loads(run(capsys, *words, "--json"))


@pytest.mark.parametrize("words", EXAMPLES, ids=lambda words: " ".join(words)[:70])
def test_the_examples_of_help_run(words, ledger, capsys):
    words = ["9999d" if word == "7d" else word for word in words]  # the runs are of 2026
    assert main(words) == 0
    assert capsys.readouterr().out


def test_one_document_in_the_words_of_the_house(ledger, capsys):
    found = document(capsys, "serve", "--by", "tenant")
    assert found["schema"] == 1
    side = found["serving"]["measured"]
    assert found["serving"]["estimated"] is None and found["serving"]["by"] == "tenant"
    assert side["sum_j"] == pytest.approx(side["meter_j"]) == pytest.approx(sum(POWER))
    row = side["rows"][0]
    assert set(row["footprint"]["it_energy_j"]) == {"low", "best", "high"}
    assert row["footprint"]["carbon_market_g"] is None
    assert set(row["per"]) == {"request", "1000 tokens", "1000 output tokens"}
    assert set(row["energy_per_request_j"]) == {"p50_j", "p90_j", "p99_j"}
    assert set(row["idle_share"]) == {"active", "provisioned"}
    assert (row["input_tokens"], row["output_tokens"], row["quality"]) == (100, 200, "measured")
    assert side["idle"]["ledgers"]["provisioned_idle_j"] == pytest.approx(1000)
    assert side["hours"][0]["begin"] == "2026-09-21T14:00:00Z"


def test_what_is_unknown_is_null(ledger, capsys):
    side = document(capsys, "calls")["serving"]["estimated"]
    unknown = next(row for row in side["rows"] if row["quality"] == "unknown")
    assert set(unknown["footprint"].values()) == {None} and unknown["energy_per_request_j"] is None
    assert unknown["known"] == 0 and unknown["requests"] == 1
    assert side["meter_j"] is None and any(flag.startswith("partial") for flag in side["flags"])


def test_a_person_reads_sums_beside_the_meters(ledger, capsys):
    told = run(capsys, "serve", "--by", "tenant", "--what-if", "batch=32,place=swe")
    assert "b (left)" in told and "idle capacity" in told and "in all" in told
    assert "all rows together take 1.67 Wh of IT energy, which is what the meters saw: 1.67 Wh" in " ".join(
        told.split()
    )
    assert "what if batch = 32, place = swe (measured)" in told
    assert "p50" in told and "p99" in told and "energy, 1,000 output tokens" in told


def test_both_sides_are_shown_and_not_added(ledger, capsys):
    told = run(capsys, "all")
    assert "measured: 20260921-141320-serve-00000001" in told and f"estimated: {CALLS}" in told
    assert "are not added" in " ".join(told.split())


def test_names_are_no_orders_to_a_terminal_and_no_formulas(ledger, capsys):
    assert "\x1b" not in run(capsys, "calls")
    told = run(capsys, "all", "--csv")
    assert "\x1b" not in told
    rows = list(csv.DictReader(io.StringIO(told)))
    assert {row["basis"] for row in rows} == {"measured", "estimated"}
    assert any(row["name"].startswith("'=cmd") for row in rows)
    unknown = next(row for row in rows if row["quality"] == "unknown")
    assert unknown["it_energy_j_best"] == ""
    measured = [float(row["it_energy_j_best"]) for row in rows if row["basis"] == "measured"]
    assert sum(measured) == pytest.approx(sum(POWER))


@pytest.mark.parametrize("which", ["serve", "calls"])
def test_a_picture_of_the_hours(ledger, capsys, tmp_path, which):
    run(capsys, which, "--svg", "hours.svg", "--json")
    text = (tmp_path / "hours.svg").read_text(encoding="utf-8")
    drawn = ElementTree.fromstring(text)
    titles = [one.text for one in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert any(("idle capacity" if which == "serve" else "gpt-4o") in title for title in titles)
    assert "<b>" not in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["nowhere"], "no run 'nowhere'", id="no such run"),
        pytest.param(["--by", "colour"], "invalid choice", id="no such row"),
        pytest.param(["--what-if", "batch"], "names nothing", id="a what-if of nothing"),
        pytest.param(["--what-if", "batch=0"], "a batch of 0", id="a batch of none"),
        pytest.param(["--place", "atlantis"], "atlantis", id="nowhere known"),
        pytest.param(["--window", "0"], "a window of 0 s", id="no window"),
        pytest.param(["--since", "1s"], "noted requests since then", id="nothing lately"),
        pytest.param(["calls", "--gpu", "abacus"], "abacus", id="no such accelerator"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(ledger, capsys, words, says):
    assert main(["serving", "report", *words]) == 2
    told = capsys.readouterr()
    assert says in told.err and told.err.count("\n") == 1 and not told.out


def test_windows_may_be_wider(ledger, capsys):
    narrow, wide = (document(capsys, "serve", "--window", w)["serving"]["measured"] for w in ("1", "5s"))
    assert narrow["meter_j"] == wide["meter_j"] == pytest.approx(wide["sum_j"])


def test_the_estimator_where_meters_were(ledger, capsys):
    found = document(capsys, "serve", "--estimated")["serving"]
    assert found["measured"] is None and found["estimated"]["rows"][0]["quality"] == "estimated"
