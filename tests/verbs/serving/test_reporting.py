"""What requests took, from files of a ledger to a report."""

import math

import pytest

import wattermark as wm
from serving.imports import exports
from verbs.serving.kept import STARTED_S, keep_requests, keep_run, request
from wattermark.errors import UsageError
from wattermark.report.served import sum_j
from wattermark.values.kinds import Scope
from wattermark.values.policy import ActiveIdle, Idle
from wattermark.values.served import Outcome, Route
from wattermark.values.serving_report import Basis, By
from wattermark.verbs.account import account_run
from wattermark.verbs.look import show
from wattermark.verbs.serving.importing import import_file
from wattermark.verbs.serving.reporting import Asked, serving_report_of
from wattermark.verbs.serving.requests_of import read_serving, serving_places
from wattermark.wiring.config import load_config

REST, WORK = 100.0, 500.0
POWER = [REST] * 5 + [WORK] * 10 + [REST] * 5
TWO = (request(5, 15, tenant="a"), request(6, 10, first_s=6.5, tenant="b"))
API = "20260921-151320-calls-00000002"


def report(ledger, wanted="last", **asked):
    return serving_report_of(ledger, wanted, Asked(**asked))


def side(ledger, wanted="last", **asked):
    (only,) = report(ledger, wanted, **asked).sides
    return only


def words(one):
    return {flag.partition(":")[0] for flag in one.flags}


@pytest.mark.parametrize("idle", Idle)
@pytest.mark.parametrize("active_idle", ActiveIdle)
@pytest.mark.parametrize("by", By)
def test_rows_add_up_to_what_the_meters_saw(tmp_path, by, idle, active_idle):
    keep_run(tmp_path, POWER, served=[*TWO, request(7, 9, outcome=Outcome.LEFT, read=None, written=None)])
    found = side(tmp_path, by=by, idle=idle, active_idle=active_idle)
    assert found.basis is Basis.MEASURED and found.total.quality == "measured"
    assert sum_j(found) == pytest.approx(found.meter_j, rel=1e-12)
    assert found.meter_j == pytest.approx(sum(POWER))
    for name in ("carbon_g", "carbon_embodied_g", "water_l", "water_scarcity_m3eq"):
        summed = math.fsum(row.quantities[name].high for row in found.every_row)
        assert summed == pytest.approx(found.total.quantities[name].high, rel=1e-12)
    hours_j = math.fsum(sum(hour.by_row_j.values()) + hour.idle_j for hour in found.hours)
    assert hours_j == pytest.approx(found.meter_j)


def test_the_total_is_the_footprint_of_the_machine(tmp_path):
    """Whoever serves holds the machine, though the run was recorded as a process."""
    keep_run(tmp_path, POWER, served=TWO, load=True)
    run = read_serving(serving_places(tmp_path, "last")[0])
    own, whole = (account_run(run.records, ledger=tmp_path, scope=scope) for scope in Scope)
    found = side(tmp_path)
    assert found.total.quantities == whole.quantities() != own.quantities()
    assert found.total.quality == "measured, partly modelled"
    asked = side(tmp_path, options={"scope": "process"})
    assert asked.total.quantities == own.quantities()
    for one in (found, asked):
        assert sum_j(one) == pytest.approx(one.meter_j, rel=1e-12)


def test_three_ledgers(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    found = side(tmp_path)
    assert found.total.ledgers.provisioned_idle_j == pytest.approx(10 * REST)
    assert found.total.ledgers.active_idle_j == pytest.approx(10 * REST)
    assert found.total.ledgers.dynamic_j == pytest.approx(10 * (WORK - REST))
    assert found.idle.quantities["it_energy_j"].best == pytest.approx(10 * REST)
    assert found.rows[0].ledgers.provisioned_idle_j == 0.0


def test_idle_capacity_can_be_borne_by_requests(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    found = side(tmp_path, by=By.TENANT, idle=Idle.TIME)
    assert found.idle is None
    given = {row.name: row.ledgers.provisioned_idle_j for row in found.rows}
    assert given == {"a": pytest.approx(1000 * 10 / 14), "b": pytest.approx(1000 * 4 / 14)}


@pytest.mark.parametrize(
    ("by", "names"),
    [
        pytest.param(By.MODEL, ["llama-3.1-8b", "(no name)"], id="model"),
        pytest.param(By.TENANT, ["a", "(no key)"], id="tenant"),
        pytest.param(By.ROUTE, ["chat", "embeddings"], id="route"),
        pytest.param(By.HOUR, ["2026-09-21T14:00:00Z", "2026-09-21T15:00:00Z"], id="hour"),
    ],
)
def test_rows_are_of_what_was_asked(tmp_path, by, names):
    """The run began at 14:13:20; the second request comes at 15:00:50."""
    served = [
        request(2, 40, tenant="a"),
        request(2850, 2851, model="", route=Route.EMBEDDINGS, written=0),
    ]
    keep_run(tmp_path, [*[WORK] * 100, *[REST] * 2800], served=served)
    assert [row.name for row in side(tmp_path, by=by).rows] == names


def test_each_outcome_is_a_row(tmp_path):
    left = request(6, 8, outcome=Outcome.LEFT, read=None, written=None)
    refused = request(6, 6, outcome=Outcome.REFUSED, read=None, written=None)
    keep_run(tmp_path, POWER, served=[*TWO, left, refused])
    found = {row.outcome: row for row in side(tmp_path).rows}
    assert set(found) == {Outcome.OK, Outcome.LEFT, Outcome.REFUSED}
    assert found[Outcome.LEFT].quantities["it_energy_j"].best > 0
    assert found[Outcome.REFUSED].quantities["it_energy_j"].best == 0
    assert found[Outcome.REFUSED].spread is None


@pytest.mark.parametrize(
    ("served", "word", "says"),
    [
        pytest.param(
            [request(-90, -80), request(6, 9)], "outside", "1 of 2 requests ran when no meter", id="before"
        ),
        pytest.param([request(9e5, 9e5 + 1)], "clocks-apart", "the two clocks differ", id="another clock"),
        pytest.param(
            [request(6, 9, read=None, written=None)], "tokens-untold", "told no tokens", id="no usage"
        ),
        pytest.param([request(6, 9, model="our-own")], "model-unknown", "our-own", id="a model of one's own"),
        pytest.param([request(0, 20)], "idle-unseen", "hardly ever without requests", id="never at rest"),
    ],
)
def test_one_clear_sentence(tmp_path, served, word, says):
    keep_run(tmp_path, POWER, served=served)
    flags = [flag for flag in side(tmp_path).flags if flag.startswith(word)]
    assert len(flags) == 1 and says in flags[0]


def test_requests_that_no_meter_saw_have_no_energy(tmp_path):
    keep_run(tmp_path, POWER, served=[request(9e5, 9e5 + 1)])
    found = side(tmp_path)
    assert found.rows[0].quantities["it_energy_j"] is None and found.rows[0].quality == "unknown"
    assert found.idle.quantities["it_energy_j"].best == pytest.approx(sum(POWER))


def test_an_unknown_model_changes_no_sum_and_is_told_once(tmp_path):
    keep_run(tmp_path, POWER, served=[request(6 + i / 10, 9, model="our-own") for i in range(9)])
    found = side(tmp_path)
    assert sum(flag.startswith("model-unknown") for flag in found.flags) == 1
    assert sum_j(found) == pytest.approx(found.meter_j)


def test_damaged_files_are_told_and_lose_no_other_line(tmp_path):
    folder = keep_run(tmp_path, POWER, served=TWO)
    with (folder / "requests" / "h-1.jsonl").open("a") as file:
        file.write('{"kind":"request","begin_ns":"?"}\n{"kind":"request","beg')
    found = side(tmp_path)
    assert found.total.tally.requests == 2
    assert "requests-damaged: 1 unreadable lines and 22 bytes" in " ".join(found.flags)


def test_processes_of_one_machine_serve_together(tmp_path):
    """Workers of one server: each has a file, and one meter saw them all."""
    folder = keep_run(tmp_path, POWER, served=TWO)
    keep_run(tmp_path, POWER, pid=2, served=[request(5, 12, tenant="c")])
    found = side(tmp_path, by=By.TENANT)
    assert {row.name for row in found.rows} == {"a", "b", "c"}
    assert found.meter_j == pytest.approx(sum(POWER))
    assert len(list((folder / "requests").iterdir())) == 2


def test_each_machine_charges_its_own_requests(tmp_path):
    keep_run(tmp_path, POWER, served=[request(5, 15, tenant="a")])
    keep_run(tmp_path, [2 * one for one in POWER], host="g", served=[request(5, 15, tenant="b")])
    found = {row.name: row.quantities["it_energy_j"].best for row in side(tmp_path, by=By.TENANT).rows}
    assert found == {"a": pytest.approx(10 * WORK), "b": pytest.approx(2 * 10 * WORK)}


def test_a_file_of_nobody_is_told(tmp_path):
    folder = keep_run(tmp_path, POWER, served=TWO)
    keep_run(tmp_path, POWER, host="g", served=())
    keep_requests(folder, [request(6, 8)], name="stranger-9")
    assert "requests-strange" in words(side(tmp_path))


def test_several_runs_add_up(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    keep_run(
        tmp_path, POWER, run=API, served=[request(5, 9, tenant="a")], place="swe", started_s=STARTED_S + 60
    )
    found = side(tmp_path, "all", by=By.TENANT)
    assert found.meter_j == pytest.approx(2 * sum(POWER)) and sum_j(found) == pytest.approx(found.meter_j)
    assert len(found.runs) == 2 and "several-places" in words(found)
    assert "twice" not in words(found)
    assert found.rows[0].tally.requests == 2


@pytest.mark.parametrize(
    ("header", "twice"),
    [
        pytest.param({"started_s": STARTED_S}, True, id="two engines on one GPU"),
        pytest.param({"started_s": STARTED_S + 3600}, False, id="one after the other"),
        pytest.param({"started_s": STARTED_S, "host": "g"}, False, id="on two machines"),
    ],
)
def test_a_machine_that_is_counted_twice_is_told(tmp_path, header, twice):
    keep_run(tmp_path, POWER, served=TWO)
    keep_run(tmp_path, POWER, run=API, pid=2, served=TWO, **header)
    assert ("twice" in words(side(tmp_path, "all"))) is twice


def test_only_runs_that_began_since(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    keep_run(tmp_path, POWER, run=API, served=TWO, started_s=STARTED_S + 3600)
    found = serving_report_of(tmp_path, "all", begun_after_s=STARTED_S + 60.0)
    assert found.sides[0].runs == (API,)
    with pytest.raises(UsageError, match="noted requests since then"):
        serving_report_of(tmp_path, "all", begun_after_s=STARTED_S + 7200.0)


def test_accounted_elsewhere(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    here, there = side(tmp_path), side(tmp_path, options={"place": "swe"})
    assert (
        there.total.quantities["carbon_operational_g"].best
        < here.total.quantities["carbon_operational_g"].best / 4
    )
    assert there.meter_j == here.meter_j


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        pytest.param({"window_s": 0.0}, "a window of 0 s", id="no window"),
        pytest.param({"batch": 0.5}, "a batch of 0.5", id="half a request"),
        pytest.param({"what_if": {"colour": "red"}}, "there is no what-if 'colour'", id="a strange what-if"),
        pytest.param({"what_if": {"batch": "many"}}, "a batch of many", id="a batch that is no number"),
        pytest.param({"what_if": {"batch": "nan"}}, "a batch of nan", id="a batch of nan"),
        pytest.param({"what_if": {"place": "atlantis"}}, "atlantis", id="nowhere"),
        pytest.param({"what_if": {"model": "gpt-99"}}, "gpt-99", id="a model that nobody knows"),
        pytest.param({"gpu": "abacus"}, "abacus", id="no such accelerator"),
    ],
)
def test_what_cannot_be_meant(tmp_path, asked, says):
    keep_run(tmp_path, POWER, served=TWO)
    with pytest.raises(UsageError, match=says):
        report(tmp_path, **asked)


def test_a_run_without_requests_says_so(tmp_path):
    keep_run(tmp_path, POWER, served=None)
    keep_run(tmp_path, POWER, run=API, served=())
    for wanted in ("serve", "calls"):
        with pytest.raises(UsageError, match="noted no requests"):
            report(tmp_path, wanted)
    with pytest.raises(UsageError, match=r"no run in .* noted requests"):
        report(tmp_path)


def test_show_says_that_there_are_requests(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    assert any(
        flag.startswith("served: 2 requests; see: wattermark serving report")
        for flag in show(tmp_path, "last").footprint.flags
    )
    keep_run(tmp_path, POWER, run=API, served=())
    assert not any(flag.startswith("served") for flag in show(tmp_path, "calls").footprint.flags)


# -- without a meter ---------------------------------------------------------------------


CALLS = (
    request(0, 2, model="gpt-4o", provider="openai"),
    request(0, 3, model="openai/gpt-4o-2024-08-06", provider="litellm"),
    request(1, 4, model="qwen3-8b", read=1000, cached=400),
    request(1, 4, model="nobody-knows"),
    request(2, 3, model="qwen3-8b", read=None, written=None),
    request(2, 3, model="qwen3-8b", outcome=Outcome.REFUSED, read=None, written=None),
)


def test_without_a_meter_the_estimator_speaks(tmp_path):
    keep_run(tmp_path, served=CALLS)
    found = side(tmp_path)
    assert (found.basis, found.meter_j, found.idle) == (Basis.ESTIMATED, None, None)
    rows = {(row.name, row.outcome): row for row in found.rows}
    openai = rows["gpt-4o", Outcome.OK]
    assert openai.quality == "estimated" and openai.ledgers is None
    assert openai.quantities["it_energy_j"].high > 5 * openai.quantities["it_energy_j"].low
    assert (
        rows["openai/gpt-4o-2024-08-06", Outcome.OK].quantities["it_energy_j"]
        == openai.quantities["it_energy_j"]
    )
    assert rows["qwen3-8b", Outcome.OK].tally.known == 1
    assert rows["qwen3-8b", Outcome.REFUSED].quantities["it_energy_j"] is None


def test_what_nobody_knows_is_no_figure_and_sums_say_so(tmp_path):
    keep_run(tmp_path, served=CALLS)
    found = side(tmp_path)
    unknown = next(row for row in found.rows if row.name == "nobody-knows")
    assert set(unknown.quantities.values()) == {None} and unknown.quality == "unknown"
    told = [flag for flag in found.flags if flag.startswith("partial")]
    assert (
        len(told) == 2 and "nobody-knows" in " ".join(told) and "1 requests told no tokens" in " ".join(told)
    )
    known = [row.quantities["it_energy_j"].best for row in found.rows if row.quantities["it_energy_j"]]
    assert found.total.quantities["it_energy_j"].best == pytest.approx(sum(known))


def test_an_estimate_is_the_estimators_own(tmp_path):
    """The same request as ``wattermark estimate api`` and ``estimate inference`` have it."""
    keep_run(tmp_path, served=[request(0, 2, model="gpt-4o", read=100, written=300)])
    api = wm.estimate_api(wm.ApiCalls(model="gpt-4o", input_tokens=100, output_tokens=300))
    assert side(tmp_path).total.quantities["carbon_g"] == api.footprint.carbon_g
    keep_run(tmp_path, run=API, served=[request(0, 2, model="qwen3-8b", read=100, written=300)])
    own = wm.estimate_inference(
        wm.Inference(model="qwen3-8b", gpu="h100-sxm", batch=32, input_tokens=100, output_tokens=300)
    )
    found = side(tmp_path, "calls", batch=32.0, gpu="h100")
    assert found.total.quantities["it_energy_j"].best == pytest.approx(own.footprint.it_energy_j.best)


def test_the_place_of_who_calls_is_not_that_of_who_serves(tmp_path):
    keep_run(tmp_path, served=CALLS, place="swe")
    assert "WORLD" in side(tmp_path).place and "place-unknown" in words(side(tmp_path))
    there = side(tmp_path, options={"place": "usa"})
    assert "USA" in there.place and "place-unknown" not in words(there)


def test_an_embedding_is_a_prompt_alone(tmp_path):
    vectors = request(0, 2, model="qwen3-8b", read=500, written=None, route=Route.EMBEDDINGS)
    keep_run(tmp_path, served=[vectors, request(0, 2, model="qwen3-8b", read=500, written=500)])
    embed, chat = (row.quantities["it_energy_j"].best for row in side(tmp_path, by=By.ROUTE).rows[::-1])
    assert 0 < embed < chat / 5
    assert "half-told" not in words(side(tmp_path))


@pytest.mark.parametrize("part", ["read", "written"])
def test_tokens_that_were_told_by_half_are_said_to_be(tmp_path, part):
    keep_run(tmp_path, served=[request(0, 2, model="qwen3-8b", **{part: None})])
    assert "half-told" in words(side(tmp_path))


def test_both_stand_side_by_side_and_are_not_added(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    keep_run(tmp_path, run=API, served=CALLS)
    found = report(tmp_path, "all")
    assert [one.basis for one in found.sides] == [Basis.MEASURED, Basis.ESTIMATED]
    assert found.flags[0].startswith("two-sides")
    assert found.sides[0].meter_j == pytest.approx(sum(POWER))


def test_a_meter_of_the_wrong_machine_can_be_left_out(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    assert side(tmp_path, basis=Basis.ESTIMATED).basis is Basis.ESTIMATED


# -- what if -----------------------------------------------------------------------------


def what_if(ledger, wanted="last", **asked):
    (found,) = report(ledger, wanted, what_if=asked).what_if
    return found


def test_a_larger_batch_takes_less(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    found = what_if(tmp_path, batch="32")
    assert found.then["it_energy_j"].best < found.now["it_energy_j"].best
    assert found.then["it_energy_j"].best > 10 * REST  # idle capacity stays
    assert found.then["carbon_embodied_g"] == found.now["carbon_embodied_g"]
    assert {flag.partition(":")[0] for flag in found.flags} == {"ratios-of-a-model", "ratio"}


def test_another_place_takes_as_much_energy(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    found = what_if(tmp_path, place="swe")
    assert found.then["it_energy_j"].best == pytest.approx(found.now["it_energy_j"].best)
    assert found.then["carbon_g"].best < found.now["carbon_g"].best / 3
    assert found.flags == ()


def test_of_a_model_that_nobody_knows_there_is_no_ratio(tmp_path):
    keep_run(tmp_path, POWER, served=[request(5, 15, model="our-own")])
    found = what_if(tmp_path, model="llama-3.1-70b")
    assert found.then["it_energy_j"].best == pytest.approx(found.now["it_energy_j"].best)
    assert any(flag.startswith("no-ratio: our-own") for flag in found.flags)


def test_a_larger_model_takes_more(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    keep_run(tmp_path, run=API, served=CALLS)
    for wanted in ("serve", "calls"):
        found = what_if(tmp_path, wanted, model="llama-3.1-405b")
        assert found.then["it_energy_j"].best > found.now["it_energy_j"].best


# -- from Python -------------------------------------------------------------------------


def test_from_python(tmp_path):
    keep_run(tmp_path, POWER, served=TWO)
    found = wm.serving_report("last", by="tenant", ledger=str(tmp_path), what_if={"batch": 8}, place="swe")
    assert [row.name for row in found.sides[0].rows] == ["a", "b"] and len(found.what_if) == 1
    assert wm.serving_report(since="9999d", ledger=str(tmp_path)).sides[0].total.tally.requests == 2
    with pytest.raises(UsageError, match="by is 'colour'"):
        wm.serving_report(by="colour", ledger=str(tmp_path))
    with pytest.raises(TypeError, match="no argument 'colour'"):
        wm.serving_report(colour="red", ledger=str(tmp_path))


def test_a_row_of_an_export_counts_as_the_requests_that_it_stands_for(tmp_path):
    """The usage page tells 5 requests in one row; 5 requests of a fifth each are the same."""
    config = load_config({"ledger": str(tmp_path / "page")})
    import_file(exports.written(tmp_path, "openai-usage"), config=config)
    alike = [request(i, i + 1, model="gpt-4o", read=200, cached=160, written=100) for i in range(5)]
    keep_run(tmp_path / "apart", served=alike)
    one, five = (side(tmp_path / name) for name in ("page", "apart"))
    assert one.total.tally.requests == five.total.tally.requests == 5
    assert one.total.tally.known == 5 and one.total.tally.input_tokens == 1000
    for name in ("it_energy_j", "carbon_operational_g"):
        assert one.total.quantities[name].best == pytest.approx(five.total.quantities[name].best)
        for unit in ("request", "1000 tokens"):
            assert one.total.per[unit]["it_energy_j"].best == pytest.approx(
                five.total.per[unit]["it_energy_j"].best
            )
    assert one.total.spread.p99_j == pytest.approx(five.total.spread.p99_j)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        pytest.param({"read": 0, "written": 0, "model": "gpt-4o"}, "gpt-4o", id="a gateway's cache"),
        pytest.param({"read": 0, "written": 0, "model": "nobody-knows"}, "nobody-knows", id="of any model"),
        pytest.param({"read": 0, "written": 0}, "llama-3.1-8b", id="an open one's cache"),
        pytest.param(
            {"read": None, "written": None, "model": "", "route": Route.OTHER}, "other", id="GET /v1/models"
        ),
    ],
)
@pytest.mark.parametrize("power_w", [(), POWER], ids=["estimated", "measured"])
def test_what_took_no_tokens_took_nothing(tmp_path, power_w, more, name):
    own = request(5, 15, model="qwen3-8b")
    keep_run(tmp_path, power_w, served=[own])
    alone = side(tmp_path)
    keep_run(tmp_path, power_w, run=API, served=[own, request(6, 8, **more)])
    found = side(tmp_path, "calls")
    rows = {row.name: row for row in found.rows}
    assert rows[name].quantities["it_energy_j"].best == 0 and rows[name].tally.untold == 0
    assert rows["qwen3-8b"].quantities == alone.rows[0].quantities
    assert not words(found) & {"model-unknown", "tokens-untold", "partial", "half-told"}


def test_a_closed_model_of_which_nothing_was_published_is_guessed(tmp_path):
    calls = [
        request(0, 2, model="gpt-99", provider="openai"),
        request(0, 2, model="anthropic/claude-99", provider="openrouter"),
        request(0, 2, model="nobody-knows", provider="vllm"),
    ]
    keep_run(tmp_path, served=calls)
    found = side(tmp_path)
    rows = {row.name: row for row in found.rows}
    for name in ("gpt-99", "anthropic/claude-99"):
        band = rows[name].quantities["it_energy_j"]
        assert band.high > 20 * band.low
        assert any(flag.startswith("guessed: ") and name in flag for flag in found.flags)
    assert rows["nobody-knows"].quantities["it_energy_j"] is None


def test_events_of_one_request_on_two_machines_are_one_request(tmp_path):
    """One machine reads the prompt, the other writes the answer and computes no prompt."""
    keep_run(tmp_path, POWER, served=[request(5, 6, read=500, written=1, request="r1")])
    keep_run(
        tmp_path,
        POWER,
        host="g",
        served=[
            request(6, 15, read=500, written=200, request="r1"),
            request(6, 15, read=1, written=200, request="r2"),
        ],
    )
    found = side(tmp_path)
    assert found.total.tally.requests == 2 and found.total.tally.input_tokens == 501
    assert sum_j(found) == pytest.approx(found.meter_j, rel=1e-12)
    assert found.total.spread.p50_j < found.total.spread.p99_j


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("meta-llama/Llama-3.1-8B-Instruct", id="an alias"),
        pytest.param("sql-adapter", id="an adapter that no table has"),
    ],
)
def test_names_of_one_model_share_its_steps(tmp_path, other):
    """Eight requests alike; what one of them calls the model changes nobody's share."""
    eight = [request(5, 15, tenant="a") for _ in range(7)]
    keep_run(tmp_path, POWER, served=[*eight, request(5, 15, tenant="b", model=other)])
    of = {row.name: row.quantities["it_energy_j"].best for row in side(tmp_path, by=By.TENANT).rows}
    assert of["a"] == pytest.approx(7 * of["b"])


def test_capacity_goes_by_the_time_of_requests_that_worked(tmp_path):
    refused = request(0, 20, outcome=Outcome.REFUSED, read=None, written=None, status=401, tenant="c")
    keep_run(tmp_path, POWER, served=[*TWO, refused])
    of = {row.name: row for row in side(tmp_path, by=By.TENANT, idle=Idle.TIME).rows}
    assert of["c"].quantities["it_energy_j"].best == 0
    assert of["a"].ledgers.provisioned_idle_j > 0


def test_a_run_without_meters_whose_lines_are_all_damaged_is_told_and_breaks_nothing(tmp_path):
    folder = keep_run(tmp_path, served=TWO)
    (path,) = (folder / "requests").glob("*.jsonl")
    head, *lines = path.read_text().splitlines()
    path.write_text(
        "\n".join([head, *(text.replace('"begin_ns":', '"begin_ns":-') for text in lines)]) + "\n"
    )
    try:
        told = report(tmp_path)
    except UsageError as error:
        assert "no run" in str(error)
    else:
        assert not told.sides or "requests-damaged" in words(told.sides[0])
