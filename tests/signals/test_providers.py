"""What is peculiar to one provider: its tokens, plans, zones and forms."""

import pytest

from fakes.providers import HOUR, CarbonAwareStand, ElectricityMapsStand, UkStand, WattTimeStand, level, said
from fakes.web import Page
from wattermark.errors import BadSignal, SignalRefused, SignalUnavailable, UsageError
from wattermark.signals.carbon_aware_sdk import CarbonAwareSdk
from wattermark.signals.electricity_maps import ElectricityMaps
from wattermark.signals.fetch import fetch
from wattermark.signals.line import Patience
from wattermark.signals.tidy import between
from wattermark.signals.uk import UkCarbonIntensity
from wattermark.signals.watttime import TOKEN_S, WattTime
from wattermark.values.series import Ask, Signal

NOW = 1_711_880_400.0 + 600
PATIENCE = Patience(total_s=4.0, answer_s=1.0, first_s=0.01)


def ask(zone, begin_h=-6.0, end_h=12.0, now_s=NOW, **where):
    return Ask(
        signals=(), place="there", zone=zone, begin_s=now_s + begin_h * HOUR, end_s=now_s + end_h * HOUR,
        now_s=now_s, **where,
    )  # fmt: skip


def heard(provider, asked):
    (series,) = fetch(provider, asked, PATIENCE)
    return series


def assert_true(series, begin_h=-5, end_h=11):
    part = between(series, NOW + begin_h * HOUR, NOW + end_h * HOUR)
    assert part.values == pytest.approx([level(edge) for edge in part.edges_s[:-1]])


# -- Electricity Maps ------------------------------------------------------------------


@pytest.fixture
def maps():
    with ElectricityMapsStand(NOW) as stand:
        yield stand


def of_maps(stand, **options):
    return ElectricityMaps(stand.key, address=stand.address, **options)


@pytest.mark.parametrize(
    ("begin_h", "end_h", "asked"),
    [
        pytest.param(-0.5, 0, ["latest"], id="now"),
        pytest.param(-6, 0, ["history"], id="today"),
        pytest.param(-6, 12, ["history", "forecast"], id="today and tomorrow"),
        pytest.param(0, 12, ["latest", "forecast"], id="from now on"),
        pytest.param(-72, 0, ["past-range"], id="three days"),
        pytest.param(-11 * 24, 0, ["past-range"] * 3, id="eleven days, five at a time"),
    ],
)
def test_maps_are_asked_for_what_is_needed(maps, begin_h, end_h, asked):
    heard(of_maps(maps), ask("DE", begin_h, end_h))
    assert [path.rpartition("/")[2] for path in maps.paths()] == asked


@pytest.mark.parametrize(
    ("end_h", "horizon"), [(3, "6"), (6, "6"), (7, "24"), (25, "48"), (49, "72"), (500, "72")]
)
def test_the_shortest_horizon_that_reaches_is_asked_for(maps, end_h, horizon):
    heard(of_maps(maps), ask("DE", -1, end_h))
    assert [query["horizonHours"] for path, query, _ in maps.asked if path.endswith("forecast")] == [horizon]


def test_a_plan_without_a_forecast_tells_what_came_and_says_so(maps):
    maps.plan = ("latest", "history")
    series = heard(of_maps(maps), ask("DE"))
    assert_true(series, end_h=0)
    assert series.forecast_from_s is None
    assert series.flags == ("no-forecast: electricity_maps answers 403: Not in your plan",)


def test_a_plan_without_a_history_tells_the_last_day_and_says_so(maps):
    maps.plan = ("latest", "history")
    series = heard(of_maps(maps), ask("DE", begin_h=-72, end_h=0))
    assert_true(series, begin_h=-20, end_h=0)
    assert series.flags == ("no-history: electricity_maps answers 403: Not in your plan",)


def test_a_forecast_that_is_nonsense_leaves_what_came(maps):
    right = maps.answer
    maps.answer = lambda path, *more: said({"forecast": "soon"}) if "forecast" in path else right(path, *more)
    series = heard(of_maps(maps), ask("DE"))
    assert_true(series, end_h=0)
    assert series.flags == ("no-forecast: Electricity Maps, DE told nothing of there",)


def test_a_forecast_that_is_down_is_an_error_and_no_shorter_horizon(maps):
    """Else a plan would be made with today's hours only, as if nothing were wrong."""
    right = maps.answer
    maps.answer = lambda path, *more: Page("", 503) if "forecast" in path else right(path, *more)
    with pytest.raises(SignalRefused, match="answers 503"):
        fetch(of_maps(maps), ask("DE"), Patience(total_s=0.3, answer_s=0.2, first_s=0.01))


def test_the_answer_of_another_zone_is_refused(maps):
    right = maps.answer
    maps.answer = lambda *asked: Page(right(*asked).body.replace('"zone": "DE"', '"zone": "FR"'))
    with pytest.raises(BadSignal, match="tells of FR, not of DE"):
        heard(of_maps(maps), ask("DE"))


@pytest.mark.parametrize(
    "document", [{"status": "no-data", "zone": "DE"}, {"status": "error", "message": "there are no data"}]
)
def test_an_answer_that_says_that_there_is_nothing(maps, document):
    maps.faults = [said(document)]
    with pytest.raises(BadSignal, match="says of DE: there are no data"):
        heard(of_maps(maps), ask("DE"))


def test_estimates_of_theirs_are_counted(maps):
    maps.mangle = lambda entries, _: [{**one, "isEstimated": i < 3} for i, one in enumerate(entries)]
    assert heard(of_maps(maps), ask("DE", end_h=0)).flags == (
        "estimated: 3 of 24 values are estimates of the provider",
    )


def test_the_basis_is_asked_for_and_the_one_that_is_told_counts(maps):
    series = heard(of_maps(maps, basis="direct"), ask("DE", end_h=0))
    assert maps.asked[0][1]["emissionFactorType"] == "direct"
    assert series.basis == "lifecycle"  # as the stand says of each value


def test_finer_steps_that_are_told_are_taken(maps):
    maps.step_s = 900.0
    right = maps.answer
    maps.answer = lambda *asked: Page(
        right(*asked).body.replace('{"zone"', '{"temporalGranularity": "15_minutes", "zone"', 1)
    )
    series = heard(of_maps(maps), ask("DE"))
    assert series.edges_s[1] - series.edges_s[0] == 900.0


# -- WattTime --------------------------------------------------------------------------


@pytest.fixture
def watttime():
    with WattTimeStand(NOW) as stand:
        yield stand


def of_watttime(stand, password=None):
    return WattTime(stand.user, password or stand.password, address=stand.address)


def test_a_token_that_ends_in_the_middle_is_renewed(watttime):
    watttime.answers_per_token = 2
    series = heard(of_watttime(watttime), ask("CAISO_NORTH", begin_h=-100 * 24.0))
    assert_true(series)
    assert watttime.paths().count("/login") == 3
    assert watttime.paths().count("/v3/historical") == 4 + 1  # one of them with a token that had ended


def test_a_token_is_used_again_until_it_ends(watttime):
    provider = of_watttime(watttime)
    for after_s in (0.0, TOKEN_S - 1, TOKEN_S + 1):
        heard(provider, ask("CAISO_NORTH", now_s=NOW + after_s))
    assert watttime.paths().count("/login") == 2


def test_a_wrong_password_is_told_and_not_tried_for_long(watttime):
    with pytest.raises(SignalRefused, match="watttime answers 401: Not Authorized") as caught:
        heard(of_watttime(watttime, "wrong-password-of-mine"), ask("CAISO_NORTH"))
    assert "wrong-password" not in str(caught.value)
    assert watttime.paths() == ["/login"]


def test_a_token_that_never_holds_is_not_asked_for_without_end(watttime):
    watttime.answers_per_token = 0
    with pytest.raises(SignalRefused, match="answers 401"):
        heard(of_watttime(watttime), ask("CAISO_NORTH"))
    assert watttime.paths().count("/login") == 2


def test_a_region_is_found_by_where_it_is(watttime):
    series = heard(of_watttime(watttime), ask("", latitude=37.35, longitude=-121.96))
    assert_true(series)
    assert series.source == "WattTime, CAISO_NORTH"
    query = next(query for path, query, _ in watttime.asked if path == "/v3/region-from-loc")
    assert query == {"latitude": "37.35", "longitude": "-121.96", "signal_type": "co2_moer"}


def test_a_place_that_it_does_not_cover(watttime):
    with pytest.raises(BadSignal, match="WattTime covers nothing at there"):
        heard(of_watttime(watttime), ask("", latitude=0.0, longitude=0.0))


def test_a_place_of_which_nobody_knows_where_it_is(watttime):
    with pytest.raises(SignalUnavailable, match="not known where there is"):
        heard(of_watttime(watttime), ask(""))
    assert watttime.asked == []


def test_a_region_that_the_plan_does_not_have(watttime):
    with pytest.raises(SignalRefused, match="403: Invalid scope for region"):
        heard(of_watttime(watttime), ask("PJM"))


def test_their_end_is_inclusive_and_ours_is_not(watttime):
    series = heard(of_watttime(watttime), ask("CAISO_NORTH", -2, -1))
    assert series.end_s == NOW - HOUR


def test_warnings_are_told_in_both_of_their_forms(watttime):
    flags = heard(of_watttime(watttime), ask("CAISO_NORTH")).flags
    assert flags == ("provider-warns: as a text", "provider-warns: as an object")


def test_a_unit_that_nobody_knows_is_refused(watttime):
    watttime.units = "stones_per_fortnight"
    with pytest.raises(BadSignal, match="tells in stones_per_fortnight, which is not known"):
        heard(of_watttime(watttime), ask("CAISO_NORTH"))


def test_when_a_forecast_was_made_is_told(watttime):
    assert heard(of_watttime(watttime), ask("CAISO_NORTH")).issued_s == NOW


# -- Great Britain ------------------------------------------------------------------------


@pytest.fixture
def uk():
    with UkStand(NOW) as stand:
        yield stand


@pytest.mark.parametrize("wrapped", [True, False], ids=["a list, as documented", "an object, as served"])
@pytest.mark.parametrize(
    ("zone", "tail"), [("13", "regionid/13"), ("RG10", "postcode/RG10"), (" rg10 ", "postcode/RG10")]
)
def test_a_region_in_both_of_its_forms(uk, wrapped, zone, tail):
    uk.wrapped = wrapped
    series = heard(UkCarbonIntensity(address=uk.address), ask(zone, begin_h=0))
    assert uk.paths()[0].startswith("/regional/intensity/2024-03-31T10:30Z/2024-03-31T22:30Z/")
    assert uk.paths()[0].endswith(tail)
    assert_true(series, begin_h=1)
    assert series.flags == ("modelled: of a region nobody tells what came",)
    assert series.forecast_from_s == NOW


@pytest.mark.parametrize("zone", ["", "national", "GB"])
def test_the_whole_country(uk, zone):
    series = heard(UkCarbonIntensity(address=uk.address), ask(zone))
    assert uk.paths()[0].startswith("/intensity/")
    assert (series.forecast_from_s, series.flags) == (NOW, ())


def test_of_the_hours_to_come_nothing_came_yet(uk):
    series = heard(UkCarbonIntensity(address=uk.address), ask("", begin_h=0))
    assert (series.forecast_from_s, series.flags) == (NOW, ())


@pytest.mark.parametrize("zone", ["0", "18", "RG10 8RT", "London", "../x"])
def test_a_zone_that_it_does_not_have(uk, zone):
    with pytest.raises(UsageError, match="is no zone of uk"):
        heard(UkCarbonIntensity(address=uk.address), ask(zone))
    assert uk.asked == []


def test_a_postcode_that_it_does_not_know_is_refused_with_an_empty_body(uk):
    with pytest.raises(SignalRefused, match=r"uk answers 400\. Check the zone"):
        heard(UkCarbonIntensity(address=uk.address), ask("ZZ99"))


# -- the Carbon Aware SDK ----------------------------------------------------------------


@pytest.fixture
def sdk():
    with CarbonAwareStand(NOW) as stand:
        yield stand


@pytest.mark.parametrize(
    ("source", "signal", "basis"),
    [
        ("watttime", Signal.CARBON_MARGINAL, "marginal"),
        ("electricity_maps", Signal.CARBON, "lifecycle"),
        ("", Signal.CARBON, ""),
    ],
)
def test_what_its_numbers_are_depends_on_where_it_has_them_from(sdk, source, signal, basis):
    series = heard(CarbonAwareSdk(sdk.address, source=source), ask("eastus"))
    assert (series.signal, series.basis) == (signal, basis)
    assert any(flag.startswith("basis-unknown") for flag in series.flags) is (not source)


def test_an_empty_answer_is_no_error_where_a_forecast_is_there(sdk):
    sdk.faults = [Page("", 204)]
    series = heard(CarbonAwareSdk(sdk.address), ask("eastus"))
    assert_true(series, begin_h=1)


@pytest.mark.parametrize("status", [400, 404, 501])
def test_one_that_forecasts_nothing_tells_what_came(sdk, status):
    right = sdk.answer
    sdk.answer = lambda path, *more: (
        said({"title": "NotImplementedException", "status": status}, status)
        if "forecasts" in path
        else right(path, *more)
    )
    series = heard(CarbonAwareSdk(sdk.address, source="watttime"), ask("eastus"))
    assert len(sdk.asked) == 2
    assert series.flags == (f"no-forecast: carbon_aware_sdk answers {status}: NotImplementedException",)


def test_a_location_that_it_does_not_know(sdk):
    with pytest.raises(SignalRefused, match="400: ArgumentException"):
        heard(CarbonAwareSdk(sdk.address), ask("mars"))


@pytest.mark.parametrize(
    ("written", "steps"),
    [("01:00:00", 1), ("01:00", 1), ("00:30:00", 0.5), ("1.00:00:00", 1), ("soon", 1), (None, 1)],
)
def test_lengths_in_each_of_their_forms(sdk, written, steps):
    """A length beyond the next step is cut there; one that cannot be read is that of the others."""
    entries = [{"Time": f"2024-03-31T0{i}:00:00Z", "Rating": i + 1.0, "Duration": written} for i in range(2)]
    sdk.faults = [said(entries)]
    series = heard(CarbonAwareSdk(sdk.address), ask("eastus", -10, -8))
    assert series.edges_s[1] - series.edges_s[0] == steps * HOUR
