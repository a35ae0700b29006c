"""What a request took, said at its end."""

import timeit

import pytest

import wattermark as wm
from wattermark.values.served import Outcome, Served, Usage
from wattermark.verbs.serving.live import Live
from wattermark.verbs.serving.quoting import quoter
from wattermark.verbs.serving.rates import TYPICAL_BATCH
from wattermark.wiring.config import Config

from .metered import CONFIG, Metered, by

TOKENS = Usage(input_tokens=150, output_tokens=400)


def asked(model, **more):
    return Served(**{"begin_ns": 0, "end_ns": 10**9, "model": model, "usage": TOKENS, **more})


@pytest.fixture
def estimating():
    live = Live(CONFIG, start=False)
    for model in ("gpt-4o", "llama-3.1-8b", "unheard-of"):
        live.begins(0, model=model)
    live.beat()
    return quoter(live)


def test_a_closed_model_is_quoted_as_it_is_estimated(estimating):
    job = wm.ApiCalls(model="gpt-4o", input_tokens=150, output_tokens=400)
    footprint = wm.estimate_api(job, wm.Site(place="deu")).footprint
    quote = estimating.quote(asked("gpt-4o"))
    assert quote.quality == "estimated"
    assert quote.energy_j == pytest.approx(footprint.it_energy_j.best)
    assert quote.carbon_g == pytest.approx(footprint.carbon_g.best)
    assert quote.water_l == pytest.approx(footprint.water_l.best)


@pytest.mark.parametrize("tokens", [(150, 400), (3000, 20), (10, 5000), (4_000, 700)])
def test_an_open_model_is_quoted_as_it_is_estimated(estimating, tokens):
    read, written = tokens
    job = wm.Inference(
        model="llama-3.1-8b", gpu="h100-sxm", batch=TYPICAL_BATCH, input_tokens=read, output_tokens=written
    )
    footprint = wm.estimate_inference(job, wm.Site(place="deu")).footprint
    quote = estimating.quote(asked("llama-3.1-8b", usage=Usage(input_tokens=read, output_tokens=written)))
    assert quote.energy_j == pytest.approx(footprint.it_energy_j.best, rel=0.07)
    assert quote.carbon_g == pytest.approx(footprint.carbon_g.best, rel=0.07)
    assert quote.water_l == pytest.approx(footprint.water_l.best, rel=0.07)


@pytest.mark.parametrize(
    "served",
    [
        pytest.param(asked("unheard-of"), id="a model that nobody knows"),
        pytest.param(asked("never-begun"), id="a model that nobody asked about yet"),
        pytest.param(asked("gpt-4o", usage=Usage()), id="no usage"),
        pytest.param(asked("gpt-4o", outcome=Outcome.REFUSED, usage=Usage()), id="one that was refused"),
    ],
)
def test_what_cannot_be_said_is_not_said(estimating, served):
    assert estimating.quote(served) is None


@pytest.fixture
def measuring(tmp_path):
    """A minute of ten requests at a time, each 10 s, at 400 W."""
    metered = Metered(tmp_path, ago_s=65)
    live = metered.live()
    seats = []
    for second in range(60):
        seats.append(live.begins(metered.ns(second), model="llama-3.1-8b"))
        metered.runs(1, 400.0)
        if second >= 10:
            live.note(metered.served(second - 9, second + 1), seats[second - 9])
    for second, seat in [(0, seats[0]), *((s, seats[s]) for s in range(51, 60))]:
        live.note(metered.served(second, 60), seat)
    live.beat()
    return metered, live


def test_requests_are_quoted_by_the_joules_of_the_last_minute(measuring):
    metered, live = measuring
    quote = quoter(live).quote(metered.served(50, 60))
    sums = live.sums()
    (_, counts, total_j) = sums.request_energy[0]
    assert quote.quality == "measured-provisional"
    assert quote.energy_j == pytest.approx(total_j / counts[-1][1], rel=0.05)
    carbon_g, water_l, energy_j = (sum(one[i] for one in sums.energy) for i in (4, 5, 3))
    assert quote.carbon_g / quote.energy_j == pytest.approx(carbon_g / energy_j, rel=0.3)
    assert quote.water_l / quote.energy_j == pytest.approx(water_l / energy_j, rel=0.3)


def test_a_quiet_hour_forgets_nothing(tmp_path):
    metered = Metered(tmp_path, ago_s=200)
    live = metered.live()
    seat = live.begins(metered.ns(0), model="llama-3.1-8b")
    metered.runs(10, 400.0)
    live.note(metered.served(0, 10), seat)
    metered.runs(1, 80.0)
    before = quoter(live).quote(metered.served(0, 10))
    metered.runs(100, 80.0)
    after = quoter(live).quote(metered.served(0, 10))
    assert after.quality == "measured-provisional"
    assert after.energy_j == pytest.approx(before.energy_j, rel=0.01) == 4000


def test_only_the_last_minute_counts(tmp_path):
    metered = Metered(tmp_path, ago_s=200)
    live = metered.live()
    for begin_s, watts in ((0, 400.0), (80, 100.0)):
        seat = live.begins(metered.ns(begin_s), model="llama-3.1-8b")
        metered.runs(10, watts)
        live.note(metered.served(begin_s, begin_s + 10), seat)
        metered.runs(70, 80.0)
    assert quoter(live).quote(metered.served(0, 10)).energy_j == pytest.approx(1000)


def test_who_writes_more_is_quoted_more(measuring):
    metered, live = measuring
    few, many = (quoter(live).quote(metered.served(50, 60, written=n)) for n in (10, 100))
    assert 5 < many.energy_j / few.energy_j < 11


def test_a_quote_takes_less_than_fifty_microseconds(measuring):
    metered, live = measuring
    one, quotes = metered.served(50, 60), quoter(live)
    best_s = min(timeit.repeat(lambda: quotes.quote(one), number=200, repeat=20))
    assert best_s / 200 < 50e-6


def test_a_fault_is_told_once_and_never_raised(measuring, caplog):
    _, live = measuring
    broken = asked("llama-3.1-8b", usage=Usage(input_tokens="many", output_tokens=1))
    assert [quoter(live).quote(broken) for _ in range(3)] == [None] * 3
    assert caplog.text.count("cannot be quoted") == 1


def test_quotes_of_a_minute_come_near_to_what_is_settled(measuring):
    metered, live = measuring
    quoted = quoter(live).quote(metered.served(50, 60)).energy_j
    ledgers = by(live.sums(), "ledger")
    borne = ledgers["dynamic"] + ledgers["active_idle"]
    assert quoted * 60 == pytest.approx(borne, rel=0.1)


def test_the_place_of_who_asks_is_not_that_of_the_model():
    """Set for this machine it says nothing of a provider; given with the command it does."""
    one = asked("gpt-99", usage=Usage(input_tokens=100, output_tokens=300), provider="openai")
    grams = []
    for place, origin in (("swe", "WATTERMARK_PLACE"), ("swe", "option"), (None, "default")):
        live = Live(Config(place=place, origin={"place": origin}), start=False)
        live.note(one)
        live.beat()
        grams.append(quoter(live).quote(one).carbon_g)
    assert grams[0] == grams[2] > 2 * grams[1]
