"""An inference engine that plays: its counters and its meter's are one closed form of the steady clock.

    engine = Playing(VLLM_PAGE)
    with Server() as server:
        server.pages = Pages({"/metrics": engine.page})
        wattermark watches server.address, and reads engine.meter

Time is cut into slots; in each the batch, the prompts and the context are other ones, known
beforehand, so what every token costs is known exactly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes.web import Page
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

MICRO = 1_000_000


@dataclass(frozen=True)
class Costs:
    """The truth, in joules; ``idle_w`` in watts."""

    read_j: float = 0.02
    written_j: float = 0.3
    step_j: float = 2.0
    context_j: float = 2e-5
    idle_w: float = 300.0


@dataclass(frozen=True)
class State:
    """What an engine's counters show."""

    prompt: float = 0.0
    cached: float = 0.0
    written: float = 0.0
    steps: float = 0.0
    requests: float = 0.0
    looked: float = 0.0
    running: float = 0.0
    kept: float = 0.0


@dataclass
class Playing:
    """Slots of ``slot_s``; every ``idle_every``-th has no request. ``page`` writes a state down."""

    write: Callable[[State], str]
    costs: Costs = field(default_factory=Costs)
    slot_s: float = 0.25
    idle_every: int = 4
    seed: int = 1
    began_s: float = field(default_factory=time.monotonic)
    restarted_s: float = 1e18

    def slot(self, number: int) -> State:
        """What happens in one slot: a scramble of its number."""
        if self.idle_every and number % self.idle_every == 0:
            return State()
        a, b, c, d = (_scrambled(number, self.seed, salt) for salt in range(4))
        batch, steps = 1 + int(a * 40), 20 + int(b * 80)
        prompt, context = 200 + int(c * 6000), 300 + int(d * 3000)
        return State(
            prompt=prompt,
            cached=prompt * d / 2,
            written=batch * steps,
            steps=steps,
            requests=batch,
            looked=batch * steps * context,
            running=batch,
            kept=batch * context,
        )

    def at(self, now_s: float) -> State:
        """All that was counted until a moment."""
        passed = max(now_s - self.began_s, 0.0) / self.slot_s
        whole = int(passed)
        now = self.slot(whole)
        sums = dict.fromkeys(("prompt", "cached", "written", "steps", "requests", "looked"), 0.0)
        for name in sums:
            sums[name] = sum(getattr(self.slot(i), name) for i in range(whole))
            sums[name] += (passed - whole) * getattr(now, name)
        return State(**sums, running=now.running, kept=now.kept)

    def output_j(self, now_s: float) -> float:
        """What writing took until a moment."""
        state, cost = self.at(now_s), self.costs
        return cost.written_j * state.written + cost.step_j * state.steps + cost.context_j * state.looked

    def energy_j(self, now_s: float) -> float:
        """All that it drew until a moment."""
        state = self.at(now_s)
        read_j = self.costs.read_j * (state.prompt - state.cached)
        return read_j + self.output_j(now_s) + self.costs.idle_w * (now_s - self.began_s)

    def page(self) -> Page:
        """Its metrics now; after a restart they count anew."""
        now_s = time.monotonic()
        state = self.at(now_s)
        if now_s >= self.restarted_s:
            before = self.at(self.restarted_s)
            counted = ("prompt", "cached", "written", "steps", "requests", "looked")
            later = {name: getattr(state, name) - getattr(before, name) for name in counted}
            state = State(**later, running=state.running, kept=state.kept)
        return Page(self.write(state))


class PlayedMeter:
    """A GPU whose counter is what engines drew."""

    def __init__(self, *engines: Playing, device: str = "NVIDIA H100 80GB HBM3") -> None:
        self.channels = [
            Channel(
                name="gpu/0", kind=Kind.COUNTER, part=Part.GPU, unit="uJ", covers="gpu/0", device=device,
                power_max_w=1e7, uuid="GPU-0",
            )
        ]  # fmt: skip
        self._engines = engines

    def read(self) -> list[int | None]:
        now_s = time.monotonic()
        return [int(sum(one.energy_j(now_s) for one in self._engines) * MICRO)]

    def period_s(self, interval_s: float) -> float:
        return interval_s

    def close(self) -> None:
        """Nothing is open."""


class Pages(dict[str, Any]):
    """Pages that are made when they are asked for."""

    def get(self, path: str, default: Any = None) -> Any:
        made = super().get(path, default)
        return made() if callable(made) else made


def vllm_page(state: State, model: str = "meta-llama/Llama-3.1-8B-Instruct") -> str:
    """As vLLM writes it."""
    of = f'{{engine="0",model_name="{model}"}}'
    size = 1_000_000
    told: Mapping[str, float] = {
        "prompt_tokens_total": state.prompt,
        "prompt_tokens_cached_total": state.cached,
        "generation_tokens_total": state.written,
        "iteration_tokens_total_count": state.steps,
        "num_requests_running": state.running,
        "num_requests_waiting": 0.0,
        "kv_cache_usage_perc": state.kept / size,
    }
    lines = [f"vllm:{name}{of} {value!r}" for name, value in told.items()]
    ended = f'{{engine="0",finished_reason="stop",model_name="{model}"}}'
    lines.append(f"vllm:request_success_total{ended} {state.requests!r}")
    lines.append(f'vllm:cache_config_info{{block_size="16",engine="0",num_gpu_blocks="{size // 16}"}} 1.0')
    return "# TYPE vllm:prompt_tokens counter\n" + "\n".join(lines) + "\n"


def _scrambled(number: int, seed: int, salt: int) -> float:
    """Even over 0 to 1, and the same each time."""
    mixed = (number * 2654435761 + seed * 40503 + salt * 97 + 12345) % 2**32
    for _ in range(3):
        mixed = (mixed ^ (mixed >> 15)) * 2246822519 % 2**32
    return mixed / 2**32
