"""Looks at engines whose costs are known, made by hand."""

from dataclasses import dataclass

import numpy as np

from wattermark.science.sharing.columns import Cost
from wattermark.science.sharing.counters import Prior
from wattermark.values.range import Range
from wattermark.values.served import EngineLook

S = 1_000_000_000
TRUTH = {"read": 0.03, "written": 0.2, "step": 2.5, "context": 3e-5, "idle": 90.0}
COST = Cost(
    step_j=3.5,
    experts_j=0.0,
    missed=0.0,
    read_token_j=0.016,
    written_token_j=0.05,
    context_token_j=1.8e-5,
    pair_j=0.0,
)
KNOWN = Prior(cost=COST, absolute=True, idle_fraction=0.1, rated_w=700.0, error=Range(0.5, 1.0, 2.0))
PROPORTIONS = Prior(cost=COST, absolute=False, idle_fraction=0.1)
COUNTS = ("prompt_tokens", "cached_tokens", "generated_tokens", "steps", "requests")


def looks_of(
    windows, *, engine="vllm", upstream="a", model="m", every_s=5, tells=(*COUNTS, "running", "kv_tokens")
):
    """Looks from what happens in each window; gauges are chosen so that their mean over a window is right."""
    whose = (engine, upstream, model)
    sums = dict.fromkeys(COUNTS, 0.0)
    running = kept = 0.0
    shown = [_look(0, whose, {**sums, "running": 0.0, "kv_tokens": 0.0}, tells)]
    for i, one in enumerate(windows):
        for name in COUNTS:
            sums[name] += one.get(name, 0.0)
        running, kept = one.get("running", 0.0), one.get("kv_tokens", 0.0)
        told = {**sums, "running": running, "kv_tokens": kept}
        shown.append(_look((i + 1) * every_s * S, whose, told, tells))
    return shown


def _look(ns, whose, told, tells):
    engine, upstream, model = whose
    return EngineLook(
        mono_ns=ns, engine=engine, upstream=upstream, model=model,
        **{name: value for name, value in told.items() if name in tells},
    )  # fmt: skip


@dataclass(frozen=True)
class Load:
    """Random windows: every ``idle_every``-th without a request, the others with a batch of their own."""

    windows: list
    energy_j: np.ndarray


def load(n, *, seed=1, idle_every=5, noise=0.0, every_s=5, steady=False, truth=TRUTH):
    made = np.random.default_rng(seed)
    windows = []
    for i in range(n):
        batch, steps, prompt, context = (
            int(made.integers(*ends)) for ends in ((1, 64), (50, 200), (0, 20_000), (200, 4000))
        )
        if steady:
            batch, steps, prompt, context = 16, 100, 4000, 1000
        if idle_every and i % idle_every == 0:
            windows.append({})
            continue
        windows.append(
            {
                "prompt_tokens": prompt, "cached_tokens": 0.25 * prompt, "generated_tokens": batch * steps,
                "steps": steps, "requests": batch, "running": batch, "kv_tokens": batch * context,
            }
        )  # fmt: skip
    energy_j = energies(windows, every_s, truth)
    return Load(windows, energy_j * (1 + noise * made.standard_normal(n)))


def energies(windows, every_s=5, truth=TRUTH):
    """What the windows of one engine draw; the context is that of the mean of both ends, as it is seen."""
    found, before = [], {}
    for one in windows:
        running = one.get("running", 0.0) + before.get("running", 0.0)
        kept = one.get("kv_tokens", 0.0) + before.get("kv_tokens", 0.0)
        looked = one.get("generated_tokens", 0.0) * (kept / running if running else 0.0)
        read = max(one.get("prompt_tokens", 0.0) - one.get("cached_tokens", 0.0), 0.0)
        found.append(
            truth["read"] * read
            + truth["written"] * one.get("generated_tokens", 0.0)
            + truth["step"] * one.get("steps", 0.0)
            + truth["context"] * looked
            + truth["idle"] * every_s
        )
        before = one
    return np.array(found)
