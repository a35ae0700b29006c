"""A watch, whole: costs that are found, sums that are the meter's, and what is said where they are not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from science.sharing.engines import KNOWN, PROPORTIONS, TRUTH, S, energies, load, looks_of
from wattermark.science.sharing.rounds import rounds_of
from wattermark.science.sharing.watched import watched
from wattermark.values.kinds import Quality

NAMES = {
    "input token": "read",
    "output token": "written",
    "engine step": "step",
    "token of context looked at": "context",
    "waiting": "idle",
}


def watch(looks, energy_j, *priors, meter="gpu/0"):
    return watched(rounds_of(looks), np.asarray(energy_j, float), priors or (KNOWN,), meter=meter)


def parts(found):
    return (
        found.input_j + found.output_j + found.active_idle_j + found.provisioned_idle_j + found.unattributed_j
    )


def values(found, upstream=None):
    return {
        NAMES[one.name]: one.value
        for one in found.coefficients
        if upstream is None or one.upstream in (upstream, "")
    }


@pytest.mark.parametrize(
    ("prior", "noise", "seed", "off"),
    [
        pytest.param(KNOWN, 0.0, 1, 0.001, id="exact"),
        pytest.param(PROPORTIONS, 0.0, 1, 0.001, id="exact, of a model that nobody knows"),
        pytest.param(KNOWN, 0.01, 2, 0.05, id="a meter that is off by 1 %"),
        pytest.param(PROPORTIONS, 0.01, 3, 0.05, id="the same, of a model that nobody knows"),
    ],
)
def test_what_tokens_cost_is_found_where_windows_differ(prior, noise, seed, off):
    made = load(200, noise=noise, seed=seed)
    found = watch(looks_of(made.windows), made.energy_j, prior)
    assert values(found) == pytest.approx(TRUTH, rel=off)
    assert all(one.is_the_datas for one in found.coefficients)
    assert found.quality is Quality.MEASURED and found.r2 > 0.99
    assert found.residual_j <= 0.02 * found.energy_j


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Nine of ten, of five costs in sixty watches with a meter that is off by 2 % a window."""
    inside = []
    for seed in range(60):
        made = load(60, noise=0.02, seed=seed)
        told = watch(looks_of(made.windows), made.energy_j).coefficients
        inside += [one.low <= TRUTH[NAMES[one.name]] <= one.high for one in told]
    assert 0.8 <= np.mean(inside) <= 0.97


def test_where_windows_are_alike_the_prior_decides_and_is_told():
    made = load(200, steady=True, idle_every=0)
    found = watch(looks_of(made.windows), made.energy_j)
    assert sum(one.is_the_datas for one in found.coefficients) <= 1
    assert found.r2 is None and found.condition > 1e3
    assert parts(found) == pytest.approx(made.energy_j.sum())


def test_an_idle_stretch_tells_what_idles():
    made = load(40, steady=True, idle_every=2)
    found = watch(looks_of(made.windows), made.energy_j)
    assert found.idle_w == pytest.approx(TRUTH["idle"], rel=0.01)
    assert found.provisioned_idle_j == pytest.approx(20 * 5 * TRUTH["idle"])
    assert found.active_idle_j == pytest.approx(20 * 5 * TRUTH["idle"], rel=0.01)


def test_two_engines_on_one_gpu_share_its_energy_and_one_idle():
    cheap = {**TRUTH, "written": 0.05, "step": 0.5, "idle": 0.0}
    one, other = load(300, seed=1), load(300, seed=9, idle_every=3, truth=cheap)
    looks = [*looks_of(one.windows, upstream="a"), *looks_of(other.windows, upstream="b")]
    found = watch(looks, one.energy_j + other.energy_j, KNOWN, KNOWN)
    assert values(found, "a") == pytest.approx(TRUTH, rel=0.01)
    assert values(found, "b") == pytest.approx({**cheap, "idle": 90.0}, rel=0.01)
    assert parts(found) == pytest.approx(found.energy_j)
    assert sum(e.input_j + e.output_j + e.active_idle_j for e in found.engines) == pytest.approx(
        found.input_j + found.output_j + found.active_idle_j
    )


def test_what_is_not_explained_is_shown_and_still_shared():
    made = load(100)
    energy_j = made.energy_j.copy()
    energy_j[41] += 20_000
    found = watch(looks_of(made.windows), energy_j)
    assert found.windows[41].residual_j > 15_000
    assert parts(found) == pytest.approx(energy_j.sum())


def test_a_restart_and_a_gap_of_the_meter_are_nobodys_and_unseen():
    made = load(20)
    looks = looks_of(made.windows)
    anew = [replace(one, prompt_tokens=one.prompt_tokens - looks[10].prompt_tokens) for one in looks[10:]]
    energy_j = made.energy_j.copy()
    energy_j[3] = np.nan
    found = watch([*looks[:10], *anew], energy_j)
    assert found.unattributed_j == pytest.approx(energy_j[9])
    assert found.unseen_s == 5 and found.windows[3].energy_j is None
    assert found.windows[9].written_tokens is None and found.windows[3].written_tokens is not None
    assert parts(found) == pytest.approx(np.nansum(energy_j))
    assert any(flag.startswith("restart:") for flag in found.flags)


def test_without_a_meter_the_prior_speaks_where_its_scale_is_known():
    made = load(20)
    found = watch(looks_of(made.windows), np.full(20, np.nan))
    assert found.quality is Quality.MODELLED and found.meter == ""
    assert found.idle_w == pytest.approx(70) and found.residual_j is None and found.r2 is None
    assert parts(found) == pytest.approx(found.energy_j) and found.energy_j > 0
    assert any(flag.startswith("band: elsewhere 0.5 to 2 times") for flag in found.flags)
    assert not any(one.is_the_datas for one in found.coefficients)


def test_without_a_meter_and_a_scale_nothing_is_said():
    made = load(20)
    found = watch(looks_of(made.windows), np.full(20, np.nan), PROPORTIONS)
    assert found.quality is Quality.MISSING and found.energy_j is None and found.coefficients == ()
    assert found.engines[0].written_tokens > 0 and parts(found) == 0


@pytest.mark.parametrize(
    ("tells", "columns"),
    [
        pytest.param(("generated_tokens", "running"), {"written", "idle"}, id="output only"),
        pytest.param(("prompt_tokens", "generated_tokens"), {"read", "written", "idle"}, id="no gauge"),
        pytest.param(("running",), {"idle"}, id="only how many run"),
    ],
)
def test_an_engine_that_tells_less_has_fewer_columns_and_still_adds_up(tells, columns):
    made = load(60)
    found = watch(looks_of(made.windows, tells=tells), made.energy_j)
    assert set(values(found)) == columns
    assert parts(found) == pytest.approx(made.energy_j.sum())
    assert found.engines[0].untold


def test_a_server_that_only_waits_is_provisioned_idle():
    found = watch(looks_of([{}] * 10), np.full(10, 400.0))
    assert found.provisioned_idle_j == pytest.approx(4000) and found.idle_w == pytest.approx(80, rel=0.02)


def test_nobody_looked():
    found = watch([], np.zeros(0))
    assert found.windows == () and found.energy_j is None


WINDOW = st.fixed_dictionaries(
    {
        "prompt_tokens": st.integers(0, 10**6), "cached_tokens": st.integers(0, 10**6),
        "generated_tokens": st.integers(0, 10**6), "steps": st.integers(0, 10**4),
        "requests": st.integers(0, 100), "running": st.integers(0, 200), "kv_tokens": st.integers(0, 10**7),
    }
)  # fmt: skip
ENERGY = st.one_of(st.just(float("nan")), st.floats(0, 1e6))


@settings(max_examples=150)
@given(st.lists(st.tuples(WINDOW, ENERGY), min_size=1, max_size=12), st.sampled_from([KNOWN, PROPORTIONS]))
def test_whatever_is_counted_the_parts_are_the_meters(windows, prior):
    """And no part is below nothing."""
    energy_j = [joules for _, joules in windows]
    found = watch(looks_of([one for one, _ in windows]), energy_j, prior)
    for window, joules in zip(found.windows, energy_j, strict=True):
        whole = (
            window.input_j,
            window.output_j,
            window.active_idle_j,
            window.provisioned_idle_j,
            window.unattributed_j,
        )
        assert min(whole) >= 0
        if found.quality is Quality.MEASURED:
            assert sum(whole) == pytest.approx(np.nan_to_num(joules), rel=1e-9, abs=1e-9)
    assert parts(found) == pytest.approx(found.energy_j or 0.0, rel=1e-9, abs=1e-6)
    assert all(one.value >= 0 and 0 <= one.told <= 1 for one in found.coefficients)


@settings(max_examples=60)
@given(st.lists(WINDOW, min_size=4, max_size=10), st.floats(0.1, 1000))
def test_twice_the_joules_are_twice_the_shares(windows, factor):
    """Of a model whose scale is not known: what unit energy has must not matter."""
    energy_j = energies(windows) + 1.0
    one, other = (watch(looks_of(windows), energy_j * by, PROPORTIONS) for by in (1.0, factor))
    assert other.output_j == pytest.approx(one.output_j * factor, rel=1e-4, abs=1e-3 * factor)
    assert other.idle_w == pytest.approx(one.idle_w * factor, rel=1e-4, abs=1e-3 * factor)


def test_the_order_of_looks_does_not_matter():
    made = load(30)
    looks = looks_of(made.windows)
    assert watch(looks[::-1], made.energy_j) == watch(looks, made.energy_j)
    assert looks[-1].mono_ns == 150 * S
