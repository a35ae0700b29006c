"""What is known of requests while they are served: it adds up, only rises, and stays small."""

import random
import time
import tracemalloc

import pytest

from wattermark.science.running import Running
from wattermark.science.sharing.live import Stretch, settle
from wattermark.values.served import Outcome, Route, Served, Usage
from wattermark.values.units import NS_PER_S
from wattermark.verbs.live import Look
from wattermark.verbs.serving.counts import MOST_GROUPS, MOST_SPREADS
from wattermark.verbs.serving.live import Live, part_of
from wattermark.verbs.serving.priors import MOST_MODELS, cost_named

from .metered import CONFIG, Metered, by


@pytest.fixture
def metered(tmp_path):
    return Metered(tmp_path, ago_s=40)


def test_ledgers_add_up_to_the_meter_and_idle_is_in_the_open(metered):
    live = metered.live()
    metered.runs(10, 100.0)
    seat = live.begins(metered.ns(10), model="llama-3.1-8b", tenant="a")
    metered.runs(10, 400.0)
    live.note(metered.served(10, 20, tenant="a"), seat)
    metered.runs(10, 100.0)
    sums = live.sums()
    assert sums.meter_j == pytest.approx(6000) and sums.unsettled_j == pytest.approx(0, abs=1e-6)
    told = by(sums, "ledger")
    assert told == pytest.approx({"dynamic": 3000, "active_idle": 1000, "provisioned_idle": 2000})
    assert by(sums, "quality") == pytest.approx({"measured": 6000})
    assert sums.power_w == pytest.approx(100)


@pytest.mark.parametrize(
    ("other", "least", "most"),
    [
        pytest.param({}, 1.0, 1.0, id="two of a kind are charged alike"),
        pytest.param({"written": 5}, 7.0, 13.0, id="who writes ten times as much pays for it"),
        pytest.param({"read": None, "written": None}, 0.9, 1.1, id="who told nothing is taken for usual"),
        pytest.param(
            {"outcome": Outcome.REFUSED, "read": None, "written": None},
            1e6,
            1e99,
            id="who was refused did no work",
        ),
    ],
)
def test_requests_pay_for_their_work(metered, other, least, most):
    live = metered.runs(20, 300.0).live()
    live.note(metered.served(5, 15, tenant="one", read=10))
    live.note(metered.served(5, 15, tenant="other", **{"read": 10, **other}))
    live.beat()
    dynamic = by(live.sums(), "ledger", "tenant")
    ratio = dynamic["dynamic", "one"] / max(dynamic.get(("dynamic", "other"), 0.0), 1e-9)
    assert least * (1 - 1e-9) <= ratio <= most * (1 + 1e-9)


def test_a_window_waits_for_who_is_still_there(metered):
    live = metered.live()
    seats = [live.begins(metered.ns(begin_s), model="llama-3.1-8b") for begin_s in (5, 10)]
    metered.runs(20, 200.0)
    live.note(metered.served(5, 20, tenant="fast"), seats[0])
    metered.runs(5, 200.0)
    before = live.sums()
    assert before.open == 1 and before.unsettled_j == pytest.approx(15 * 200)
    live.note(metered.served(10, 25, tenant="slow"), seats[1])
    live.beat()
    after = live.sums()
    assert after.open == 0 and after.unsettled_j == pytest.approx(0, abs=1e-6)
    assert by(after, "tenant")["slow"] > 0.5 * by(after, "tenant")["fast"]


def test_nobody_holds_windows_up_for_longer_than_a_minute(tmp_path):
    metered = Metered(tmp_path, ago_s=120)
    live = metered.live()
    seat = live.begins(metered.ns(10), model="llama-3.1-8b", tenant="endless", route=Route.CHAT)
    seat.first_ns, seat.chunks = metered.ns(11), 5000
    metered.runs(115, 200.0)
    sums = live.sums()
    assert 45 * 200 < by(sums, "tenant")["endless"] < 52 * 200
    assert 50 * 200 < sums.unsettled_j < 62 * 200
    live.note(metered.served(10, 114, tenant="endless"), seat)
    live.beat()
    done = live.sums()
    assert done.unsettled_j == pytest.approx(0, abs=1e-6)
    assert sum(by(done, "tenant").values()) == pytest.approx(done.meter_j)
    (_, counts, whole_j) = done.request_energy[0]
    assert counts[-1][1] == 1 and whole_j == pytest.approx(by(done, "tenant")["endless"])


@pytest.mark.parametrize("seed", range(20))
def test_sums_only_rise_and_always_add_up(tmp_path, seed):
    """Requests that begin and end at random, meters that stand still now and then, beats in between."""
    chance = random.Random(seed)
    metered = Metered(tmp_path, ago_s=chance.choice([62, 150]))
    live, under_way, before = metered.live(), [], {}
    for _ in range(60):
        metered.runs(1, chance.choice([0.0, 50.0, 300.0]))
        for _ in range(chance.randrange(3)):
            begin_s = metered.at_s - chance.random()
            model, tenant = chance.choice(["llama-3.1-8b", "", "unheard-of"]), chance.choice("abc")
            seat = live.begins(metered.ns(begin_s), model=model, tenant=tenant)
            under_way.append((seat, begin_s, model, tenant))
        while under_way and chance.random() < 0.5:
            seat, begin_s, model, tenant = under_way.pop(chance.randrange(len(under_way)))
            known = {} if chance.random() < 0.7 else {"read": None, "written": None}
            outcome = chance.choice(list(Outcome))
            live.note(
                metered.served(begin_s, metered.at_s, model=model, tenant=tenant, outcome=outcome, **known),
                seat,
            )
        live.beat()
        sums = live.sums()
        told = by(sums, "ledger", "model", "tenant", "outcome")
        assert sum(told.values()) + sums.unsettled_j == pytest.approx(sums.meter_j, abs=1e-6)
        assert all(told[key] >= energy_j - 1e-9 for key, energy_j in before.items())
        before = told
    assert sums.meter_j == pytest.approx(metered.energy_j, rel=1e-6)


def test_what_is_settled_window_by_window_is_what_the_whole_gives(metered):
    """A request in many windows that were settled in two goes, by those who ended in between."""
    live = metered.live()
    metered.runs(5, 100.0)
    seats = [live.begins(metered.ns(5), model="llama-3.1-8b") for _ in range(2)]
    metered.runs(10, 300.0)
    long, short = metered.served(5, 25, tenant="long"), metered.served(5, 15, tenant="short")
    live.note(short, seats[0])
    metered.runs(10, 200.0)
    live.note(long, seats[1])
    live.beat()
    stretches = [
        Stretch(begin_ns=metered.ns(at), end_ns=metered.ns(at + 1), energy_j=watts, carbon_g=0, water_l=0)
        for at, watts in enumerate([300.0] * 10 + [200.0] * 10, 5)
    ]
    parts = [part_of(one, group) for group, one in enumerate((long, short))]
    whole = settle(stretches, parts, [cost_named("llama-3.1-8b")], groups=2, idle_w=100.0)
    told = by(live.sums(), "ledger", "tenant")
    assert [told["dynamic", name] for name in ("long", "short")] == pytest.approx(whole.dynamic_j.tolist())


def test_what_is_reckoned_anew_takes_nothing_back(metered):
    """Embodied carbon and factors are reckoned anew with each look, and may come out a little lower."""
    live = Live(CONFIG, metered.path, start=False)
    live._see(Look(0, NS_PER_S, Running(1.0, 100.0, 100.0, 5.0, 0.5), True))
    live._see(Look(0, 2 * NS_PER_S, Running(2.0, 200.0, 100.0, 4.0, 0.4), True))
    live._see(Look(0, 3 * NS_PER_S, Running(3.0, 300.0, 100.0, 6.0, 0.6), True))
    assert [one.carbon_g for one in live._stretches] == [5.0, 0.0, 1.0]
    assert [one.water_l for one in live._stretches] == pytest.approx([0.5, 0.0, 0.1])


def test_without_a_meter_the_estimator_speaks(tmp_path):
    live, tokens = Live(CONFIG, start=False), Usage(input_tokens=150, output_tokens=400)
    for model in ("gpt-4o", "llama-3.1-8b", "unheard-of"):
        live.note(Served(begin_ns=0, end_ns=10**9, model=model, usage=tokens))
    live.note(Served(begin_ns=0, end_ns=10**9, model="gpt-4o", outcome=Outcome.UNREACHED))
    for one in (Usage(input_tokens=0, output_tokens=0), Usage()):
        live.note(Served(begin_ns=0, end_ns=10**9, usage=one))  # a cache's, and a question to the server
    live.beat()
    sums = live.sums()
    assert {(ledger, quality) for _, ledger, quality, *_ in sums.energy} == {("undivided", "estimated")}
    energies = by(sums, "model")
    assert set(energies) == {"gpt-4o", "llama-3.1-8b"} and energies["gpt-4o"] == pytest.approx(1300, rel=0.2)
    assert sums.unaccounted == 1 and sums.meter_j == 0


def test_too_many_labels_go_together(tmp_path):
    live = Live(CONFIG, start=False)
    for number in range(MOST_GROUPS + 500):
        usage = Usage(input_tokens=1, output_tokens=1)
        live.note(Served(begin_ns=0, end_ns=1, model=f"m{number % 400}", tenant=f"t{number}", usage=usage))
    live.beat()
    sums = live.sums()
    assert len(sums.requests) == MOST_GROUPS
    assert dict((who.tenant, many) for who, many in sums.requests)["other"] == 501
    assert len(sums.request_time) == MOST_SPREADS + 1
    assert len(live._models) == MOST_MODELS


@pytest.mark.slow
def test_memory_is_flat_over_many_requests(tmp_path):
    metered = Metered(tmp_path, ago_s=20_000)
    live = metered.live()

    def requests(many):
        for _ in range(many // 1000):
            metered.runs(2, 300.0)
            for number in range(1000):
                seat = live.begins(
                    metered.ns(metered.at_s - 1), model="llama-3.1-8b", tenant=f"t{number % 20}"
                )
                live.note(
                    metered.served(metered.at_s - 1.5, metered.at_s - 0.5, tenant=f"t{number % 20}"), seat
                )
            live.beat()

    requests(10_000)
    tracemalloc.start()
    first = tracemalloc.get_traced_memory()[0]
    requests(40_000)
    grown = tracemalloc.get_traced_memory()[0] - first
    tracemalloc.stop()
    assert sum(many for _, many in live.sums().requests) == 50_000
    assert grown < 400_000


def test_a_thread_settles_and_a_close_takes_the_rest(metered):
    metered.runs(10, 100.0)
    live = Live(CONFIG, metered.path)
    live.note(metered.served(0, 10))
    live.close()
    live.close()
    assert sum(by(live.sums(), "ledger").values()) == pytest.approx(1000)


def test_a_spool_that_is_gone_is_told_once_and_stops_nobody(metered, caplog):
    metered.path.unlink()
    live = Live(CONFIG, metered.path)
    for _ in range(3):
        live._guarded()
    live.note(metered.served(0, 10))
    live.close()
    assert len(caplog.records) == 1 and "cannot be told" in caplog.text


def test_beats_cost_the_event_loop_little(tmp_path):
    """At 300 requests a second of 2 s: processor time of the thread is the most that it can hold the GIL."""
    metered = Metered(tmp_path)
    live, spent_s = metered.live(), []
    for _ in range(10):
        metered.runs(1, 300.0)
        for number in range(300):
            end_s = metered.at_s - number / 300
            live.note(metered.served(end_s - 2, end_s, tenant=f"t{number % 10}"))
        begun_s = time.thread_time()
        live.beat()
        spent_s.append(time.thread_time() - begun_s)
    assert sorted(spent_s)[len(spent_s) // 2] < 0.05
