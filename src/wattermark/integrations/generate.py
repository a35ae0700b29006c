"""Hugging Face ``generate``: each answer is noted as a request, beside what this machine draws.

``metered(model)`` lays itself over ``model.generate`` of this one object, so that pipelines and agents that
call it are seen as well, and ``close()`` takes itself off again. The library is not changed, and neither is
what it answers: a stopping criterion that never stops counts the steps.

References
----------
.. [1] transformers 4.44 to 5.24, ``GenerationMixin.generate``: ``stopping_criteria`` are asked once a step,
   also in beam search and, once a check of a draft, in assisted generation.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from contextvars import ContextVar
from typing import Any

from wattermark.errors import UsageError
from wattermark.integrations.generated import NO_STEPS, ROWS, Asked, asked, name_of, written
from wattermark.values.served import Outcome, Route, Served, Usage
from wattermark.verbs.serving.ambient_desk import ambient_desk, notes
from wattermark.verbs.serving.desk import Desk
from wattermark.verbs.tell import harmless

UPSTREAM = "transformers"
CRITERIA = "stopping_criteria"
_inside: ContextVar[bool] = ContextVar("wattermark_generates", default=False)
"""Whether a metered call runs here: what drafts for it is a part of it."""


def metered(model: Any, *, desk: Desk | None = None) -> Metered:
    """Note each answer that a model generates, from now on.

    Requests lie in the open run of ``wattermark.track`` if there is one, else in a run of their own, with the
    meters of this machine. All answers of one call share its steps and its time; one that ended sooner was
    carried along, as rows of a batch are.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Or whatever else has a ``generate`` of that kind, as those of PEFT.
    desk : Desk, optional
        Where to note it instead.

    Raises
    ------
    UsageError
        If it has no ``generate``. Later, nothing is raised.

    Examples
    --------
    >>> with metered(model):  # doctest: +SKIP
    ...     model.generate(**inputs, max_new_tokens=100)
    """
    if not callable(getattr(model, "generate", None)):
        raise UsageError(
            f"a {type(model).__name__} has no generate()", fix="Give a model of transformers that has one"
        )
    return Metered(model, desk)


class Metered:
    """A model whose answers are noted, until ``close``."""

    def __init__(self, model: Any, desk: Desk | None) -> None:
        self.model = model
        self._own = desk
        self._over = False
        self.desk()
        self._laid = _Generate(model, model.generate, self)
        self._under = vars(model).get("generate")
        model.generate = self._laid

    @property
    def over(self) -> bool:
        """Whether it was closed."""
        return self._over

    @functools.cached_property
    def signature(self) -> inspect.Signature:
        """Of the model's own way to generate."""
        return inspect.signature(self._laid)

    def desk(self) -> Desk | None:
        """Where answers are noted now."""
        return self._own or ambient_desk(metered=True)

    def close(self) -> None:
        """The model generates as before; twice is no harm."""
        self._over = True
        if vars(self.model).get("generate") is not self._laid:
            return  # somebody else has laid himself over us, and still hands on
        if self._under is None:
            del self.model.generate
        else:
            self.model.generate = self._under

    def __enter__(self) -> Metered:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class _Generate:
    """A model's ``generate``; what it answers and raises is its own. A copy of the model has a plain one."""

    def __init__(self, model: Any, original: Callable[..., Any], meter: Metered) -> None:
        functools.update_wrapper(self, original)
        self._model, self._original, self._meter = model, original, meter

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._model, "generate")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._meter.over or _inside.get():
            return self._original(*args, **kwargs)
        call = _Call(self._model, args, kwargs)
        call.prepare(self._meter)
        token = _inside.set(True)
        with ExitStack() as stack:
            stack.callback(_inside.reset, token)
            stack.push(lambda kind, error, _trace: call.failed(error) if error is not None else None)
            answer = self._original(*call.args, **call.kwargs)
        call.ended(answer)
        return answer


class _Call:
    """One call, and what is noted of it."""

    def __init__(self, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs
        self._model = model
        self._asked: Asked | None = None
        self._steps: Steps | None = None
        self._streams = False
        self._note: Callable[[Served], None] = lambda _served: None
        self._begin_ns = time.monotonic_ns()

    @harmless
    def prepare(self, meter: Metered) -> None:
        """Look at what is asked for, and let its steps be counted."""
        signature = meter.signature
        told = _told(signature, self.args, self.kwargs)
        self._asked = asked(self._model, told)
        self._streams = told.get("streamer") is not None
        if _asks_each_step(signature, told):
            self._steps = Steps()
            self._ask(signature, [*(told.get(CRITERIA) or ()), self._steps])
        self._note = notes(meter.desk())
        self._begin_ns = time.monotonic_ns()

    @harmless
    def ended(self, answer: Any) -> None:
        """It answered: a request for each row."""
        if self._asked is None:
            return
        end_ns = time.monotonic_ns()
        rows = written(answer, self._asked)
        prompts, why = self._asked.prompts, self._asked.unknown
        if len(rows) != len(prompts):
            prompts, why = tuple(None for _ in rows), (*why, ROWS)
        for prompt, tokens in zip(prompts, rows, strict=True):
            self._note(self._served(end_ns, prompt, tokens, why))

    @harmless
    def failed(self, error: BaseException) -> None:
        """It raised: whoever interrupts it left."""
        if self._asked is None:
            return
        end_ns = time.monotonic_ns()
        outcome = Outcome.FAILED if isinstance(error, Exception) else Outcome.LEFT
        for prompt in self._asked.prompts:
            self._note(self._served(end_ns, prompt, None, self._asked.unknown, outcome))

    def _served(
        self, end_ns: int, prompt: int | None, tokens: int | None, why: tuple[str, ...],
        outcome: Outcome = Outcome.OK,
    ) -> Served:  # fmt: skip
        assert self._asked is not None
        steps = self._steps if self._steps is not None and self._steps.count else None
        return Served(
            begin_ns=self._begin_ns,
            first_ns=steps.first_ns if steps else None,
            end_ns=end_ns,
            usage=Usage(
                input_tokens=prompt,
                output_tokens=tokens,
                cached_tokens=self._asked.cached,
                passes=steps.count if steps else None,
            ),
            model=name_of(self._model),
            route=Route.COMPLETIONS,
            upstream=UPSTREAM,
            outcome=outcome,
            streamed=self._streams,
            unknown=why if steps else (*why, NO_STEPS),
        )

    def _ask(self, signature: inspect.Signature, criteria: list[Any]) -> None:
        from transformers import StoppingCriteriaList

        names = list(signature.parameters)
        place = names.index(CRITERIA) if CRITERIA in names else len(self.args)
        if place < len(self.args):
            self.args = (*self.args[:place], StoppingCriteriaList(criteria), *self.args[place + 1 :])
        else:
            self.kwargs = {**self.kwargs, CRITERIA: StoppingCriteriaList(criteria)}


class Steps:
    """A stopping criterion that never stops: it counts, and knows when the first token was there."""

    def __init__(self) -> None:
        self.count = 0
        self.first_ns: int | None = None
        self._go_on: Any = None

    def __call__(self, input_ids: Any, _scores: Any = None, **_more: Any) -> Any:
        self.count += 1
        if self.first_ns is None:
            if input_ids.is_cuda:
                input_ids[0, -1].item()  # the loop itself waits for this token right after us
            self.first_ns = time.monotonic_ns()
        if self._go_on is None or self._go_on.shape[0] != input_ids.shape[0]:
            self._go_on = input_ids.new_zeros(input_ids.shape[0]).bool()
        return self._go_on


def _told(signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments by name."""
    names = [name for name, one in signature.parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    return {**dict(zip(names or ("inputs",), args, strict=False)), **kwargs}


def _asks_each_step(signature: inspect.Signature, told: Mapping[str, Any]) -> bool:
    """Whether stopping criteria may be given: not to a scheduler of its own, nor to foreign code."""
    takes = any(name == CRITERIA or one.kind is one.VAR_KEYWORD for name, one in signature.parameters.items())
    return takes and told.get("cache_implementation") != "paged" and told.get("custom_generate") is None
