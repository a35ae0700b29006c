"""What every provider must do, whatever its server answers: the truth, gaps where it is not told, or one
clear error; never a secret, never a wait without end, and never a missing value that looks like a good hour.

A new provider is one more row of ``PROVIDERS``.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import pytest

from fakes.providers import (
    HOUR,
    CarbonAwareStand,
    Drip,
    ElectricityMapsStand,
    Stand,
    UkStand,
    WattTimeStand,
    level,
)
from fakes.web import Page
from wattermark.errors import SignalUnavailable
from wattermark.signals.carbon_aware_sdk import CarbonAwareSdk
from wattermark.signals.electricity_maps import ElectricityMaps
from wattermark.signals.fetch import fetch
from wattermark.signals.line import Patience
from wattermark.signals.tidy import between
from wattermark.signals.uk import UkCarbonIntensity
from wattermark.signals.watttime import WattTime
from wattermark.values.ports import Provider
from wattermark.values.series import Ask, Signal

NOW = 1_711_880_400.0 + 600  # 2024-03-31T10:30Z, the day on which Europe changes its clocks
PATIENCE = Patience(total_s=4.0, answer_s=1.0, first_s=0.01)
SECRETS = ("em-secret-key", "wt-secret-word", "jwt-secret")


@dataclass(frozen=True)
class Row:
    """One provider: how it is built for an address, who stands in for its server, what it calls the place."""

    build: Callable[[str], Provider]
    stand: Callable[[float], Stand]
    zone: str
    signal: Signal
    basis: str


PROVIDERS = {
    "electricity_maps": Row(
        lambda address: ElectricityMaps(ElectricityMapsStand.key, address=address),
        ElectricityMapsStand, "DE", Signal.CARBON, "lifecycle",
    ),
    "watttime": Row(
        lambda address: WattTime(WattTimeStand.user, WattTimeStand.password, address=address),
        WattTimeStand, "CAISO_NORTH", Signal.CARBON_MARGINAL, "marginal",
    ),
    "uk": Row(
        lambda address: UkCarbonIntensity(address=address), UkStand, "national", Signal.CARBON, "direct"
    ),
    "carbon_aware_sdk": Row(
        lambda address: CarbonAwareSdk(address, source="electricity_maps"),
        CarbonAwareStand, "eastus", Signal.CARBON, "lifecycle",
    ),
}  # fmt: skip


@pytest.fixture(params=PROVIDERS)
def row(request):
    return PROVIDERS[request.param]


@pytest.fixture
def stand(row):
    with row.stand(NOW) as served:
        yield served


def ask(row, begin_h=-6.0, end_h=12.0, zone=None):
    return Ask(
        signals=(row.signal,), place="there", zone=row.zone if zone is None else zone,
        begin_s=NOW + begin_h * HOUR, end_s=NOW + end_h * HOUR, now_s=NOW,
    )  # fmt: skip


def heard(row, stand, asked=None, patience=PATIENCE):
    (series,) = fetch(row.build(stand.address), asked or ask(row), patience)
    return series


def told(series, begin_h, end_h):
    """What it says between two hours from now, and what is true there."""
    part = between(series, NOW + begin_h * HOUR, NOW + end_h * HOUR)
    truth = [level(edge) for edge in part.edges_s[:-1]]
    return part.values, truth


def assert_true(series, begin_h=-5.5, end_h=11.5):
    values, truth = told(series, begin_h, end_h)
    assert values == pytest.approx(truth)
    assert series.begin_s <= NOW + begin_h * HOUR
    assert series.end_s >= NOW + end_h * HOUR


def assert_discreet(text):
    assert not [secret for secret in SECRETS if secret in text]


# -- all is well -----------------------------------------------------------------------


def test_what_came_and_what_will_come(row, stand):
    series = heard(row, stand)
    assert_true(series)
    assert (series.signal, series.place, series.basis, series.fetched_s) == (
        row.signal,
        "there",
        row.basis,
        NOW,
    )
    assert NOW - HOUR <= series.forecast_from_s <= NOW + HOUR
    assert not [flag for flag in series.flags if not flag.startswith("provider-warns")]


def test_a_long_time_back_is_asked_in_pieces(row, stand):
    series = heard(row, stand, ask(row, begin_h=-40 * 24.0))
    assert_true(series, begin_h=-40 * 24 + 1)
    assert len(stand.asked) < 16


def test_the_past_alone_is_no_forecast(row, stand):
    series = heard(row, stand, ask(row, begin_h=-30, end_h=-26))
    assert_true(series, -29.5, -26.5)
    assert series.forecast_from_s is None


def test_a_horizon_that_is_shorter_than_the_deadline_ends_where_it_ends(row, stand):
    stand.horizon_s = 6 * HOUR
    series = heard(row, stand)
    assert_true(series, end_h=4)
    assert series.end_s <= NOW + 7 * HOUR


@pytest.mark.parametrize("day", ["2024-03-31", "2024-10-27"], ids=["23 hours", "25 hours"])
def test_a_day_with_a_change_of_the_clock_has_its_hours(row, day):
    from fakes.providers import when

    begin = when(f"{day}T00:00+00:00") - HOUR
    asked = Ask(
        signals=(row.signal,), place="there", zone=row.zone, begin_s=begin, end_s=begin + 25 * HOUR,
        now_s=begin + 30 * HOUR,
    )  # fmt: skip
    with row.stand(asked.now_s) as stand:
        (series,) = fetch(row.build(stand.address), asked, PATIENCE)
    part = between(series, begin, begin + 25 * HOUR)
    assert part.values == pytest.approx([level(edge) for edge in part.edges_s[:-1]])
    assert len(part.values) == 25 * HOUR / stand.step_s


# -- values that are not as they should be ------------------------------------------------


def in_text(entries, stand):
    """Numbers in quotes."""
    for one in entries:
        value = one[stand.value]
        texts = (
            {key: str(v) if v is not None else None for key, v in value.items()}
            if isinstance(value, dict)
            else 0
        )
        one[stand.value] = texts or str(value)
    return entries


def twice(entries, stand):
    return [one for one in entries for _ in (0, 1)]


def revised(entries, stand):
    """Each step told first as it is, then as somebody thought before."""
    key = {"datetime": "updatedAt", "point_time": "last_updated"}.get(stand.at)
    if key is None:
        return entries
    old = [{**one, stand.value: 1.0, key: "2001-01-01T00:00:00Z"} for one in entries if key in one]
    return entries + old


@pytest.mark.parametrize(
    "mangle",
    [
        pytest.param(lambda entries, _: entries[::-1], id="reversed"),
        pytest.param(twice, id="each twice"),
        pytest.param(revised, id="older revisions come late"),
        pytest.param(in_text, id="numbers in quotes"),
        pytest.param(
            lambda entries, _: [{**one, "surprise": {"a": [1]}} for one in entries], id="new fields"
        ),
        pytest.param(lambda entries, _: [*entries, None, 5, "x", []], id="strange entries between"),
    ],
)
def test_the_truth_is_found_in(row, stand, mangle):
    stand.mangle = mangle
    assert_true(heard(row, stand))


def without_third(entries, stand):
    return [one for i, one in enumerate(entries) if i % 3 != 1]


def third_is(value):
    def mangle(entries, stand):
        for one in entries[1::3]:
            stand.put(one, value)
        return entries

    return mangle


def third_lacks(entries, stand):
    for one in entries[1::3]:
        del one[stand.value]
    return entries


@pytest.mark.parametrize(
    "mangle",
    [
        pytest.param(without_third, id="slots are missing"),
        pytest.param(third_is(None), id="nulls"),
        pytest.param(third_is(-1), id="negative, as a null of another tool"),
        pytest.param(third_is(-250.5), id="negative"),
        pytest.param(third_is("n/a"), id="words"),
        pytest.param(third_is("NaN"), id="not a number"),
        pytest.param(third_is(1e12), id="out of all proportion"),
        pytest.param(third_lacks, id="no value at all"),
    ],
)
def test_what_is_not_told_is_a_gap_and_flagged(row, stand, mangle):
    stand.mangle = mangle
    series = heard(row, stand)
    values, truth = told(series, -4, 8)
    pairs = list(zip(values, truth, strict=True))
    assert all(value is None or value == pytest.approx(true) for value, true in pairs)
    gaps = sum(value is None for value, _ in pairs)
    assert len(pairs) / 5 < gaps < len(pairs) / 2
    assert any(flag.startswith("gaps:") for flag in series.flags)


# -- a server in trouble -----------------------------------------------------------------


def busy(after):
    return lambda: Page("slow down", 429, {"Retry-After": after() if callable(after) else after})


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(
            [lambda: Page("oops", 500), lambda: Page("", 502), lambda: Page("", 503)], id="a burst of 5xx"
        ),
        pytest.param([busy("0"), busy("0.05")], id="too many requests, wait so long"),
        pytest.param([busy(lambda: formatdate(time.time() + 0.3, usegmt=True))], id="wait until that moment"),
        pytest.param([busy("after lunch")], id="a wait that nobody understands"),
        pytest.param([lambda: Page("", 504, hangs=False)], id="a gateway"),
    ],
)
def test_it_is_tried_again_after(row, stand, faults):
    stand.faults = [fault() for fault in faults]
    assert_true(heard(row, stand))
    assert len(stand.asked) > len(faults)


GIGANTIC = Page(b" " * 21_000_000)
TROUBLES = {
    "unauthorized": ([Page('{"error": "no"}', 401)] * 9, "answers 401: no"),
    "forbidden": ([Page('{"error": "bad", "message": "Invalid scope"}', 403)] * 9, "403: Invalid scope"),
    "not found": ([Page('{"error": "Not found.", "code": 404}', 404)] * 9, "answers 404: Not found"),
    "bad request": ([Page('{"error": {"code": "400", "message": "bad zone"}}', 400)] * 9, "400: bad zone"),
    "a page that says no": ([Page("<html>no</html>", 403)] * 9, r"answers 403\. "),
    "an empty body": ([Page("")] * 9, "answered nothing|no forecast"),
    "a page": ([Page("<html>hello</html>", 200, {"Content-Type": "application/json"})] * 9, "no JSON"),
    "half of it": ([Page('{"data": [{"val')] * 9, "no JSON"),
    "nonsense": ([Page("17")] * 9, "unknown form|told nothing|nothing|no forecast"),
    "no data": ([Page("{}")] * 9, "told nothing|gives no token|no forecast"),
    "an empty list": ([Page('{"data": [], "history": []}')] * 9, "told nothing|no token|no forecast"),
    "a gigantic body": ([GIGANTIC] * 2, "more than 20 MB"),
    "elsewhere": ([Page("", 302, {"Location": "https://example.org/x"})] * 9, r"another host .example\.org."),
    "in circles": ([Page("", 302, {"Location": "/login"})] * 99, "without end"),
    "busy for long": ([Page("", 429, {"Retry-After": "3600"})] * 9, "answers 429"),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_is_told_in_one_clear_sentence(row, stand, trouble):
    stand.faults, says = list(TROUBLES[trouble][0]), TROUBLES[trouble][1]
    begun = time.monotonic()
    with pytest.raises(SignalUnavailable, match=says) as caught:
        heard(row, stand)
    assert time.monotonic() - begun < 5
    assert caught.value.fix
    assert len(str(caught.value)) < 350
    assert_discreet(str(caught.value))


def test_nobody_waits_for_a_server_that_drips(row, stand):
    stand.faults = [Drip(b" " * 10_000)] * 9
    begun = time.monotonic()
    with pytest.raises(SignalUnavailable, match="too long to answer"):
        heard(row, stand, patience=Patience(total_s=0.4, answer_s=0.3, first_s=0.01))
    assert time.monotonic() - begun < 5


def test_nobody_waits_for_a_server_that_says_nothing(row, stand):
    stand.faults = [Page(hangs=True)] * 9
    begun = time.monotonic()
    with pytest.raises(SignalUnavailable, match="does not answer in time"):
        heard(row, stand, patience=Patience(total_s=1.5, answer_s=0.2, first_s=0.01))
    assert time.monotonic() - begun < 5
    assert len(stand.asked) == 2  # twice, and no more


def test_nobody_there(row, stand):
    built = row.build("http://127.0.0.1:9")
    with pytest.raises(SignalUnavailable, match=r"cannot be reached at 127\.0\.0\.1: .*refused"):
        fetch(built, ask(row), PATIENCE)


def test_nothing_travels_in_the_clear(row):
    with pytest.raises(SignalUnavailable, match=r"example\.org would be asked in the clear"):
        fetch(row.build("http://example.org"), ask(row), PATIENCE)


def test_a_lying_content_type_changes_nothing(row, stand):
    class Lying(dict[str, Any]):
        pass

    right = stand.answer

    def lie(*arguments):
        page = right(*arguments)
        return Page(page.body, page.status, {"Content-Type": "image/png; charset=klingon"})

    stand.answer = lie
    assert_true(heard(row, stand))


def test_a_redirect_within_the_host_is_followed(row, stand):
    right = stand.answer
    stand.answer = lambda path, query, headers: (
        right(path.removeprefix("/new"), query, headers)
        if path.startswith("/new")
        else Page("", 307, {"Location": _moved(path, query)})
    )
    assert_true(heard(row, stand))


def _moved(path, query):
    from urllib.parse import urlencode

    return f"/new{path}" + (f"?{urlencode(query)}" if query else "")


def test_secrets_are_in_no_repr_no_error_and_no_log(row, stand, caplog):
    caplog.set_level(0)
    asked = ask(row)
    provider = row.build(stand.address)
    requests = []
    conversation = provider.talk(asked)
    requests.append(next(conversation))
    conversation.close()
    stand.faults = [Page("", 503), Page("", 503)]
    fetch(provider, asked, PATIENCE)
    assert_discreet(repr(requests) + repr(provider) + caplog.text)
    assert not [record for record in caplog.records if record.name in ("httpx", "stamina")]
