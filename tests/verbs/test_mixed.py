"""From an operator's answer to carbon and water by the hour, at a place that a user names."""

from dataclasses import replace

import pytest

from fakes.operators import BEGIN_S, HOUR_S, Entsoe, Kind, Operators
from wattermark.errors import BadSignal, FactorNotFound, UsageError
from wattermark.factors.places import resolve
from wattermark.signals import entsoe
from wattermark.signals.fetch import fetch
from wattermark.values.mix import Fuel, Mix
from wattermark.values.series import Ask, Series, Signal
from wattermark.verbs.mixed import TOLD, as_series, series_of_mix, series_of_mixes


def mix(**power):
    return Mix(
        place="FRA", source="told", edges_s=(0.0, 900.0),
        power_mw={Fuel(name): (one,) for name, one in power.items()},
    )  # fmt: skip


def only(mix, place="FRA", **more):
    return {one.signal: one for one in series_of_mix(mix, resolve(place), **more)}


def test_a_mix_tells_carbon_and_both_families_of_water():
    told = only(mix(nuclear=3.0, hydro=1.0))
    assert tuple(told) == TOLD
    assert told[Signal.CARBON].values == pytest.approx((0.75 * 12 + 0.25 * 24,))
    assert told[Signal.WATER_HYDRO].values == pytest.approx((0.25 * 20,))
    assert 1.0 < told[Signal.WATER_THERMAL].values[0] < 2.0
    assert {one.basis for one in told.values()} == {"lifecycle", ""}


def test_a_basis_is_asked_for_by_name_and_travels_along():
    whole, direct = (only(mix(gas=1.0), basis=basis)[Signal.CARBON] for basis in ("lifecycle", "direct"))
    assert (whole.values, whole.basis) == ((490.0,), "lifecycle")
    assert (direct.values, direct.basis) == ((370.0,), "direct")


def test_the_water_is_of_the_place_and_not_of_who_tells_the_mix():
    plants = mix(nuclear=1.0)
    inland, sea = (only(plants, place)[Signal.WATER_THERMAL].values[0] for place in ("FRA", "JPN"))
    assert inland > sea == 0.0


def test_signals_that_a_mix_does_not_tell_are_refused():
    with pytest.raises(UsageError, match="does not tell wue"):
        only(mix(gas=1.0), signals=[Signal.WUE])
    with pytest.raises(FactorNotFound, match="WORLD"):
        only(mix(gas=1.0), "world")


def test_an_operator_s_day_becomes_three_series():
    made = {
        "B14": Kind([40e3] * 24),
        "B12": Kind([5e3] * 12 + [15e3] * 12, curve="A03"),
        "B20": Kind([9.0] * 24),
    }
    asked = Ask(
        signals=TOLD, place="FRA", zone="10YFR-RTE------C", begin_s=BEGIN_S, end_s=BEGIN_S + 24 * HOUR_S,
        now_s=BEGIN_S + 24 * HOUR_S,
    )  # fmt: skip
    with Operators(Entsoe(made)) as server:
        (told,) = fetch(entsoe.Entsoe("let-me-in", address=server.address), asked)
    carbon, thermal, hydro = series_of_mix(told, resolve("fr"))
    assert {len(set(one.values)) for one in (carbon, thermal, hydro)} == {2}
    assert carbon.values[0] < carbon.values[-1] and hydro.values[0] < hydro.values[-1]
    assert thermal.values[0] > thermal.values[-1]
    assert carbon.edges_s[-1] == BEGIN_S + 24 * HOUR_S and carbon.source == "ENTSO-E, 10YFR-RTE------C"


# -- what follows ----------------------------------------------------------------------

DAYS = 8
CLOCK = [float(i % 24) for i in range(24 * (DAYS + 1))]


def talked(days=DAYS):
    """What an operator tells in a week, and of the day to come."""
    start = BEGIN_S + (DAYS - days) * 24 * HOUR_S
    hours = 24 * days
    fake = Entsoe(
        {
            "B19": Kind(CLOCK[:hours], begin_s=start),
            "B04": Kind([80 - one for one in CLOCK[:hours]], begin_s=start),
        },
        weather={"B19": Kind(CLOCK, begin_s=start)},
        load_was=Kind([80.0] * (hours + 24), begin_s=start),
        load_will_be=Kind([80.0] * (hours + 24), begin_s=start),
    )
    now = start + hours * HOUR_S
    asked = Ask(
        signals=TOLD, place="FRA", zone="10YFR-RTE------C", begin_s=start, end_s=now + 24 * HOUR_S, now_s=now
    )
    with Operators(fake) as server:
        return fetch(entsoe.Entsoe("let-me-in", address=server.address), asked), asked


def test_what_was_and_what_follows_is_one_series():
    mixes, asked = talked()
    carbon, *_ = series_of_mixes(mixes, resolve("fr"))
    assert (carbon.begin_s, carbon.end_s, carbon.forecast_from_s) == (asked.begin_s, asked.end_s, asked.now_s)
    assert carbon.values[-24:] == pytest.approx(carbon.values[:24])
    assert any(flag.startswith("regressed") for flag in carbon.flags)


def test_too_few_days_leave_what_was_alone_and_say_why():
    mixes, asked = talked(3)
    carbon, *_ = series_of_mixes(mixes, resolve("fr"))
    assert (carbon.end_s, carbon.forecast_from_s) == (asked.now_s, None)
    assert any("ahead-unused: 3.0 days of plants are too few" in flag for flag in carbon.flags)


def test_an_outlook_alone_is_no_mix():
    mixes, _ = talked()
    with pytest.raises(BadSignal, match="nobody told which plants ran in FRA"):
        series_of_mixes(mixes[1:], resolve("fr"))


def test_series_and_mixes_of_any_provider_become_series():
    mixes, _ = talked()
    own = Series(signal=Signal.WET_BULB, place="FRA", source="told", edges_s=(0.0, 1.0), values=(5.0,))
    told = as_series([own, *mixes], resolve("fr"), [Signal.WET_BULB, Signal.CARBON], "direct")
    assert [(one.signal, one.basis) for one in told] == [(Signal.WET_BULB, ""), (Signal.CARBON, "direct")]
    assert as_series([own], resolve("fr"), [Signal.WET_BULB], "direct") == [own]


def test_who_asks_for_tomorrow_is_told_of_the_days_before_it():
    """A plan begins now; what plants do then follows from what they did."""
    _, asked = talked()
    now = replace(asked, begin_s=asked.now_s)
    start = BEGIN_S
    fake = Entsoe(
        {"B04": Kind([1.0] * 24 * DAYS, begin_s=start)}, load_was=Kind([1.0] * 24 * DAYS, begin_s=start),
        load_will_be=Kind([1.0] * 24 * (DAYS + 1), begin_s=start),
    )  # fmt: skip
    with Operators(fake) as server:
        mixes = fetch(entsoe.Entsoe("let-me-in", address=server.address), now)
        assert server.queries()[0]["periodStart"] == "202603220000"
    carbon, *_ = series_of_mixes(mixes, resolve("fr"))
    assert (carbon.end_s, set(carbon.values)) == (asked.end_s, {490.0})
