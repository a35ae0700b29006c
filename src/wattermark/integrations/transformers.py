"""Hugging Face Trainer: each train, evaluate and predict is a run, each epoch a span of it.

A callback that is given to the Trainer comes after those that report to TensorBoard, W&B and others, and is
not told of exceptions. ``watch(trainer)`` puts it in front of them, and knows how a training ended.

References
----------
.. [1] transformers 4.44 to 5.24, ``trainer_callback.py`` (``CallbackHandler.call_event`` calls in order,
   with one dictionary of logs) and ``trainer.py`` (``Trainer.log`` first keeps a copy in
   ``state.log_history``).
.. [2] J. Kaplan et al., arXiv:2001.08361: ``total_flos`` is 6 times tokens times parameters, without
   embeddings.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from wattermark.integrations.hooks import metrics, on_top_of, told_to_leave
from wattermark.levers.ask import leave, resume_from
from wattermark.values.range import Range
from wattermark.verbs.measure import Run
from wattermark.verbs.per import counted_since
from wattermark.verbs.stages import Stages
from wattermark.verbs.tell import harmless, tell

BASES = ("transformers.trainer_callback.TrainerCallback",)
LAST = "total_flos"
"""A key that only the last logs of a training hold."""
TRAIN = "train"
ENTRIES = (TRAIN, "evaluate", "predict")


class Hooks:
    """Measures what a Trainer does, and adds it to what the trainer logs.

    Under ``wattermark run --when greenest --interruptible --pause-by checkpoint`` it saves and ends the
    program after a step, when the plan says so. The same command goes on later, if it hands the checkpoint
    on: ``trainer.train(resume_from_checkpoint=os.environ.get("WATTERMARK_RESUME_FROM"))``.

    Parameters
    ----------
    **options : optional
        As of ``wattermark.track``: ``name, tags, place, pue, wue, scope, interval, ledger`` ...

    Raises
    ------
    UsageError
        If an option cannot be meant. Later, nothing is raised.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.stages = Stages(options)
        self._leaves = False
        self.per: dict[str, Range | None] = {}
        """IT energy of the last training for one ``token`` and one ``flop``; None where not known. [J]"""

    @property
    def run(self) -> Run | None:
        """The run that is recorded, or was the last one; none in a process that does not record."""
        return self.stages.run

    @harmless
    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        if resume_from() is not None and not state.global_step:
            tell("this training begins anew; to go on give train() resume_from_checkpoint=%r", resume_from())
        if not self.stages.records(first_here=state.is_local_process_zero):
            return
        self._before = _counts(args, state)
        self.per = {}
        self._begin(
            TRAIN, more.get("model"), args, resumed=f"step {state.global_step}" if state.global_step else None
        )

    @harmless
    def on_epoch_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self.stages.enter("epoch", int(state.epoch or 0), _epochs(args))

    @harmless
    def on_epoch_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self.stages.leave("epoch")

    @harmless
    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Where a plan asks it to leave, the trainer saves after this step; a last step needs none."""
        if not self._leaves and told_to_leave() and state.global_step < state.max_steps:
            self._leaves = control.should_save = True

    @harmless
    def on_save(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """All is on disk; with ``should_training_stop`` set, what goes on from there would stop at once."""
        if self._leaves:
            self.stages.end()
            leave(os.path.join(args.output_dir, f"checkpoint-{state.global_step}"))

    @harmless
    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        if not self.stages.open or logs is None:
            return
        told = metrics(self._last(args, state) if LAST in logs else self._costs())
        logs.update(told)
        if state.log_history:
            state.log_history[-1].update(told)

    @harmless
    def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self.stages.end()

    @harmless
    def entered(self, entry: str, trainer: Any, *, outer: bool) -> None:
        """A method of a watched trainer begins, within a training (``outer``) or by itself."""
        if outer:
            self.stages.enter(entry)
        elif entry != TRAIN and self.stages.records(first_here=trainer.state.is_local_process_zero):
            self._begin(entry, trainer.model, trainer.args)

    @harmless
    def left(self, entry: str, *, outer: bool, error: BaseException | None = None) -> None:
        """The same method has ended."""
        if outer:
            self.stages.leave(entry)
        else:
            self.stages.end(error)

    def _begin(self, stage: str, model: Any, args: Any, **tags: object) -> None:
        self._stage = stage
        self.stages.begin(f"{type(model).__name__} {stage}", {**_tags(model, args), "stage": stage, **tags})

    def _costs(self) -> dict[str, float]:
        """Within a training as of a moment ago; an evaluation by itself logs but once."""
        return self.stages.costs() if self._stage == TRAIN else self.stages.last_costs()

    def _last(self, args: Any, state: Any) -> dict[str, float]:
        """At the end, energy for what the trainer counted in this training, and in none before it."""
        costs = self.stages.last_costs()
        self.per = self.stages.per(counted_since(self._before, _counts(args, state)))
        each = {f"it_energy_j_per_{unit}": one.best for unit, one in self.per.items() if one is not None}
        return {**costs, **each}


if TYPE_CHECKING:

    class WattermarkCallback(Hooks):
        """Hooks on top of transformers' TrainerCallback."""


def __getattr__(name: str) -> Any:
    """The class is made at its first use: transformers is imported by who uses it."""
    if name != "WattermarkCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = on_top_of(BASES, Hooks, name, feature="the Trainer callback", package="transformers")
    return globals()[name]


def watch(trainer: Any, **options: Any) -> WattermarkCallback:
    """Measure all that a Trainer does from now on; answers the callback, whose ``run`` tells more.

    Parameters
    ----------
    trainer : transformers.Trainer
        Or one of its kind, as those of TRL.
    **options : optional
        As of ``WattermarkCallback``.

    Examples
    --------
    >>> watch(trainer, place="deu")  # doctest: +SKIP
    >>> trainer.train()  # doctest: +SKIP
    """
    from wattermark.integrations.transformers import WattermarkCallback

    callback = WattermarkCallback(**options)
    trainer.callback_handler.callbacks.insert(0, callback)
    for name in ENTRIES:
        setattr(trainer, name, _watched(getattr(trainer, name), name, trainer, callback))
    return callback


def _watched(entry: Callable[..., Any], name: str, trainer: Any, callback: Hooks) -> Callable[..., Any]:
    """The same method, measured; what it answers and raises is its own."""

    @functools.wraps(entry)
    def watched(*args: Any, **kwargs: Any) -> Any:
        outer = callback.stages.open
        callback.entered(name, trainer, outer=outer)
        with ExitStack() as stack:
            stack.push(lambda _kind, error, _trace: callback.left(name, outer=outer, error=error))
            return entry(*args, **kwargs)

    return watched


def _epochs(args: Any) -> int | None:
    """How many there will be; None where the steps are given."""
    return math.ceil(args.num_train_epochs) if args.max_steps <= 0 else None


def _tags(model: Any, args: Any) -> dict[str, object]:
    return {
        "trainer": "transformers",
        "model": type(model).__name__,
        "accelerator": args.device.type,
        "devices": args.n_gpu if args.n_gpu > 1 else args.world_size,
        "precision": "bf16" if args.bf16 else "fp16" if args.fp16 else "32",
    }


def _counts(args: Any, state: Any) -> dict[str, float | None]:
    """What the trainer has counted since the first step; None where it does not, or other nodes, too."""
    here = args.world_size == int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    counts_tokens = args.include_num_input_tokens_seen not in (None, False, "no")
    return {
        "token": state.num_input_tokens_seen if here and counts_tokens else None,
        "flop": state.total_flos if here else None,
    }
