"""What a server draws at rest, and who pays for it."""

import numpy as np
import pytest

from science.sharing.made import DENSE, GAP, requests, windows
from wattermark.science.sharing.charges import charged, sums_by
from wattermark.science.sharing.idle import idle_power, idle_unseen_w
from wattermark.science.sharing.windows import share_windows
from wattermark.values.policy import Again, Idle, Policy

QUIET = [50.0] * 9


@pytest.mark.parametrize(
    ("energy_j", "rows", "power_w", "quiet_s", "measured"),
    [
        pytest.param(QUIET, [], 50, 9, True, id="nobody ran"),
        pytest.param([300, *QUIET], [(0, 0, 1)], 50, 9, True, id="somebody ran in the first"),
        pytest.param([300, 200, 90, *QUIET], [(0, 0, 1)], 50, 11, True, id="it cools down for a while"),
        pytest.param([2.0, *QUIET], [], 50, 10, True, id="a meter that stuck for a moment"),
        pytest.param([GAP, GAP, *QUIET], [], 50, 9, True, id="gaps tell nothing"),
        pytest.param([300, 50, 50], [(0, 0, 1)], 80, 2, False, id="quiet too shortly: the factor"),
        pytest.param([300] * 9, [(0, 0, 9)], 80, 0, False, id="never quiet: the factor"),
        pytest.param([300] * 9, [(0, 0, 2), (1.5, 0, 9)], 80, 0, False, id="never quiet, hand in hand"),
        pytest.param([], [], 80, 0, False, id="no windows: the factor"),
        pytest.param([-1.0] * 9, [], 0, 9, True, id="a meter below zero is none"),
    ],
)
def test_power_at_rest(energy_j, rows, power_w, quiet_s, measured):
    meter = windows(*energy_j)
    idle = idle_power(meter.edge_s, meter.energy_j, requests(*rows), otherwise_w=80.0)
    assert (idle.power_w, idle.quiet_s, idle.measured) == (power_w, quiet_s, measured)


def test_long_windows_count_for_longer():
    idle = idle_power(
        np.array([0.0, 1, 2, 3, 60]), np.array([90.0, 90, 90, 57 * 40]), requests(), otherwise_w=1.0
    )
    assert idle.power_w == 40


ROWS = [(0, 0.5, 1, 100, 100, 100), (0, 0.5, 1, 100, 0, 0)]


@pytest.mark.parametrize(
    ("provisioned", "more_j", "apart_j"),
    [
        pytest.param(Idle.APART, (0, 0), 40, id="nobody pays"),
        pytest.param(Idle.TOKENS, (30, 10), 0, id="by tokens, cached ones too"),
        pytest.param(Idle.TIME, (20, 20), 0, id="by time"),
    ],
)
def test_who_pays_for_provisioned_idle(provisioned, more_j, apart_j):
    asked = requests(*ROWS)
    shared = share_windows(windows(100, 40), asked, [DENSE])
    charges = charged(shared, asked, Policy(provisioned=provisioned))
    assert charges.request_j - shared.request_j == pytest.approx(np.array(more_j, float))
    assert charges.idle_j == apart_j
    assert charges.total_j == pytest.approx(140)


@pytest.mark.parametrize("provisioned", Idle)
def test_nobody_pays_if_nobody_is_there(provisioned):
    shared = share_windows(windows(40), requests(), [])
    charges = charged(shared, requests(), Policy(provisioned=provisioned))
    assert (charges.idle_j, charges.total_j) == (40, 40)


def test_errors_without_tokens_pay_by_time():
    asked = requests((0, 0, 1), (0, 0, 3))
    shared = share_windows(windows(1, 1, 1, 40), asked, [DENSE])
    charges = charged(shared, asked, Policy(provisioned=Idle.TOKENS))
    assert charges.request_j - shared.request_j == pytest.approx([10, 30])


def test_who_was_not_seen_does_not_pay():
    asked = requests((0, 0.5, 1, 9, 0, 9), (1, 1.5, 2, 9, 0, 9))
    shared = share_windows(windows(10, GAP, 40), asked, [DENSE])
    charges = charged(shared, asked, Policy(provisioned=Idle.TIME))
    assert charges.request_j == pytest.approx(np.array([50, GAP]), nan_ok=True)
    assert charges.total_j == pytest.approx(50)


def test_sums_say_how_many_requests_they_do_not_hold():
    asked = requests((0, 0.5, 1, 9, 0, 9), (1, 1.5, 2, 9, 0, 9), (2, 2.5, 3, 9, 0, 9))
    shared = share_windows(windows(10, GAP, 40), asked, [DENSE])
    sums = sums_by(np.array([0, 0, 1]), 2, shared, charged(shared, asked, Policy()))
    assert (sums.requests.tolist(), sums.unseen.tolist()) == ([2, 1], [1, 0])
    assert sums.charged_j == pytest.approx([10, 40])
    assert sums.dynamic_j + sums.active_idle_j == pytest.approx([10, 40])


def test_what_was_computed_again_is_apart_where_that_is_the_policy():
    asked = requests((0, 0.5, 1, 900, 0, 9), again=[900])
    shared = share_windows(windows(10), asked, [DENSE])
    request, apart = (charged(shared, asked, Policy(again=again)) for again in Again)
    assert (request.request_j[0], request.again_j) == (pytest.approx(10), 0)
    assert apart.again_j == pytest.approx(shared.again_j[0])
    assert 0 < apart.again_j < 10
    assert apart.total_j == pytest.approx(10)


@pytest.mark.parametrize(
    ("power_w", "otherwise_w"),
    [
        pytest.param([40, 400, 500, 500], 50.0, id="a tenth of the highest power"),
        pytest.param([500, 30, 30, 30], 30.0, id="no more than the lowest power"),
        pytest.param([500, np.nan, 400], 50.0, id="a gap tells nothing"),
        pytest.param([], 0.0, id="no window"),
    ],
)
def test_what_a_server_draws_at_rest_that_was_never_seen_so(power_w, otherwise_w):
    edge_s, energy_j = np.arange(len(power_w) + 1) * 2.0, np.array(power_w, float) * 2
    assert idle_unseen_w(edge_s, energy_j, fraction=0.1) == pytest.approx(otherwise_w)
