"""The real Lightning on a CPU: what a run and its spans hold, and that a training stays what it was."""

import copy
import csv
import os
import pickle
import subprocess
import sys
import time
from importlib.metadata import entry_points
from types import SimpleNamespace

import pytest

import wattermark as wm
from wattermark.integrations.lightning import RANDOM
from wattermark.levers.ask import LEFT_CODE, RESUME, Asking
from wattermark.levers.guarding import Guard

NOISE = (
    "ignore:.*isinstance.treespec, LeafSpec.*:FutureWarning",
    "ignore:The '.*_dataloader' does not have many workers",
    "ignore:The number of training batches",
    "ignore:You defined a `validation_step` but have no `val_dataloader`",
    "ignore:Checkpoint directory .* exists and is not empty",
    "ignore:GPU available but not used",
)
QUIET = ("enable_checkpointing", "enable_progress_bar", "enable_model_summary")
pytestmark = [pytest.mark.usefixtures("ledger"), *map(pytest.mark.filterwarnings, NOISE)]


class Oops(Exception):
    pass


@pytest.fixture
def torch():
    found = pytest.importorskip("torch", reason="torch is not installed; run: make trainers")
    found.set_num_threads(1)  # threads that wait for each other make so small a model slow
    return found


@pytest.fixture
def lightning():
    return pytest.importorskip("lightning", reason="lightning is not installed; run: make trainers")


@pytest.fixture
def callback(lightning):
    from wattermark.integrations.lightning import WattermarkCallback

    return WattermarkCallback


@pytest.fixture
def lab(lightning, torch, tmp_path):
    """Batches, models of one layer, and trainers that say nothing."""
    torch.manual_seed(0)
    rows = torch.utils.data.TensorDataset(torch.randn(32, 4), torch.randn(32, 1))
    batches = torch.utils.data.DataLoader(rows, batch_size=8)

    class Tiny(lightning.LightningModule):
        def __init__(self, each):
            super().__init__()
            torch.manual_seed(1)
            self.layer = torch.nn.Linear(4, 1)
            self.each = each

        def training_step(self, batch, _):
            self.each()
            return ((self.layer(batch[0]) - batch[1]) ** 2).mean()

        def validation_step(self, batch, _):
            self.each()
            self.log("loss", ((self.layer(batch[0]) - batch[1]) ** 2).mean())

        test_step = validation_step

        def predict_step(self, batch, _):
            return self.layer(batch[0])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    def trainer(*callbacks, **options):
        quiet = dict.fromkeys(("logger", *QUIET), False)
        usual = {"accelerator": "cpu", "devices": 1, "max_epochs": 2, "default_root_dir": tmp_path}
        return lightning.Trainer(callbacks=list(callbacks), **{**quiet, **usual, **options})

    def fit(*callbacks, each=lambda: None, **options):
        made, net = trainer(*callbacks, num_sanity_val_steps=0, **options), Tiny(each)
        made.fit(net, batches)
        return made

    return SimpleNamespace(batches=batches, trainer=trainer, fit=fit, model=lambda: Tiny(lambda: None))


def spans(run):
    names = {span.number: f"{span.name} {span.label}".strip() for span in run.spans}
    return [(names[span.number], names.get(span.parent)) for span in run.spans]


def test_a_fit_is_a_run_and_its_epochs_are_spans(lab, callback, kept):
    ours = callback(place="deu", tags={"lr": 0.1})
    lab.trainer(ours).fit(lab.model(), lab.batches, lab.batches)
    (run,) = kept()
    assert (run.header.name, run.status, run.header.place) == ("Tiny fit", "ok", "deu")
    assert run.header.tags == {
        "trainer": "lightning", "stage": "fit", "model": "Tiny", "accelerator": "cpu", "devices": "1",
        "nodes": "1", "precision": "32-true", "lr": "0.1",
    }  # fmt: skip
    assert spans(run) == [
        ("sanity", None),
        ("epoch 0", None),
        ("validation 0", "epoch 0"),
        ("epoch 1", None),
        ("validation 1", "epoch 1"),
    ]
    assert all(span.end_ns for span in run.spans)


def test_each_call_of_the_trainer_is_a_run_of_its_own(lab, callback, kept):
    one = lab.fit(callback(name="mnist"))
    one.fit_loop.max_epochs = 3
    one.fit(one.model, lab.batches)
    one.validate(one.model, lab.batches, verbose=False)
    one.test(one.model, lab.batches, verbose=False)
    one.predict(one.model, lab.batches)
    found = kept()
    assert [run.header.tags["stage"] for run in found] == ["fit", "fit", "validate", "test", "predict"]
    assert {run.header.name for run in found} == {"mnist"} and {run.status for run in found} == {"ok"}
    assert [name for name, _ in spans(found[1])] == ["epoch 2"]


@pytest.mark.slow
def test_the_trainers_metrics_hold_what_the_ledger_holds(lab, callback, tmp_path):
    from lightning.pytorch.loggers import CSVLogger

    ours, logger = callback(place="deu", interval=0.1), CSVLogger(tmp_path, "logs")
    one = lab.fit(ours, each=lambda: burn(0.3), logger=logger, log_every_n_steps=1)
    whole, told = ours.run.footprint(), one.callback_metrics
    for name in ("it_energy_j", "carbon_g", "water_l"):
        part = float(told[f"wattermark/{name}"]) / getattr(whole, name).best
        assert 0.4 < part < 1.02  # what is logged may be a second old
    with open(logger.experiment.metrics_file_path) as file:
        rows = list(csv.DictReader(file))
    first_j, second_j = (float(row["wattermark/it_energy_j_per_epoch"]) for row in rows)
    assert first_j + second_j == pytest.approx(float(rows[-1]["wattermark/it_energy_j"]), rel=1e-5)
    assert 0.4 < second_j / whole.spans[1].it_energy_j < 2.5  # looks at the meters and spans end apart


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_the_results_of_a_test_hold_its_cost(lab, callback):
    one = lab.fit(callback(), each=lambda: burn(0.05))
    (found,) = one.test(one.model, lab.batches, verbose=False)
    assert found["loss"] > 0 and found["wattermark/it_energy_j"] > 0


def test_a_model_learns_the_same_with_and_without(lab, callback, torch):
    models = [lab.fit(*callbacks).model for callbacks in ([], [callback()])]
    assert torch.equal(*(model.layer.weight for model in models))


@pytest.mark.parametrize(
    ("raised", "arrives"),
    [
        pytest.param(Oops("password=hunter2"), Oops, id="a fault of the model"),
        pytest.param(KeyboardInterrupt(), SystemExit, id="the user's keys"),
    ],
)
def test_an_exception_ends_the_run_and_goes_on(lab, callback, kept, raised, arrives):
    def fail():
        raise raised

    with pytest.raises(arrives) as caught:
        lab.fit(callback(), each=fail)
    assert raised in (caught.value, caught.value.__context__)
    (run,) = kept()
    assert (run.status, run.detail) == ("failed", type(raised).__name__)
    assert all(span.end_ns for span in run.spans)


def test_a_training_that_goes_on_says_from_where(lab, callback, kept, tmp_path):
    lab.fit(max_epochs=1).save_checkpoint(tmp_path / "first.ckpt")
    lab.trainer(callback()).fit(lab.model(), lab.batches, ckpt_path=tmp_path / "first.ckpt")
    (run,) = kept()
    assert run.header.tags["resumed"] == "first.ckpt"
    assert spans(run) == [("epoch 1", None)]


def test_our_own_fault_is_told_once_and_the_training_goes_on(lab, callback, caplog):
    ours, steps = callback(), []

    def lose_the_ledger():
        ours.run.spool.unlink(missing_ok=True)
        steps.append(1)

    lab.fit(ours, max_epochs=3, each=lose_the_ledger)
    told = [record.getMessage() for record in caplog.records if record.name == "wattermark"]
    assert len(steps) == 12
    assert len(told) == 1 and "your program goes on" in told[0]


def test_an_option_that_cannot_be_meant_is_refused_at_once(callback):
    with pytest.raises(wm.UsageError, match="pue"):
        callback(pue=0.5)
    with pytest.raises(TypeError, match="no argument 'plaec'"):
        callback(plaec="deu")


def test_a_callback_can_be_copied_and_sent_to_another_process(lab, callback, kept):
    sent = pickle.loads(pickle.dumps(callback(name="mine")))
    lab.fit(sent)
    copied = copy.deepcopy(sent)
    assert copied.run is None
    lab.fit(copied)
    assert [run.header.name for run in kept()] == ["mine", "mine"]


# -- without a line of code ------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "many"),
    [
        pytest.param(None, 0, id="nobody asked"),
        pytest.param("0", 0, id="the user said no"),
        pytest.param("1", 1, id="the user asked"),
    ],
)
def test_the_environment_asks_for_it(lab, kept, monkeypatch, said, many):
    if said is not None:
        monkeypatch.setenv("WATTERMARK_AUTO", said)
    lab.fit()
    assert len(kept()) == many


def test_asked_for_twice_is_recorded_once(lab, callback, kept, monkeypatch):
    monkeypatch.setenv("WATTERMARK_AUTO", "1")
    lab.fit(callback(name="by hand"))
    assert [run.header.name for run in kept()] == ["by hand"]


def test_a_broken_setting_stops_no_trainer(lab, monkeypatch, caplog):
    monkeypatch.setenv("WATTERMARK_AUTO", "1")
    monkeypatch.setenv("WATTERMARK_PUE", "none")
    lab.fit(max_epochs=1)
    assert "WATTERMARK_PUE" in caplog.text


@pytest.mark.parametrize("group", ["lightning.pytorch", "pytorch_lightning"])
def test_both_packages_of_lightning_find_it(group, monkeypatch):
    monkeypatch.delenv("WATTERMARK_AUTO", raising=False)
    (entry,) = entry_points(group=f"{group}.callbacks_factory", name="wattermark")
    assert entry.load()() == []


@pytest.mark.slow
def test_of_two_processes_one_records_in_the_other_package_as_well(program, home, lightning, told):
    """What the second process takes is below the first, which started it; ``told`` finds one spool only."""
    pytest.importorskip("pytorch_lightning", reason="pytorch_lightning is not installed; run: make trainers")
    done = program(OTHER_PACKAGE, env={**home, "WATTERMARK_AUTO": "1"}, timeout_s=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "['pytorch_lightning.callbacks.callback'] False\n"
    assert [line["name"] for line in told() if line["kind"] == "begin"] == ["sanity", "epoch", "validation"]
    assert [line["status"] for line in told() if line["kind"] == "stop"] == ["ok"]


OTHER_PACKAGE = """
import sys, warnings; warnings.simplefilter("ignore")
import pytorch_lightning
from pytorch_lightning.demos.boring_classes import BoringModel

few = dict(max_epochs=1, limit_train_batches=2, limit_val_batches=1, logger=False)
quiet = dict(enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
trainer = pytorch_lightning.Trainer(accelerator="cpu", devices=2, strategy="ddp_fork", **few, **quiet)
trainer.fit(BoringModel())
ours = [type(one) for one in trainer.callbacks if type(one).__name__ == "WattermarkCallback"]
print([one.__mro__[2].__module__ for one in ours], "lightning.pytorch" in sys.modules)
"""


# -- asked to save and leave --------------------------------------------------------------


@pytest.fixture
def asking(monkeypatch):
    """A plan that may ask this program to leave, as it may ask a command."""
    guard = Guard()
    made = Asking(guard)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()
    guard.close()


def weights(model):
    return [value.clone() for value in model.state_dict().values()]


def test_a_training_that_leaves_and_comes_back_ends_with_the_same_weights(  # noqa: PLR0917
    lab, callback, torch, asking, kept, monkeypatch
):
    """Rows are shuffled and dropped at random: what the framework does not keep, the callback does."""
    shuffled = torch.utils.data.DataLoader(lab.batches.dataset, batch_size=8, shuffle=True)

    def model():
        made = lab.model()
        made.layer = torch.nn.Sequential(torch.nn.Dropout(0.3), torch.nn.Linear(4, 1))
        return made

    torch.manual_seed(5)
    straight = model()
    lab.trainer(callback(), max_epochs=4).fit(straight, shuffled)

    torch.manual_seed(5)
    for _ in range(2):
        asking.pause()
        with pytest.raises(SystemExit) as left:
            checkpoint = asking.checkpoint
            lab.trainer(callback(), max_epochs=4).fit(model(), shuffled, ckpt_path=checkpoint)
        assert (left.value.code, asking.paused) == (LEFT_CODE, True)
        asking.resume()
        monkeypatch.setenv(RESUME, asking.checkpoint)
        torch.manual_seed(99)  # another process knows nothing of the first one's numbers
    back = model()
    trainer = lab.trainer(callback(), max_epochs=4)
    trainer.fit(back, shuffled, ckpt_path=asking.checkpoint)
    assert trainer.current_epoch == 4
    assert all(torch.equal(a, b) for a, b in zip(weights(straight), weights(back), strict=True))
    assert [run.status for run in kept()] == ["ok"] * 4
    assert [len(spans(run)) for run in kept()] == [4, 1, 1, 2]


def test_a_training_that_is_nearly_done_ends_instead_of_leaving(lab, callback, asking):
    asking.pause()
    assert lab.fit(callback(), max_epochs=1).state.finished
    assert not asking.paused


def test_a_training_that_begins_anew_is_told(lab, callback, asking, monkeypatch, caplog):
    monkeypatch.setenv(RESUME, "/some/where.ckpt")
    lab.fit(callback())
    assert "begins anew; to go on give fit() ckpt_path='/some/where.ckpt'" in caplog.text


def test_checkpoints_of_others_hold_nothing_of_ours(lab, callback, torch, tmp_path):
    trainer = lab.fit(callback())
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    held = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert held["callbacks"] == {} and RANDOM not in held


RANK = """
import os, sys
import torch.distributed as ranks
rank, folder = int(sys.argv[1]), sys.argv[2]
ranks.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
from wattermark.integrations.hooks import told_to_leave
os.environ["WATTERMARK_ASK"] = f"{folder}/{rank}"
for first, other in ((True, False), (False, True)):
    for asked, place in ((first, 0), (other, 1)):
        if rank == place and asked: open(f"{folder}/{rank}/leave", "w").close()
        elif rank == place and os.path.exists(f"{folder}/{rank}/leave"): os.remove(f"{folder}/{rank}/leave")
    print(told_to_leave(), flush=True)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("torch")
def test_all_ranks_leave_at_the_same_step(tmp_path):
    """What one sees a moment before the others would let them wait for each other: the first decides."""
    for rank in "01":
        (tmp_path / rank).mkdir()
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, rank, str(tmp_path)], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for rank in "01"
    ]  # fmt: skip
    assert [rank.communicate(timeout=60)[0] for rank in ranks] == ["True\nFalse\n"] * 2
