"""PyTorch Lightning: each fit, validate, test and predict is a run, each epoch a span of it.

References
----------
.. [1] Lightning 2.2 to 2.6, ``lightning.pytorch.callbacks.Callback`` (order of the hooks), and
   ``Trainer`` under ``trainer/call.py``: ``on_exception`` comes instead of ``teardown``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from wattermark.integrations import random_states
from wattermark.integrations.hooks import metrics, on_top_of, told_to_leave
from wattermark.levers.ask import leave, resume_from
from wattermark.verbs.measure import Run
from wattermark.verbs.stages import Stages
from wattermark.verbs.tell import harmless, tell

BASES = ("lightning.pytorch.callbacks.Callback", "pytorch_lightning.callbacks.Callback")
FIT = "fit"
RANDOM = "wattermark_random"
CHECKPOINT = "wattermark-left.ckpt"
"""Below ``default_root_dir``: of a training that was asked to leave."""


class Hooks:
    """Measures what a Trainer does, and logs it where the trainer logs its metrics.

    Under ``wattermark run --when greenest --interruptible --pause-by checkpoint`` it saves and ends the
    program at the end of an epoch, when the plan says so. The same command goes on later, if it hands the
    checkpoint on: ``trainer.fit(model, ckpt_path=os.environ.get("WATTERMARK_RESUME_FROM"))``.

    Parameters
    ----------
    **options : optional
        As of ``wattermark.track``: ``name, tags, place, pue, wue, scope, interval, ledger`` ...

    Raises
    ------
    UsageError
        If an option cannot be meant. Later, nothing is raised.

    Examples
    --------
    >>> from wattermark.integrations.lightning import WattermarkCallback  # doctest: +SKIP
    >>> trainer = Trainer(callbacks=[WattermarkCallback(place="deu")])  # doctest: +SKIP
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.stages = Stages(options)
        self._random: dict[str, Any] | None = None
        """States of random numbers, of a training that leaves or has come back."""

    @property
    def run(self) -> Run | None:
        """The run that is recorded, or was the last one; none in a process that does not record."""
        return self.stages.run

    @harmless
    def setup(self, trainer: Any, pl_module: Any, stage: Any) -> None:
        if stage != FIT:
            self._begin(trainer, pl_module, str(getattr(stage, "value", stage)))

    @harmless
    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Not before, since only now it is known which checkpoint the training goes on from."""
        checkpoint = trainer.ckpt_path
        if resume_from() is not None and not checkpoint:
            tell("this training begins anew; to go on give fit() ckpt_path=%r", resume_from())
        if self._random is not None and trainer.world_size == 1:
            random_states.restore(self._random)
        self._random = None
        self._begin(trainer, pl_module, FIT, resumed=os.path.basename(checkpoint) if checkpoint else None)

    @harmless
    def on_sanity_check_start(self, trainer: Any, pl_module: Any) -> None:
        self.stages.enter("sanity")

    @harmless
    def on_sanity_check_end(self, trainer: Any, pl_module: Any) -> None:
        self.stages.leave("sanity")

    @harmless
    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        self.stages.enter("epoch", trainer.current_epoch, _epochs(trainer))

    @harmless
    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self.stages.leave("epoch")
        _log(trainer, pl_module, self.stages.costs_of("epoch"))
        if _first(trainer) is self and told_to_leave() and not _is_last(trainer):
            self._leave(trainer)

    @harmless
    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        if not trainer.sanity_checking:
            self.stages.enter("validation", trainer.current_epoch)

    @harmless
    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        self.stages.leave("validation")

    @harmless
    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        if trainer.state.fn == "validate":
            _log(trainer, pl_module, self.stages.last_costs())

    @harmless
    def on_test_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        _log(trainer, pl_module, self.stages.last_costs())

    @harmless
    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self.stages.end(exception)

    @harmless
    def teardown(self, trainer: Any, pl_module: Any, stage: Any) -> None:
        self.stages.end()

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        """Of a training that leaves; nothing in other checkpoints.

        Not by ``state_dict``: Lightning takes no two callbacks of a class that have one.
        """
        if self._random is not None:
            checkpoint[RANDOM] = self._random

    def on_load_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        """What a training left that goes on now."""
        self._random = checkpoint.get(RANDOM)

    def _leave(self, trainer: Any) -> None:
        """Save all, and end the program: what follows ``fit`` must not take the training for done."""
        checkpoint = os.path.join(trainer.default_root_dir, CHECKPOINT)
        self._random = random_states.collect()
        trainer.save_checkpoint(checkpoint)
        self.stages.end()
        leave(checkpoint)

    def _begin(self, trainer: Any, pl_module: Any, stage: str, **tags: object) -> None:
        if self.stages.records(first_here=trainer.local_rank == 0) and _first(trainer) is self:
            known = {**_tags(trainer, pl_module), "stage": stage, **tags}
            self.stages.begin(f"{type(pl_module).__name__} {stage}", known)


if TYPE_CHECKING:

    class WattermarkCallback(Hooks):
        """Hooks on top of Lightning's Callback."""


def __getattr__(name: str) -> Any:
    """The class is made at its first use, on top of the Callback of the package that the program uses."""
    if name != "WattermarkCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = on_top_of(BASES, Hooks, name, feature="the Lightning callback", package="lightning")
    return globals()[name]


def _first(trainer: Any) -> object:
    """Of several of ours, as when one is added by hand and one by the environment, the first records."""
    return next(callback for callback in trainer.callbacks if isinstance(callback, Hooks))


def _epochs(trainer: Any) -> int | None:
    """How many there will be; None where steps or time end the training."""
    known = trainer.max_epochs is not None and trainer.max_epochs > 0 and trainer.max_steps == -1
    return int(trainer.max_epochs) if known else None


def _is_last(trainer: Any) -> bool:
    """Whether this epoch is the last: who is done need not come back."""
    return bool(trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs)


def _tags(trainer: Any, pl_module: Any) -> dict[str, object]:
    return {
        "trainer": "lightning",
        "model": type(pl_module).__name__,
        "accelerator": type(trainer.accelerator).__name__.removesuffix("Accelerator").lower(),
        "devices": trainer.num_devices,
        "nodes": trainer.num_nodes,
        "precision": trainer.precision,
    }


def _log(trainer: Any, pl_module: Any, costs: dict[str, float]) -> None:
    """On the one rank whose loggers write; no rank waits for another."""
    if trainer.is_global_zero and not trainer.barebones and costs:
        pl_module.log_dict(metrics(costs), on_step=False, on_epoch=True, rank_zero_only=True)
