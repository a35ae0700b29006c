"""What a report is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wattermark.values.estimate import Estimate
from wattermark.values.footprint import Footprint
from wattermark.values.kinds import Quality

STANDARDS: Final = (
    *("sci", "sci-ai-consumer", "sci-ai-provider", "ghg", "ghg-customer"),
    *("ai-act", "model-card", "methods"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A footprint, measured or estimated, and what else is known of the work.

    ``kind`` is run, training, inference, embedding, image, video or api; ``flops`` [FLOP] and ``wall_time_s``
    [s] are of a training; ``units`` how many of what it was for; ``assumptions`` what an estimate took.
    """

    name: str
    kind: str
    footprint: Footprint
    hardware: str = ""
    flops: float | None = None
    wall_time_s: float | None = None
    units: Mapping[str, float] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()

    @classmethod
    def of_run(cls, name: str, footprint: Footprint) -> Subject:
        """A recorded run."""
        devices = sorted({part.device for part in footprint.components if part.device})
        return cls(
            name=name,
            kind="run",
            footprint=footprint,
            hardware=", ".join(devices),
            wall_time_s=footprint.duration_s,
        )

    @classmethod
    def of_estimate(cls, estimate: Estimate) -> Subject:
        """Something that was not run."""
        best = {name: value.best for name, value in estimate.amounts.items()}
        question = estimate.question
        return cls(
            name=question.subject,
            kind=question.kind,
            footprint=estimate.footprint,
            hardware=question.hardware,
            flops=best.get("flops"),
            wall_time_s=best.get("wall_time_s"),
            units=question.units,
            assumptions=question.assumptions,
        )

    @property
    def is_run(self) -> bool:
        return self.kind == "run"

    @property
    def may_be_training(self) -> bool:
        return self.kind in ("run", "training")

    @property
    def holds_experiments(self) -> bool:
        """Whether its energy is that of trials and failed runs as well."""
        return any(part.kind == "experiments" for part in self.footprint.components)

    @property
    def is_measured(self) -> bool:
        """Whether a meter saw at least a part of it."""
        return any(part.quality is Quality.MEASURED for part in self.footprint.components)
