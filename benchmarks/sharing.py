"""How near shares by windows come to shares by steps: ``python benchmarks/sharing.py``, seconds.

A simulated engine (``batching.py``) tells all steps, of which the shares are exact; ``share_windows`` sees
what a proxy and a meter see. Beside it are what others do: by time, by tokens, by what tokens cost. Dynamic
energy is compared; active idle by weight means another thing in a window than in a step. It ends with how
fast 200,000 requests are shared over an hour.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
sys.path[:0] = [str(ROOT / folder) for folder in ("src", "benchmarks")]

from batching import Asked, Engine, Happened, serve, windows_of  # noqa: E402
from telling import Row, Target, machine, show, show_targets  # noqa: E402

from wattermark.science.sharing.columns import Columns, Cost, cost_of  # noqa: E402
from wattermark.science.sharing.steps import share_steps  # noqa: E402
from wattermark.science.sharing.windows import Windows, share_windows  # noqa: E402
from wattermark.values.workload import Architecture  # noqa: E402

Floats = NDArray[np.float64]
VALUES = {
    "serving_byte_j": 1.395e-10,
    "serving_flop_j": 9.843e-13,
    "serving_step_j": 0.5,
    "serving_token_j": 0.03,
}
"""Near those of an H100 (``factors/tables/serving_fit.csv``); what is shared depends on proportions only."""
BYTES_PER_S, FLOPS_PER_S, OVERHEAD_S = 2.6e12, 4.5e14, 0.004
DENSE = Architecture(
    name="8B", params=8e9, active_params=8e9, layers=32, kv_values=2 * 32 * 8 * 128, attention_width=32 * 4096
)
MIXTURE = Architecture(
    name="30B-A3B",
    params=30.5e9,
    active_params=3.3e9,
    experts=128,
    experts_per_token=8,
    layers=48,
    kv_values=2 * 48 * 4 * 128,
    attention_width=48 * 4096,
)
TENANTS = ("chat", "documents", "agents", "labels")


@dataclass(frozen=True)
class Tenant:
    """How one asks: share of requests, median tokens with their spread, cached part, how many streams."""

    share: float
    read: float
    written: float
    spread: float
    cached: float
    streamed: float


WHO = (
    Tenant(0.45, 300, 220, 0.8, 0.3, 1.0),
    Tenant(0.2, 4000, 150, 0.5, 0.0, 0.5),
    Tenant(0.15, 1500, 900, 0.7, 0.8, 0.7),
    Tenant(0.2, 200, 2, 0.3, 0.0, 0.0),
)


def asked(rate_per_s: float, length_s: float, seed: int) -> Asked:
    """Requests that come by chance, of four tenants."""
    dice = np.random.default_rng(seed)
    m = int(rate_per_s * length_s)
    tenant = dice.choice(len(WHO), m, p=[one.share for one in WHO])
    of = {name: np.array([getattr(one, name) for one in WHO])[tenant] for name in Tenant.__annotations__}
    read, written = (
        np.maximum(np.round(of[name] * np.exp(of["spread"] * dice.standard_normal(m))), 1)
        for name in ("read", "written")
    )
    cached = np.floor(read * of["cached"] * dice.uniform(0, 1, m))
    return Asked(
        at_s=np.sort(dice.uniform(0, length_s, m)),
        read=read - cached,
        cached=cached,
        written=np.minimum(written, 4000),
        tenant=tenant,
        streamed=dice.uniform(0, 1, m) < of["streamed"],
    )


def engine_of(model: Architecture) -> Engine:
    return Engine(
        most=128,
        step_s=2 * model.active_params / BYTES_PER_S + OVERHEAD_S,
        token_s=2 * model.active_params / FLOPS_PER_S,
        kept_s=2 * model.kv_values / BYTES_PER_S,
        idle_w=120.0,
    )


def off(cost: Cost) -> Cost:
    """A prior that is wrong, as one for another accelerator is."""
    return replace(
        cost,
        step_j=cost.step_j * 1.5,
        experts_j=cost.experts_j * 1.5,
        read_token_j=cost.read_token_j * 0.7,
        pair_j=cost.pair_j * 0.7,
    )


def ways(happened: Happened, engine: Engine, cost: Cost) -> Iterator[tuple[str, Floats]]:
    """Dynamic energy of each request [J], by different ways to share."""
    seen = happened.requests
    whole_j = float((happened.steps.energy_j - happened.steps.idle_j).sum())
    for length_s in (1.0, 15.0):
        windows = windows_of(happened, engine, length_s)
        yield f"windows of {length_s:.0f} s", share_windows(windows, seen, [cost]).dynamic_j
    windows = windows_of(happened, engine, 1.0)
    yield "wrong prior", share_windows(windows, seen, [off(cost)]).dynamic_j
    yield (
        "no times to first byte",
        share_windows(windows, replace(seen, first_s=np.full(len(seen.begin_s), np.nan)), [cost]).dynamic_j,
    )
    untold = np.arange(len(seen.begin_s)) % 10 == 0
    some = {name: np.where(untold, np.nan, getattr(seen, name)) for name in ("read_tokens", "written_tokens")}
    chunks = np.where(np.isfinite(seen.first_s), seen.written_tokens, 0.0)
    yield "a tenth untold", share_windows(windows, replace(seen, chunks=chunks, **some), [cost]).dynamic_j
    time_s = seen.end_s - seen.begin_s
    yield "by time", time_s / time_s.sum() * whole_j
    tokens = seen.read_tokens + seen.cached_tokens + seen.written_tokens
    yield "by tokens", tokens / tokens.sum() * whole_j
    priced = seen.read_tokens + 0.5 * seen.cached_tokens + 4 * seen.written_tokens
    yield "by price (4 to 1)", priced / priced.sum() * whole_j


def compare(name: str, model: Architecture, rate_per_s: float, length_s: float) -> list[Row]:
    """Each way against the truth: errors of requests and of tenants."""
    cost, engine = cost_of(model, precision="bf16", accelerators=1, values=VALUES), engine_of(model)
    arrivals = asked(rate_per_s, length_s, seed=7)
    happened = serve(arrivals, engine, cost)
    true_j = share_steps(happened.steps, [cost], len(arrivals.at_s)).dynamic_j
    of_tenant = np.bincount(arrivals.tenant, true_j, len(WHO))
    many = len(happened.steps.step) / len(happened.begin_s)
    rows: list[Row] = []
    for way, request_j in ways(happened, engine, cost):
        error = np.abs(request_j / true_j - 1)
        tenants = np.abs(np.bincount(arrivals.tenant, request_j, len(WHO)) / of_tenant - 1)
        rows.append(
            {
                "engine": name,
                "batch": float(many),
                "way": way,
                "median": float(np.median(error)),
                "p95": float(np.quantile(error, 0.95)),
                "worst tenant": float(tenants.max()),
                **{tenant: float(one) for tenant, one in zip(TENANTS, tenants, strict=True)},
            }
        )
    return rows


def speed() -> Row:
    """Share an hour of 200,000 requests that take ten seconds in the mean, by windows of a second."""
    dice = np.random.default_rng(1)
    m, n = 200_000, 3600
    begin_s = dice.uniform(0, n, m)
    first_s = begin_s + dice.exponential(0.3, m)
    end_s = first_s + dice.exponential(10, m)
    written = np.ceil((end_s - first_s) * 30)
    requests = Columns(
        begin_s=begin_s,
        first_s=first_s,
        end_s=end_s,
        read_tokens=dice.integers(1, 2000, m).astype(float),
        cached_tokens=dice.integers(0, 500, m).astype(float),
        written_tokens=written,
        passes=written,
        model=dice.integers(0, 3, m),
    )
    windows = Windows(edge_s=np.arange(n + 1.0), energy_j=dice.uniform(500, 3000, n), idle_w=400.0)
    cost = cost_of(MIXTURE, precision="bf16", accelerators=1, values=VALUES)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    shared = share_windows(windows, requests, [cost] * 3)
    took_s = time.process_time() - start
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    lost = abs(shared.total_j / float(windows.energy_j.sum()) - 1)
    return {"requests": m, "windows": n, "cpu_s": took_s, "memory_mb": more, "lost": lost}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a shorter time")
    length_s = 120.0 if parser.parse_args().quick else 600.0
    timed = speed()  # first: the most that a process ever held only grows
    rows = [
        row
        for name, model, rate in (
            ("8B, quiet", DENSE, 1.0),
            ("8B, busy", DENSE, 6.0),
            ("8B, overloaded", DENSE, 14.0),
            ("30B-A3B, quiet", MIXTURE, 1.0),
            ("30B-A3B, busy", MIXTURE, 6.0),
        )
        for row in compare(name, model, rate, length_s)
    ]
    show("Shares of requests against those by steps (relative error)", rows)
    show("Speed", [timed])
    ours = [row for row in rows if row["way"] == "windows of 1 s"]
    targets = [
        Target("median error of a request, worst engine", max(row["median"] for row in ours), 0.1, "1"),
        Target("error of a tenant, worst engine", max(row["worst tenant"] for row in ours), 0.05, "1"),
        Target("200,000 requests over 3,600 windows", timed["cpu_s"], 2.0, "CPU s"),
        Target("memory for them", timed["memory_mb"], 300.0, "MB"),
    ]
    show_targets(targets)
    RESULTS.mkdir(exist_ok=True)
    told = [{**vars(target), "met": target.met} for target in targets]
    document = {"benchmark": "sharing", "machine": machine(), "errors": rows, "speed": timed, "targets": told}
    (RESULTS / "sharing.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
