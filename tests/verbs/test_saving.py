"""A run that was planned and recorded, audited by hours that are known."""

import json
from dataclasses import replace

import pytest

from science.schedule.made import HOUR, KWH, job, outlook, rates
from wattermark.errors import BadSpool, UsageError
from wattermark.ledger.plans import note
from wattermark.ledger.spool import line, reader_line, run_line
from wattermark.report.audited import audit_document, audit_sections
from wattermark.report.planned import plan_document, plan_of
from wattermark.science.schedule.choice import choose
from wattermark.science.schedule.verdict import Known, judged
from wattermark.science.schedule.weights import CARBON_ONLY
from wattermark.values.kinds import Kind, Part, Scope
from wattermark.values.plan import Heard
from wattermark.values.records import Channel, RunHeader
from wattermark.values.series import Signal
from wattermark.verbs.moments import iso
from wattermark.verbs.pausing import pauses
from wattermark.verbs.saving import audit, saved
from wattermark.verbs.spending import spent_by
from wattermark.wiring.config import Config

RUN = "20260101-000000-x-00000000"
PACKAGE = Channel(
    name="cpu/package-0", kind=Kind.COUNTER, part=Part.CPU, unit="uJ", covers="cpu/package-0", wrap=10**13
)
STEP_S = 600
CLOCKS = ("started_ns", "mono_ns", "time_ns")
LATER_NS = int(3.5 * 3600 * 10**9)


@pytest.fixture
def ledger(tmp_path):
    """A machine's run from hour 2 to hour 4 of 1970: 1 kW, but 0.1 kW in the half hour when it was paused."""
    header = RunHeader(
        run=RUN, name="x", host="h", pid=1, started_ns=2 * 3600 * 10**9, mono_ns=0, interval_s=STEP_S,
        scope=Scope.MACHINE, tags={"plan": "p"},
    )  # fmt: skip
    text, energy_uj = run_line(header) + reader_line("rapl", [PACKAGE]), 0
    for second in range(0, 7200 + STEP_S, STEP_S):
        text += line("beat", mono_ns=second * 10**9, time_ns=second * 10**9, rapl=[energy_uj])
        energy_uj += (100 if 3600 <= second < 5400 else 1000) * STEP_S * 10**6
    text += line("stop", mono_ns=7200 * 10**9, time_ns=7200 * 10**9, status="ok")
    (tmp_path / RUN).mkdir()
    (tmp_path / RUN / "h-1.jsonl").write_text(text)
    return tmp_path


def made_plan(**signals):
    planned = job(hours=1.5, kwh=1.5, within=6, interruptible=True)
    home = outlook("home", **signals)
    known = [rates("home", **signals)]
    choice = choose(known, planned, CARBON_ONLY)
    plan = judged(planned, choice, [Known(one, {}) for one in known], [home], weights=CARBON_ONLY, made_s=0.0)
    heard = Heard(signal=Signal.CARBON, place="home", source="s", basis="", begin_s=0, end_s=6 * HOUR)
    return plan, {"home": replace(home, heard=(heard,))}


PAUSED = [(3 * HOUR, 3.5 * HOUR)]


def test_the_energy_of_a_run_hour_by_hour(ledger):
    found = spent_by(ledger, RUN, PAUSED)
    assert [(one.begin_s / HOUR, one.end_s / HOUR, one.paused) for one in found] == [
        (2, 3, False), (3, 3.5, True), (3.5, 4, False),
    ]  # fmt: skip
    kwh = [one.it_energy_j / KWH for one in found]
    assert kwh[:3] == pytest.approx([1, 0.05, 0.5], rel=0.02)


def test_what_it_saved(ledger):
    plan, outlooks = made_plan(carbon=[500, 400, 100, 900, 200, 200])
    found = audit(RUN, "p", plan, spent_by(ledger, RUN, PAUSED), outlooks, now_s=100 * HOUR)
    (carbon,) = found.claims
    assert found.refused == ""
    assert carbon.realised == pytest.approx(100 + 0.05 * 900 + 0.5 * 900, rel=0.02)
    assert carbon.start_now == pytest.approx(500 + 0.5 * 400, rel=0.02)
    assert carbon.oracle == pytest.approx(100 + 0.5 * 200, rel=0.02)
    document = json.loads(json.dumps(audit_document(found)))
    assert document["claimed"] and document["claims"][0]["saving"] == pytest.approx(carbon.saving)
    assert "it saved" in audit_sections(found)[0].sentences[0]


def test_a_loss_is_told_as_one(ledger):
    plan, outlooks = made_plan(carbon=[100, 100, 500, 900, 200, 200])
    found = audit(RUN, "p", plan, spent_by(ledger, RUN, PAUSED), outlooks, now_s=100 * HOUR)
    assert "more carbon than a start at once" in audit_sections(found)[0].sentences[0]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        pytest.param([("pause", 1), ("resume", 2)], [(1, 2)], id="one"),
        pytest.param([("pause", 1), ("pause", 2), ("resume", 3)], [(1, 3)], id="told twice"),
        pytest.param([("resume", 1), ("pause", 2)], [], id="never ended"),
        pytest.param(
            [("start", 0), ("pause", 1), ("resume", 2), ("pause", 3), ("resume", 4)],
            [(1, 2), (3, 4)],
            id="two",
        ),
        pytest.param(
            [("pause", 1, "requeue"), ("pause", 4, "signal"), ("resume", 5)], [(4, 5)], id="it left"
        ),
        pytest.param([("pause", 1, "checkpoint"), ("resume", 5)], [], id="it saved and left"),
    ],
)
def test_pauses_by_what_was_written(told, found):
    lines = [dict(zip(("kind", "at_s", "by"), words, strict=False)) for words in told]
    assert pauses(lines) == found


def test_what_lies_between_two_parts_is_no_part_of_the_energy(ledger):
    """The second part of the run began at hour 5.5; its energy is that of half an hour, not of an hour."""
    spool = ledger / RUN / "h-1.jsonl"
    rows = [json.loads(row) for row in spool.read_text().splitlines()]
    moved = [
        {key: LATER_NS + value if key in CLOCKS else value for key, value in row.items()} for row in rows
    ]
    moved[0]["part"] = 1
    spool.with_name("h-2.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in moved))
    found = spent_by(ledger, RUN)
    assert [(one.begin_s / HOUR, one.end_s / HOUR) for one in found] == [
        (2, 3), (3, 4), (5.5, 6), (6, 7), (7, 7.5),
    ]  # fmt: skip


def test_all_of_it_from_the_ledger_and_by_a_usual_year_nothing_is_claimed(ledger):
    plan, _ = made_plan(carbon=[500, 400, 100, 900, 200, 200])
    document = plan_document(plan, str)
    assert plan_of(document) == plan
    text = json.dumps(document).replace('"home"', '"deu"')
    note(ledger, "p", "plan", **json.loads(text))
    found = saved(ledger, RUN, config=Config(), now_s=100 * HOUR)
    assert "nobody told" in found.refused


@pytest.mark.parametrize(
    ("until_h", "refused"),
    [
        pytest.param(3, "is not known", id="the file ends while it runs: our own forecast is no proof"),
        pytest.param(8, "", id="the file tells all of its hours"),
    ],
)
def test_a_file_proves_the_hours_that_it_tells(ledger, tmp_path, until_h, refused):
    plan, _ = made_plan(carbon=[500, 400, 100, 900, 200, 200])
    text = json.dumps(plan_document(plan, str)).replace('"home"', '"deu"')
    note(ledger, "p", "plan", **json.loads(text))
    hours = [f"{iso(h * HOUR)},{300 + h % 24}" for h in range(-15 * 24, until_h)]
    path = tmp_path / "mine_lifecycle.csv"
    path.write_text("\n".join(("datetime_utc,DE", *hours)), encoding="utf-8")
    config = Config(place="deu", signals_file=str(path))
    found = saved(ledger, RUN, config=config, now_s=100 * HOUR)
    assert (refused in found.refused) if refused else not found.refused


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        pytest.param([("plan", {"plan": {}})], BadSpool, id="a plan that is none"),
        pytest.param([("plan", {"plan": []})], BadSpool, id="not even a mapping"),
        pytest.param([("pause", {})], BadSpool, id="no plan in it"),
        pytest.param([], BadSpool, id="no file"),
    ],
)
def test_a_plan_that_cannot_be_read(ledger, lines, error):
    for kind, told in lines:
        note(ledger, "p", kind, **told)
    with pytest.raises(error):
        saved(ledger, RUN, config=Config(), now_s=0.0)


def test_a_run_without_a_plan_says_how_to_have_one(ledger):
    spool = ledger / RUN / "h-1.jsonl"
    spool.write_text(spool.read_text().replace('"plan":"p"', ""))
    with pytest.raises(UsageError, match="was not planned"):
        saved(ledger, RUN, config=Config(), now_s=0.0)
