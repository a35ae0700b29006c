"""The formulas: power of load, boundaries of energy, carbon, water, and what making it took."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from wattermark.science.carbon import operational_carbon_g
from wattermark.science.embodied import life_share
from wattermark.science.energy import facility_energy, kwh
from wattermark.science.power_model import cpu_active_j, cpu_idle_j, memory_j
from wattermark.science.water import offsite_water_l, onsite_water_l, scarcity_m3eq
from wattermark.values.boundary import FacilityEnergy, ItEnergy

KWH = 3_600_000.0


@pytest.mark.parametrize(
    ("cpu_s", "active_j"),
    [
        pytest.param(0, 0, id="no work, nothing above idle"),
        pytest.param(10, 30, id="one CPU for ten seconds"),
        pytest.param(40, 120, id="four CPUs for ten seconds: linear in processor time"),
    ],
)
def test_a_busy_cpu_draws_what_lies_above_idle(cpu_s, active_j):
    assert cpu_active_j(cpu_s, idle_w=1, full_w=4) == active_j


@given(st.floats(0, 1e6), st.integers(1, 256), st.floats(0.1, 5), st.floats(0, 20))
def test_a_full_machine_draws_full_power(duration_s, cpus, idle_w, more_w):
    active_j = cpu_active_j(duration_s * cpus, idle_w=idle_w, full_w=idle_w + more_w)
    idle_j = cpu_idle_j(duration_s, logical_cpus=cpus, idle_w=idle_w)
    assert active_j + idle_j == pytest.approx(duration_s * cpus * (idle_w + more_w))


def test_memory_draws_by_its_size():
    assert memory_j(10, memory_b=64e9, w_per_gb=0.375) == pytest.approx(240)


@pytest.mark.parametrize(
    ("formula", "energy"),
    [
        pytest.param(lambda e: facility_energy(e, 1.2), FacilityEnergy(KWH), id="a second PUE"),
        pytest.param(lambda e: facility_energy(e, 1.2), KWH, id="PUE on bare joules"),
        pytest.param(lambda e: operational_carbon_g(e, 400), ItEnergy(KWH), id="carbon without the PUE"),
        pytest.param(lambda e: operational_carbon_g(e, 400), KWH, id="carbon of bare joules"),
        pytest.param(lambda e: onsite_water_l(e, 1.8), FacilityEnergy(KWH), id="WUE times PUE, as peers do"),
        pytest.param(lambda e: onsite_water_l(e, 1.8), KWH, id="WUE on bare joules"),
        pytest.param(
            lambda e: offsite_water_l(e, 3.0), ItEnergy(KWH), id="the plants' water without the PUE"
        ),
        pytest.param(lambda e: offsite_water_l(e, 3.0), KWH, id="the plants' water of bare joules"),
    ],
)
def test_the_wrong_energy_is_refused(formula, energy):
    with pytest.raises(TypeError, match=r"PUE|WUE|grid's water"):
        formula(energy)


@pytest.mark.parametrize("pue", [0.99, 0.0, -1.0, np.array([1.2, 0.9])], ids=str)
def test_a_pue_below_one_is_refused(pue):
    with pytest.raises(ValueError, match="at least 1"):
        facility_energy(ItEnergy(KWH), pue)


def test_a_pue_of_one_adds_nothing():
    assert facility_energy(ItEnergy(KWH), 1.0) == FacilityEnergy(KWH)
    assert kwh(ItEnergy(KWH)) == kwh(FacilityEnergy(KWH)) == 1


@pytest.mark.parametrize(
    ("energy_j", "intensity", "carbon_g"),
    [(KWH, 400, 400), (2 * KWH, 50, 100), (0, 400, 0), (KWH, np.array([100, 300]), [100, 300])],
    ids=["a kWh", "two on a clean grid", "none", "one for each draw"],
)
def test_carbon(energy_j, intensity, carbon_g):
    assert_allclose(operational_carbon_g(FacilityEnergy(energy_j), intensity), carbon_g)


@given(st.floats(1, 5), st.floats(0, 10), st.floats(0, 1e9))
def test_pue_never_multiplies_water_on_site(pue, wue, energy_j):
    """On site water follows IT energy; the plants' water follows what the building took."""
    it = ItEnergy(energy_j)
    facility = facility_energy(it, pue)
    assert onsite_water_l(it, wue) == pytest.approx(energy_j / KWH * wue)
    assert offsite_water_l(facility, 3.0) == pytest.approx(energy_j / KWH * pue * 3.0)


@pytest.mark.parametrize(
    ("onsite_l", "offsite_l", "m3eq"),
    [
        pytest.param(1000, 0, 100, id="a cubic metre in Phoenix"),
        pytest.param(0, 1000, 0.5, id="a cubic metre where rain is plenty"),
        pytest.param(1000, 1000, 100.5, id="each with the factor of its own place"),
    ],
)
def test_scarcity_weighs_water_where_it_is_taken(onsite_l, offsite_l, m3eq):
    assert scarcity_m3eq(onsite_l, offsite_l, site_factor=100, grid_factor=0.5) == pytest.approx(m3eq)


@pytest.mark.parametrize(
    ("used_s", "years", "utilisation", "share"),
    [
        pytest.param(4 * 8760 * 3600, 4, 1.0, 1.0, id="its whole life"),
        pytest.param(3600, 4, 1.0, 1 / 35_040, id="the example of ISO/IEC 21031: an hour of four years"),
        pytest.param(3600, 4, 0.5, 2 / 35_040, id="who uses it pays for its idle hours"),
        pytest.param(0, 4, 0.5, 0.0, id="not held"),
    ],
)
def test_the_share_of_a_device_s_life(used_s, years, utilisation, share):
    assert life_share(used_s, lifetime_years=years, utilisation=utilisation) == pytest.approx(share)
