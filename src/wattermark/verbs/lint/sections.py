"""What part of a model's life a section of a card is about."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wattermark.verbs.lint.sentences import Line

_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*)")
_PHASES = {
    "pre-training": re.compile(r"base model|pre-?train", re.IGNORECASE),
    "fine-tuning": re.compile(r"fine-?tun|\b(?:sft|lora|dpo|rlhf)\b|alignment|adapter", re.IGNORECASE),
    "inference": re.compile(r"\b(?:inference|serving|deployment|latency)\b", re.IGNORECASE),
    "evaluation": re.compile(r"\b(?:evaluation|benchmarks?)\b", re.IGNORECASE),
}
TRAININGS = frozenset(("pre-training", "fine-tuning"))


def phase_of(text: str) -> str:
    """Pre-training, fine-tuning, inference or evaluation; empty where a text names none, or several."""
    told = [phase for phase, words in _PHASES.items() if words.search(text)]
    trains = re.search(r"\btrain", text, re.IGNORECASE)
    return told[0] if len(told) == 1 and not (trains and told[0] not in TRAININGS) else ""


@dataclass(frozen=True, slots=True)
class Sections:
    """The lines at which sections begin, and the phase of each."""

    starts: Sequence[int]
    phases: Sequence[str]

    def phase_at(self, line: int) -> str:
        """The phase of a line; empty before the first heading."""
        at = bisect_right(self.starts, line) - 1
        return self.phases[at] if at >= 0 else ""


def sections_of(lines: Iterable[Line]) -> Sections:
    """The sections of a card. One that names no phase is of the phase of the section around it."""
    around: list[tuple[int, str]] = []
    starts, phases = [], []
    for line, text in lines:
        hit = _HEADING.match(text)
        if hit is None:
            continue
        level = len(hit[1])
        around = [(depth, phase) for depth, phase in around if depth < level]
        phase = phase_of(hit[2]) or (around[-1][1] if around else "")
        around.append((level, phase))
        starts.append(line)
        phases.append(phase)
    return Sections(starts, phases)
