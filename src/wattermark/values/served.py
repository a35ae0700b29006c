"""What a request to a model took, as far as anybody said so. Never a prompt, an answer or a key."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How a request ended; each is charged to a bucket of its own."""

    OK = "ok"
    LEFT = "left"  # the client went before the answer was whole
    REFUSED = "refused"  # by the engine: 4xx
    FAILED = "failed"  # in the engine: 5xx, or its answer broke off
    UNREACHED = "unreached"  # the engine could not be reached
    TIMEOUT = "timeout"  # the engine said nothing for too long


class Route(StrEnum):
    """What was asked for."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    RESPONSES = "responses"
    EMBEDDINGS = "embeddings"
    RERANK = "rerank"
    OTHER = "other"


NO_WORK = (Outcome.REFUSED, Outcome.UNREACHED)
"""How requests end that no model saw, unless their tokens were told."""
NO_ANSWER = (Route.EMBEDDINGS, Route.RERANK)
"""Routes whose answers are not generated token by token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one request; None is what nobody said.

    ``input_tokens`` hold ``cached_tokens``, which were not computed again; ``output_tokens`` hold
    ``reasoning_tokens``. ``passes`` are the decoding steps that it took part in, where these are known:
    fewer than output tokens under speculative decoding. ``again_tokens`` were computed twice, as the
    engine had to drop them (preemption).
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    passes: int | None = None
    again_tokens: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything was said of its tokens."""
        return self.input_tokens is not None or self.output_tokens is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One request, whole: a line of the ledger.

    Times are those of the steady clock that the run's beats have [ns]; ``first_ns`` is when the first
    piece of the answer came. ``tenant`` is a salted hash of the key that was shown, or empty. ``upstream``
    names the engine, or the pool of one that splits prefill from decoding; then events of one ``request``
    belong together. A row of an export may stand for ``many`` requests, whose tokens it adds. ``chunks``
    are the pieces of a streamed answer. ``unknown`` says what is not known of it, and why.
    """

    begin_ns: int
    end_ns: int
    first_ns: int | None = None
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    tenant: str = ""
    route: Route = Route.OTHER
    provider: str = ""
    upstream: str = ""
    request: str = ""
    status: int | None = None
    outcome: Outcome = Outcome.OK
    streamed: bool = False
    chunks: int = 0
    many: int = 1
    unknown: tuple[str, ...] = ()

    @property
    def worked(self) -> bool:
        """Whether a model had anything to do with it: none has with what is asked of the server itself."""
        usage = self.usage
        if not usage.is_known:
            return self.outcome not in NO_WORK and not (self.route is Route.OTHER and not self.model)
        written = usage.output_tokens
        return usage.input_tokens != 0 or not (written == 0 or (written is None and self.route in NO_ANSWER))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a request took, as far as that can be said at its end; the ledger settles it later.

    ``quality`` says how it was come by: ``measured-provisional`` (the last minute's joules by weight) or
    ``estimated``.
    """

    energy_j: float
    carbon_g: float
    water_l: float
    quality: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLook:
    """What an engine's own counters showed at a moment, in our words; None is what it does not tell.

    Counters only rise: tokens of prompts (cached ones included), of them cached, generated, steps,
    requests, preemptions, drafted and accepted tokens. ``running``, ``waiting`` [1] and ``kv_tokens``,
    the tokens that are kept [1], are of the moment; ``energy_j`` is a counter of the engine's own [J].
    """

    mono_ns: int
    engine: str
    upstream: str = ""
    model: str = ""
    prompt_tokens: float | None = None
    cached_tokens: float | None = None
    generated_tokens: float | None = None
    steps: float | None = None
    requests: float | None = None
    preemptions: float | None = None
    draft_tokens: float | None = None
    accepted_tokens: float | None = None
    running: float | None = None
    waiting: float | None = None
    kv_tokens: float | None = None
    energy_j: float | None = None
