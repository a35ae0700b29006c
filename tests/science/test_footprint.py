"""All parts to one footprint, and the golden values of the reference."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.build import (
    FACTORS,
    GB,
    HALF_BUSY,
    account,
    best,
    component,
    counter,
    cpu,
    factor,
    gpu,
    recorded,
    sampled_gpu,
    span,
    wall,
)
from wattermark.factors.hardware import device_factors
from wattermark.factors.places import resolve, site_factors
from wattermark.factors.table import named
from wattermark.science.components import parts_of
from wattermark.science.footprint import Device, best_only, operational, spans_of
from wattermark.science.node import REST
from wattermark.values.boundary import ItEnergy
from wattermark.values.kinds import Scope

KWH = 3_600_000.0
RUN = recorded(
    cpu(counter(100)), sampled_gpu([300_000] * 11), gpu(counter(200, unit=1e3), "gpu/1"),
    load=HALF_BUSY, memory_b=8 * GB,
)  # fmt: skip
MAKING = [factor("gpu_carbon", 98, 164, 279), factor("gpu_water", 80, 260, 496)]
HELD = [Device("gpu_carbon", "gpu_water", 20.0)]


# -- golden values: reference/water_and_factors.md, section 6; 1,000 kWh of IT energy, central -------------


@pytest.mark.parametrize(
    ("place", "carbon_kg", "onsite_l", "offsite_l", "thermal_l"),
    [
        ("aws:us-east-1", 349.5, 60, 1585, 1311),
        ("aws:us-west-2", 362.7, 120, 7997, 628),
        ("aws:eu-north-1", 38.4, 20, 4246, 761),
        ("azure:westus3", 406.7, 340, 1612, None),  # the reference says 1,613, of a factor cut to four digits
    ],
)
def test_golden_values_of_a_thousand_kwh(place, carbon_kg, onsite_l, offsite_l, thermal_l):
    got = _operational(place)
    assert round(got["carbon_operational_g"] / 1000, 1) == carbon_kg
    assert round(got["water_onsite_l"]) == onsite_l
    assert round(got["water_offsite_thermal_l"] + got["water_offsite_hydro_l"]) == offsite_l
    assert thermal_l is None or round(got["water_offsite_thermal_l"]) == thermal_l


@pytest.mark.parametrize(
    ("place", "scarcity_m3eq", "digits"), [("aws:us-east-1", 2.7, 1), ("azure:westus3", 176, 0)]
)
def test_golden_values_of_scarcity(place, scarcity_m3eq, digits):
    """Half the water, sixty times the scarcity: Phoenix is not Virginia."""
    assert round(_operational(place)["water_scarcity_m3eq"], digits) == scarcity_m3eq


def test_golden_values_of_making_eight_h100_for_a_day():
    carbon, water = device_factors("NVIDIA H100 80GB HBM3")
    life = [named("defaults", name) for name in ("server_lifetime_years", "accelerator_utilisation")]
    held = [Device(carbon.name, water.name, 8 * 86_400.0)]
    footprint = account(RUN, devices=held, factors=[*FACTORS[:11], *FACTORS[13:], *life, carbon, water])
    assert round(footprint.carbon_embodied_g.best / 1000, 2) == 1.03
    assert round(footprint.water_embodied_l.best, 1) == 1.6


# -- how it is put together ------------------------------------------------------------


def test_best_values_are_the_formulas_at_the_best_factors():
    """6 kJ in all; each quantity by hand, from the factors in build.py."""
    run = recorded(cpu(counter(100)), gpu(counter(500, unit=1e3)))
    got = {name: value.best for name, value in account(run).quantities().items() if value is not None}
    kwh = 6000 / KWH
    assert got == pytest.approx({
        "it_energy_j": 6000, "facility_energy_j": 7500,
        "carbon_operational_g": kwh * 1.25 * 400, "carbon_embodied_g": 0, "carbon_g": kwh * 1.25 * 400,
        "water_onsite_l": kwh * 0.4, "water_offsite_thermal_l": kwh * 1.25 * 2,
        "water_offsite_hydro_l": kwh * 1.25 * 1, "water_embodied_l": 0, "water_l": kwh * (0.4 + 1.25 * 3),
        "water_scarcity_m3eq": kwh * (0.4 * 10 + 1.25 * 3 * 20) / 1000,
    })  # fmt: skip


def test_totals_are_the_sums_of_their_parts():
    got = account(RUN, devices=HELD, factors=[*FACTORS, *MAKING])
    water = (got.water_onsite_l, got.water_offsite_thermal_l, got.water_offsite_hydro_l, got.water_embodied_l)
    assert got.carbon_g.best == pytest.approx(got.carbon_operational_g.best + got.carbon_embodied_g.best)
    assert got.water_l.best == pytest.approx(sum(one.best for one in water))
    assert best(got) == pytest.approx(sum(c.energy_j.best for c in got.components if c.energy_j))


def test_market_and_location_stand_side_by_side():
    got = account(RUN, factors=[*FACTORS, factor("market_intensity", 100, 100, 100)])
    assert got.carbon_market_g.best == pytest.approx(got.carbon_operational_g.best / 4)
    assert "carbon_intensity" in {f.name for f in got.factors}


def test_an_unknown_market_is_none_and_said():
    got = account(RUN)
    assert got.carbon_market_g is None
    assert any(flag.startswith("market-unknown") for flag in got.flags)


def test_every_range_encloses_its_best():
    for name, value in (
        account(RUN, Scope.PROCESS, devices=HELD, factors=[*FACTORS, *MAKING]).quantities().items()
    ):
        assert value is None or 0 <= value.low < value.best < value.high, name


def test_only_factors_that_were_used_are_told():
    names = {f.name for f in account(recorded(cpu(counter(100)))).factors}
    assert {"pue", "wue", "carbon_intensity", "meter_rapl_cpu"} <= names
    assert not names & {"meter_nvml_energy", "cpu_full_w_per_logical_cpu", "dram_power_w_per_gb"}


def test_drivers_explain_energy_carbon_and_water():
    found = account(RUN, Scope.PROCESS).drivers
    assert [d.quantity for d in found] == [
        q for q in ("it_energy_j", "carbon_g", "water_l") for _ in range(3)
    ]
    assert next(d.factor for d in found if d.quantity == "water_l") == "water_hydro"


def test_the_running_line_tells_the_same_best_values():
    whole = account(RUN, Scope.PROCESS, devices=HELD, factors=[*FACTORS, *MAKING])
    line = best_only(parts_of(RUN, Scope.PROCESS), [*FACTORS, *MAKING], HELD)
    told = (line.it_energy_j, line.carbon_g, line.water_l, line.elapsed_s)
    assert told == pytest.approx((best(whole), whole.carbon_g.best, whole.water_l.best, 10))


# -- spans -----------------------------------------------------------------------------


@pytest.mark.parametrize("scope", Scope)
@given(cuts=st.sets(st.floats(0.001, 9.999), max_size=6))
def test_spans_that_tile_the_run_add_up_to_the_run(scope, cuts):
    edges = [0.0, *sorted(cuts), 10.0]
    marks = [span(i, one, two) for i, (one, two) in enumerate(pairwise(edges))]
    found = _spans(RUN, marks, scope)
    whole = account(RUN, scope)
    assert math.fsum(s.it_energy_j for s in found) == pytest.approx(best(whole))
    assert math.fsum(s.carbon_operational_g for s in found) == pytest.approx(whole.carbon_operational_g.best)
    assert math.fsum(s.duration_s for s in found) == pytest.approx(10)


@pytest.mark.parametrize(
    ("begin_s", "end_s", "energy_j"),
    [
        pytest.param(0, 10, 1000, id="the whole run"),
        pytest.param(2, 4, 200, id="between two looks"),
        pytest.param(2.5, 2.75, 25, id="inside an interval: even"),
        pytest.param(-3, 2, 200, id="begun before the first look"),
        pytest.param(8, None, 200, id="still open when the run ended"),
        pytest.param(8, 99, 200, id="closed after the run"),
    ],
)
def test_a_span_takes_what_its_counters_rose(begin_s, end_s, energy_j):
    run = recorded(cpu(counter(100)))
    (found,) = _spans(run, [span(1, begin_s, end_s)], Scope.MACHINE)
    assert found.it_energy_j == pytest.approx(energy_j)
    assert bool(found.note) is (end_s is None)


def test_spans_that_nest_and_overlap_take_all_of_their_own_time():
    """At 10 W: five seconds, one second inside of them, and two that begin within and end beyond."""
    run = recorded(cpu(counter(10)))
    outer, inner, beyond = _spans(run, [span(1, 0, 5), span(2, 2, 3), span(3, 4, 6)], Scope.MACHINE)
    assert [one.it_energy_j for one in (outer, inner, beyond)] == [pytest.approx(j) for j in (50, 10, 20)]
    assert [one.duration_s for one in (outer, inner, beyond)] == [pytest.approx(s) for s in (5, 1, 2)]


def test_a_span_in_a_gap_is_none_and_never_zero():
    run = recorded(cpu([None] * 5 + counter(100)[5:]))
    unseen, seen = _spans(run, [span(1, 1, 3), span(2, 6, 8)], Scope.MACHINE)
    assert (unseen.it_energy_j, unseen.carbon_operational_g, unseen.water_operational_l) == (None, None, None)
    assert seen.it_energy_j == pytest.approx(200)


def test_a_span_of_which_one_part_was_not_seen_says_so():
    """The CPU's joules alone must not pass for the span's: the GPU worked, too."""
    run = recorded(cpu(counter(100)), gpu([None] * 5 + counter(300, unit=1e3)[5:]))
    (found,) = _spans(run, [span(1, 1, 3)], Scope.MACHINE)
    assert found.it_energy_j == pytest.approx(200)
    assert "gpu/0" in found.note


def test_a_meter_of_the_node_with_a_gap_takes_no_rest_from_the_spans():
    """The node was seen for 6 s and the package for all 10: its rest is told for all of it."""
    run = recorded(cpu(counter(100)), wall([250] * 6 + [None] * 5), at_s=[6 * i for i in range(11)])
    told = _spans(run, [span(1, 0, 30), span(2, 30, 60)], Scope.MACHINE)
    whole = account(run, Scope.MACHINE)
    assert component(whole, REST).energy_j.best > 0
    assert sum(one.it_energy_j for one in told) == pytest.approx(best(whole))


def test_two_meters_of_one_name_are_both_in_a_span():
    """Ranks in containers of their own each call their GPU the first."""
    run = recorded(gpu(counter(100, unit=1e3), uuid="a"), gpu(counter(50, unit=1e3), uuid="b"))
    (told,) = _spans(run, [span(1, 0, 10)], Scope.MACHINE)
    assert told.it_energy_j == pytest.approx(1500)


def _operational(place):
    values = {name: one.value.best for name, one in site_factors(resolve(place)).items()}
    return operational(ItEnergy(1000 * KWH), values)


def _spans(run, marks, scope):
    return spans_of(marks, parts_of(run, scope), FACTORS, begin_ns=run.begin_mono_ns, end_ns=run.end_mono_ns)
