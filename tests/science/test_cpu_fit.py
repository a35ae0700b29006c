"""What a processor takes by its TDP: from servers on a wall meter, and honest about those it has not seen."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.factors.processors import tdp_of
from wattermark.factors.table import table

FIT = {row["name"]: row for row in table("cpu_fit")}
LOADS = ("full", "idle")


@pytest.fixture(scope="module")
def tool():
    import fit_cpu

    return fit_cpu


@pytest.fixture(scope="module")
def rows():
    from factor_build.common import read_facts

    return read_facts("load_curves")


# -- the servers -----------------------------------------------------------------------


def test_servers_are_many_and_of_many_kinds(rows):
    assert len(rows) >= 60
    assert len({row["cpu"] for row in rows}) >= 60
    assert {row["chips"] for row in rows} >= {"1", "2", "4", "8"}
    assert len({row["maker"] for row in rows}) >= 10
    assert {int(row["year"]) for row in rows} >= set(range(2012, 2024))


def test_no_server_is_absurd(rows):
    for row in rows:
        tdp_w = tdp_of(row["cpu"])
        assert tdp_w is not None, row["cpu"]
        full_w, idle_w = float(row["full_w"]), float(row["idle_w"])
        assert 0.4 < full_w / (int(row["chips"]) * tdp_w) < 3, row
        assert 0.05 < idle_w / full_w < 0.6, row
        assert int(row["cores"]) % int(row["chips"]) == 0, row


# -- the fit ---------------------------------------------------------------------------


def test_the_tool_writes_the_shipped_bytes(tool, tmp_path, capsys):
    assert tool.main(["--out", str(tmp_path)]) == 0
    assert (tmp_path / "cpu_fit.csv").read_bytes() == (tool.TABLES / "cpu_fit.csv").read_bytes()
    assert "cpu_full_over_tdp" in capsys.readouterr().out


@pytest.mark.parametrize(("load", "median", "p90"), [("full", 0.15, 0.4), ("idle", 0.35, 0.75)])
def test_servers_whose_processor_the_fit_never_saw_are_told_so_well(load, median, p90):
    """Idle is told badly, and the interval says so."""
    row = FIT[f"cpu_{load}_over_tdp"]
    assert float(row["median_error"]) <= median and float(row["p90_error"]) <= p90
    assert 0.85 <= float(row["coverage"]) <= 0.95


@pytest.mark.parametrize("load", LOADS)
def test_the_errors_are_of_fits_without_the_model(tool, load):
    """Left in, the band of the 5th to 95th percentile holds nine of ten; left out, no more."""
    servers = tool.servers_at(load)
    whole = tool.fit(servers)
    low, _, high = whole.over_tdp
    held = [low <= one <= high for one in whole.left_for_cpu(servers)]
    assert tool.share_of(np.array(held), servers.models) >= float(FIT[f"cpu_{load}_over_tdp"]["coverage"])


def test_full_is_about_the_tdp_and_idle_a_fifth_of_it():
    full, idle = (FIT[f"cpu_{load}_over_tdp"] for load in LOADS)
    assert 0.9 < float(full["best"]) < 1.2
    assert 0.1 < float(idle["best"]) < 0.3
    assert float(idle["high"]) < float(full["low"]), "rest never takes more than work"


@given(
    st.floats(5, 50), st.floats(0.05, 0.4), st.floats(0.3, 1.5),
    st.lists(
        st.tuples(st.integers(8, 1024), st.integers(30, 2000)), min_size=8, max_size=20,
        unique_by=(lambda one: one[0], lambda one: one[1]),
    ),
)  # fmt: skip
def test_servers_made_by_the_formula_give_it_back(board_w, per_gb, over_tdp, sizes):
    from fit_cpu import Servers, fit

    memory_gb, tdp_w = (np.array(side, float) for side in zip(*sizes, strict=True))
    watts = board_w + per_gb * memory_gb + over_tdp * tdp_w
    servers = Servers(watts, memory_gb, tdp_w, [str(i) for i in range(len(sizes))])
    found = fit(servers)
    assert found.expected_w(servers) == pytest.approx(watts, rel=1e-6)


@pytest.mark.parametrize("load", LOADS)
def test_a_tdp_tells_more_than_a_usual_logical_cpu(tool, load):
    """Else nobody need ask for it: at most two thirds of the error at the median."""
    line = next(line for line in tool.beside_the_usual() if line.startswith(load))
    by_tdp, usual = (int(text) for text in re.findall(r"(?:TDP|usual) (\d+)%", line))
    assert 0 < by_tdp <= 0.7 * usual


def test_a_model_with_many_servers_counts_once(tool):
    servers = tool.servers_at("full")
    often = [0] * 5
    more = tool.Servers(
        np.append(servers.watts, servers.watts[often]),
        np.append(servers.memory_gb, servers.memory_gb[often]),
        np.append(servers.tdp_w, servers.tdp_w[often]),
        [*servers.models, *(servers.models[0] for _ in often)],
    )
    assert tool.fit(more).over_tdp == pytest.approx(tool.fit(servers).over_tdp, rel=0.02)
