"""What holds for every schedule, whatever it is: a thousand of them, the same on every machine."""

from dataclasses import replace

import numpy as np
import pytest

from science.sharing.made import DENSE, GAP, MIXTURE, schedule
from wattermark.science.sharing.charges import charged
from wattermark.science.sharing.impute import impute
from wattermark.science.sharing.windows import share_windows
from wattermark.values.policy import ActiveIdle, Again, Idle, Policy

pytestmark = pytest.mark.slow
COSTS = [DENSE, MIXTURE]
POLICIES = [Policy(active=a, provisioned=p, again=c) for a in ActiveIdle for p in Idle for c in Again]
SEEDS = range(1000)


def ledgers(shared):
    return np.concatenate([shared.dynamic_j, shared.active_idle_j, shared.provisioned_idle_j])


def test_parts_add_up_to_the_meter_under_every_policy():
    for seed in SEEDS:
        windows, requests = schedule(seed)
        policy = POLICIES[seed % len(POLICIES)]
        shared = share_windows(windows, requests, COSTS, policy=policy)
        whole = pytest.approx(windows.energy_j.sum(), rel=1e-9)
        assert shared.total_j == whole, seed
        assert charged(shared, impute(requests).requests, policy).total_j == whole, seed


def test_no_part_is_negative_and_no_window_gives_more_than_it_has():
    for seed in SEEDS:
        windows, requests = schedule(seed)
        shared = share_windows(windows, requests, COSTS)
        assert np.nanmin(ledgers(shared)) >= 0, seed
        assert (shared.provisioned_idle_j <= windows.energy_j * (1 + 1e-12)).all(), seed
        assert ((shared.metered >= 0) & (shared.metered <= 1)).all(), seed
        assert not (np.nan_to_num(shared.again_j) > np.nan_to_num(shared.dynamic_j) * (1 + 1e-9)).any(), seed


def test_gaps_are_gaps_and_the_rest_adds_up():
    for seed in SEEDS:
        windows, requests = schedule(seed)
        energy_j = np.where(np.arange(len(windows.energy_j)) % 3 == seed % 3, GAP, windows.energy_j)
        shared = share_windows(replace(windows, energy_j=energy_j), requests, COSTS)
        assert shared.total_j == pytest.approx(np.nansum(energy_j), rel=1e-9), seed
        assert (np.isnan(shared.provisioned_idle_j) == np.isnan(energy_j)).all(), seed
        assert not (np.isnan(shared.dynamic_j) & (shared.metered > 0)).any(), seed


def test_order_does_not_matter():
    for seed in SEEDS:
        windows, requests = schedule(seed)
        turned = np.arange(len(requests.begin_s))[::-1]
        shared, other = (share_windows(windows, one, COSTS) for one in (requests, requests.at(turned)))
        assert other.dynamic_j[turned] == pytest.approx(shared.dynamic_j, rel=1e-9, abs=1e-9, nan_ok=True)
        assert other.active_idle_j[turned] == pytest.approx(
            shared.active_idle_j, rel=1e-9, abs=1e-9, nan_ok=True
        )


def test_twins_bear_the_same():
    for seed in SEEDS:
        windows, requests = schedule(seed)
        m = len(requests.begin_s)
        shared = share_windows(windows, requests.at(np.r_[np.arange(m), np.arange(m)]), COSTS)
        assert shared.request_j[:m] == pytest.approx(shared.request_j[m:], rel=1e-9, abs=1e-9, nan_ok=True)


def test_who_was_nothing_bears_nothing_and_changes_nothing():
    for seed in SEEDS:
        windows, requests = schedule(seed)
        m = len(requests.begin_s)
        if not m:
            continue
        nobody = requests.at(np.r_[np.arange(m), 0])
        for name in ("read_tokens", "cached_tokens", "written_tokens", "passes", "again_tokens"):
            getattr(nobody, name)[m] = 0.0
        nobody.first_s[m] = nobody.end_s[m] = nobody.begin_s[m]
        with_nobody, without = (share_windows(windows, one, COSTS) for one in (nobody, requests))
        assert with_nobody.request_j[m] == 0, seed
        assert with_nobody.request_j[:m] == pytest.approx(without.request_j, rel=1e-9, abs=1e-9, nan_ok=True)


def test_two_meters_shared_apart_and_added_are_both_shared_together():
    """Where each saw at least what it draws at rest: no idle is cut off."""
    for seed in SEEDS:
        windows, requests = schedule(seed)
        rest_j = windows.idle_w * np.diff(windows.edge_s)
        one = replace(windows, energy_j=windows.energy_j + rest_j)
        two = replace(windows, energy_j=windows.energy_j[::-1].copy(), idle_w=0.0)
        both = replace(one, energy_j=one.energy_j + two.energy_j)
        apart = [share_windows(meter, requests, COSTS) for meter in (one, two)]
        together = share_windows(both, requests, COSTS)
        for name in ("dynamic_j", "active_idle_j", "provisioned_idle_j"):
            added = getattr(apart[0], name) + getattr(apart[1], name)
            assert getattr(together, name) == pytest.approx(added, rel=1e-9, abs=1e-9, nan_ok=True), seed


def test_idle_windows_may_be_split():
    for seed in SEEDS:
        windows, requests = schedule(seed)
        quiet_s = windows.edge_s[-1] + np.array([100.0, 101.0, 102.5, 104.0])
        shared, split = (
            share_windows(
                replace(
                    windows,
                    edge_s=np.r_[windows.edge_s, quiet_s[list(at)]],
                    energy_j=np.r_[windows.energy_j, 7.0, energy_j],
                ),
                requests,
                COSTS,
            )
            for at, energy_j in (((0, 3), [90.0]), ((0, 1, 2, 3), [20.0, 30.0, 40.0]))
        )
        assert split.request_j == pytest.approx(shared.request_j, rel=1e-9, abs=1e-9, nan_ok=True), seed
        assert split.provisioned_idle_j.sum() == pytest.approx(shared.provisioned_idle_j.sum())
