"""What somebody wants to run: each value checks that it can be meant."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from numbers import Real

from wattermark.errors import UsageError

MEDIA = ("image", "video")
SERVICES = ("inference", "embedding")
METHODS = ("full", "lora", "qlora", "dpo", "rl")
ARITHMETIC = ("bf16", "fp16", "fp8", "int8")
PRECISIONS = ("bf16", "fp16", "fp8", "int8", "int4", "mxfp4", "fp32")
LEAST_PARAMS, LEAST_SHARE = 1e5, 1e-4
LEAST, MOST = 1e-9, 1e30
"""Of any size: beyond them are slips, and numbers that no formula can hold."""


def _finite(name: str, value: object) -> float:
    """A number at all; a text such as ``"7B"`` is one for the command line only."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise UsageError(f"{name} is {value!r:.40}", fix="Give a number, as in 7e9")
    try:
        number = float(value)
    except OverflowError:
        number = inf
    if not abs(number) <= MOST:
        raise UsageError(f"{name} is {number:g}", fix=f"Give a number, {MOST:g} at most")
    return number


def check_positive(name: str, value: float | None) -> None:
    """Sizes are above zero, and finite.

    Raises
    ------
    UsageError
        If it is not.
    """
    if value is not None and not _finite(name, value) >= LEAST:
        raise UsageError(f"{name} is {value:g}", fix="Give a number above 0")


def check_count(name: str, value: float | None) -> None:
    """What is counted is whole, and at least one.

    Raises
    ------
    UsageError
        If it is not.
    """
    if value is None:
        return
    if _finite(name, value) < 1 or value != int(value):
        raise UsageError(f"{name} is {value:g}", fix="Give a whole number, at least 1")


def check_not_negative(name: str, value: float) -> None:
    """Amounts may be nothing.

    Raises
    ------
    UsageError
        If it is below zero, or no number.
    """
    if _finite(name, value) < 0:
        raise UsageError(f"{name} is {value:g}", fix="Give 0 or more")


def check_model_size(name: str, value: float | None) -> None:
    """No model is that small: ``7`` was meant for ``7B``.

    Raises
    ------
    UsageError
        If it is below a hundred thousand.
    """
    check_positive(name, value)
    if value is not None and value < LEAST_PARAMS:
        raise UsageError(f"a model of {value:g} parameters", fix="Write 7e9, or 7B on the command line")


def check_share(name: str, value: float | None, *, above_zero: bool) -> None:
    """Shares lie between 0 and 1.

    Raises
    ------
    UsageError
        If it does not.
    """
    if value is None or (0 <= _finite(name, value) <= 1 and (value >= LEAST_SHARE or not above_zero)):
        return
    low = "above 0" if above_zero else "at least 0"
    raise UsageError(f"{name} is {value:g}, but it is a share", fix=f"Give a number {low} and at most 1")


def check_text(name: str, value: str | None, *, needed: bool = False) -> None:
    """Names are texts.

    Raises
    ------
    UsageError
        If it is something else, or nothing where a name is needed.
    """
    if (value is None and needed) or not isinstance(value, str | None):
        raise UsageError(f"{name} is {value!r:.40}", fix=f"Give the name of the {name} as text")


def check_choice(name: str, value: str | None, choices: tuple[str, ...], *, needed: bool = False) -> None:
    """A word is one of those that have a meaning.

    Raises
    ------
    UsageError
        If it is not.
    """
    if (value is not None or needed) and value not in choices:
        raise UsageError(f"{name} is {value!r}", fix=f"Choose from: {', '.join(choices)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where it would run. What is given here goes before what the tables know of the place.

    ``wue`` and ``grid_water`` [L/kWh], ``intensity`` and ``market_intensity`` [g CO2e/kWh].
    """

    place: str | None = None
    pue: float | None = None
    wue: float | None = None
    intensity: float | None = None
    market_intensity: float | None = None
    grid_water: float | None = None

    def __post_init__(self) -> None:
        check_text("place", self.place)
        for name in ("pue", "wue", "intensity", "market_intensity", "grid_water"):
            if getattr(self, name) is not None:
                _finite(name, getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A training that was not run: by ``flops``, by a model with ``tokens``, or by ``gpu_hours``.

    The model is ``params`` (with ``active_params`` in a mixture of experts), a known name
    (``model``), or a Hugging Face ``config`` on disk. Work beside hours tells the utilisation; the
    hours then count. ``experiments`` is what trials and failed runs
    take, as a share of the final one; ``power_w`` the mean power of an accelerator with its part of
    the host; ``sequence`` tokens [1] let attention be counted; ``generated_tokens`` are those that
    reinforcement learning samples.
    """

    gpu: str
    count: float = 1.0
    params: float | None = None
    active_params: float | None = None
    model: str | None = None
    config: str | None = None
    tokens: float | None = None
    flops: float | None = None
    gpu_hours: float | None = None
    method: str = "full"
    precision: str = "bf16"
    mfu: float | None = None
    power_w: float | None = None
    sequence: float | None = None
    generated_tokens: float | None = None
    experiments: float = 0.0

    def __post_init__(self) -> None:
        check_text("gpu", self.gpu, needed=True)
        for name in ("model", "config"):
            check_text(name, getattr(self, name))
        for name in ("params", "active_params"):
            check_model_size(name, getattr(self, name))
        for name in ("tokens", "flops", "gpu_hours", "power_w", "sequence", "generated_tokens"):
            check_positive(name, getattr(self, name))
        check_count("count", self.count)
        check_share("mfu", self.mfu, above_zero=True)
        check_not_negative("experiments", self.experiments)
        check_choice("method", self.method, METHODS, needed=True)
        check_choice("precision", self.precision, ARITHMETIC, needed=True)
        _one_of(self)

    @property
    def names_model(self) -> bool:
        return any(one is not None for one in (self.params, self.model, self.config))


def _one_of(job: Training) -> None:
    by_model = job.names_model or job.tokens is not None
    if job.flops is not None and by_model:
        raise UsageError("--flops and a model with --tokens say the same thing twice", fix="Give one of them")
    if job.flops is None and job.gpu_hours is None and not by_model:
        raise UsageError(
            "the size of the training is not known",
            fix="Give a model (--params, --model or --config) with --tokens, or --flops, or --gpu-hours",
        )
    if job.gpu_hours is None and by_model and (job.tokens is None or not job.names_model):
        missing = "--tokens" if job.tokens is None else "--params, --model or --config"
        raise UsageError("the training is known by half", fix=f"Give {missing} as well")
    if job.gpu_hours is not None and job.mfu is not None:
        raise UsageError("--mfu has no meaning where the hours are given", fix="Leave one of them out")
    _no_idle_words(job)
    _one_model(job.params, job.active_params, job.model, job.config)


def _no_idle_words(job: Training) -> None:
    """What would change nothing is refused: nobody shall think that it was counted."""
    by_tokens = job.tokens is not None and job.names_model
    sampled = job.generated_tokens is not None and (job.method != "rl" or job.gpu_hours is not None)
    words = {
        "--method": (job.method != "full" and not by_tokens, "a model with --tokens"),
        "--sequence": (job.sequence is not None and not by_tokens, "a model with --tokens"),
        "--generated-tokens": (sampled, "--method rl, and no --gpu-hours"),
    }
    for word, (idle, needs) in words.items():
        if idle:
            raise UsageError(f"{word} would change nothing here", fix=f"It takes {needs}; else leave it out")


def _one_model(
    params: float | None, active_params: float | None, model: str | None, config: str | None
) -> None:
    told = [
        name
        for name, value in (("--params", params), ("--model", model), ("--config", config))
        if value is not None
    ]
    if len(told) > 1:
        raise UsageError(f"{' and '.join(told)} name the model twice", fix="Give one of them")
    if active_params is not None and params is None:
        raise UsageError("--active-params needs --params", fix="Give both, or a --model")
    if active_params is not None and params is not None and active_params > params:
        raise UsageError(
            f"{active_params:g} active parameters are more than all {params:g}",
            fix="--active-params is the part that one token passes through",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """A service that was not run: a model, what a request holds, and the replica that answers.

    ``count`` accelerators share one copy of the model (None: the fewest that hold it); ``batch`` is
    the mean number of requests that run at a time; ``cached`` the share of the input that was read
    before; ``utilisation`` the share of its time in which a replica works; ``replicas`` how many
    copies are held; ``fit`` the file of a calibration. ``kind`` is inference or embedding.
    """

    gpu: str
    input_tokens: float
    output_tokens: float = 0.0
    reasoning_tokens: float = 0.0
    batch: float = 1.0
    cached: float = 0.0
    model: str | None = None
    config: str | None = None
    params: float | None = None
    active_params: float | None = None
    count: int | None = None
    quantisation: str | None = None
    utilisation: float | None = None
    requests: float | None = None
    requests_per_day: float | None = None
    replicas: int | None = None
    fit: str | None = None
    kind: str = "inference"

    def __post_init__(self) -> None:
        check_text("gpu", self.gpu, needed=True)
        for name in ("model", "config", "fit"):
            check_text(name, getattr(self, name))
        for name in ("params", "active_params"):
            check_model_size(name, getattr(self, name))
        for name in ("batch", "input_tokens", "requests", "requests_per_day"):
            check_positive(name, getattr(self, name))
        for name in ("count", "replicas"):
            check_count(name, getattr(self, name))
        check_choice("kind", self.kind, SERVICES)
        if self.batch < 1:
            raise UsageError(f"batch is {self.batch:g}", fix="At least 1 request runs at a time")
        check_share("cached", self.cached, above_zero=False)
        check_share("utilisation", self.utilisation, above_zero=True)
        check_choice("quantisation", self.quantisation, PRECISIONS)
        check_not_negative("reasoning_tokens", self.reasoning_tokens)
        if self.kind == "inference":
            check_positive("output_tokens", self.output_tokens)
        if self.model is None and self.config is None and self.params is None:
            raise UsageError("the model is not known", fix="Give --model, --config or --params")
        _one_model(self.params, self.active_params, self.model, self.config)
        if self.requests is not None and self.requests_per_day is not None:
            raise UsageError(
                "--requests and --requests-per-day say the same thing twice", fix="Give one of them"
            )
        if self.replicas is not None and self.requests_per_day is None:
            raise UsageError("replicas without requests_per_day", fix="Give --requests-per-day as well")
        if self.replicas is not None and self.utilisation is not None:
            raise UsageError("--replicas and --utilisation say the same thing twice", fix="Give one of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Images or videos that were not made; an item is one of them.

    ``kind`` is image or video; ``params`` are those of the part that denoises, for a model that nobody
    listed. ``count`` accelerators share each pass, ``ring`` of them as ring attention and the rest by heads
    (Ulysses), and make ``batch`` items at a time. What is asked of
    an item (``steps`` [1], ``height`` and ``width`` [px], ``frames`` [1]) is as usual for its model where
    it is not given. ``utilisation`` is the share of its time in which the hardware works.
    """

    kind: str
    gpu: str
    model: str | None = None
    params: float | None = None
    items: float = 1.0
    count: int = 1
    ring: int = 1
    batch: float = 1.0
    steps: float | None = None
    height: float | None = None
    width: float | None = None
    frames: float | None = None
    utilisation: float | None = None

    def __post_init__(self) -> None:
        check_text("gpu", self.gpu, needed=True)
        check_text("model", self.model)
        check_choice("kind", self.kind, MEDIA)
        check_model_size("params", self.params)
        for name in ("items", "batch", "steps", "height", "width", "frames"):
            check_positive(name, getattr(self, name))
        for name in ("count", "ring"):
            check_count(name, getattr(self, name))
        for name in ("batch", "frames"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} is {value:g}", fix="Give at least 1")
        if self.kind == "image" and self.frames not in (None, 1):
            raise UsageError(f"an image of {self.frames:g} frames", fix="Estimate a video, or leave them out")
        if self.count % self.ring:
            raise UsageError(
                f"a ring of {self.ring} does not part {self.count} accelerators",
                fix="Give a divisor of --count",
            )
        check_share("utilisation", self.utilisation, above_zero=True)
        if self.model is None and self.params is None:
            raise UsageError("the model is not known", fix="Give --model, or --params")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCalls:
    """Requests to a model that somebody else runs; ``output_tokens`` hold those of reasoning."""

    model: str
    provider: str | None = None
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    cached: float = 0.0
    requests: float = 1.0

    def __post_init__(self) -> None:
        check_text("model", self.model, needed=True)
        check_text("provider", self.provider)
        for name in ("input_tokens", "output_tokens"):
            check_not_negative(name, getattr(self, name))
        if self.input_tokens + self.output_tokens == 0:
            raise UsageError("a request without tokens", fix="Give --input-tokens and --output-tokens")
        check_positive("requests", self.requests)
        check_share("cached", self.cached, above_zero=False)
