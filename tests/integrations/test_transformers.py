"""The real Hugging Face Trainer on a CPU, with a language model of a few thousand parameters."""

import time

import pytest

from wattermark.levers.ask import LEFT_CODE, RESUME, Asking
from wattermark.levers.guarding import Guard

NOISE = (
    "ignore:.*pin_memory.*:UserWarning",
    # accelerate collects garbage: clients of other packages, that earlier tests in this process used
    "ignore:.*unclosed:pytest.PytestUnraisableExceptionWarning",
)
pytestmark = [
    pytest.mark.usefixtures("ledger"),
    *map(pytest.mark.filterwarnings, NOISE),
]
ROWS, LENGTH, BATCH = 16, 8, 4


class Oops(Exception):
    pass


@pytest.fixture
def torch():
    found = pytest.importorskip("torch", reason="torch is not installed; run: make trainers")
    found.set_num_threads(1)  # threads that wait for each other make so small a model slow
    return found


@pytest.fixture
def transformers(torch, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    pytest.importorskip("accelerate", reason="accelerate is not installed; run: make trainers")
    return pytest.importorskip("transformers", reason="transformers is not installed; run: make trainers")


@pytest.fixture
def rows(torch):
    torch.manual_seed(0)
    words = torch.randint(1, 50, (ROWS, LENGTH))
    return [{"input_ids": row, "labels": row} for row in words]


@pytest.fixture
def trainer(transformers, torch, rows, tmp_path):
    """A trainer of a new model; ``each`` is called at each step."""

    def made(*callbacks, each=lambda: None, **options):
        torch.manual_seed(1)
        small = {"n_positions": LENGTH, "n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": 50}
        config = transformers.GPT2Config(**small, bos_token_id=0, eos_token_id=0)
        quiet = {"report_to": [], "disable_tqdm": True, "use_cpu": True, "save_strategy": "no"}
        arguments = transformers.TrainingArguments(
            output_dir=str(tmp_path / "out"),
            per_device_train_batch_size=BATCH,
            **{"num_train_epochs": 2, "logging_steps": 1, **quiet, **options},
        )

        class Each(transformers.TrainerCallback):
            def on_step_begin(self, *_, **__):
                each()

            on_prediction_step = on_step_begin

        return transformers.Trainer(
            model=transformers.GPT2LMHeadModel(config), args=arguments, train_dataset=rows, eval_dataset=rows,
            callbacks=[Each(), *callbacks],
        )  # fmt: skip

    return made


@pytest.fixture
def watch(transformers):
    from wattermark.integrations.transformers import watch

    return watch


@pytest.fixture
def reporter(transformers):
    """What TensorBoard, W&B and the like are for a Trainer: a callback that takes what is logged."""

    class Reporter(transformers.TrainerCallback):
        def __init__(self):
            self.told = []

        def on_log(self, args, state, control, logs=None, **_):
            self.told.append(dict(logs))

    return Reporter()


def spans(run):
    names = {span.number: f"{span.name} {span.label}".strip() for span in run.spans}
    return [(names[span.number], names.get(span.parent)) for span in run.spans]


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_training_is_a_run_and_its_epochs_are_spans(trainer, watch, kept):
    one = trainer(eval_strategy="steps", eval_steps=3)
    watch(one, place="deu", tags={"lr": 0.1})
    one.train()
    (run,) = kept()
    assert (run.header.name, run.status, run.header.place) == ("GPT2LMHeadModel train", "ok", "deu")
    assert run.header.tags == {
        "trainer": "transformers", "stage": "train", "model": "GPT2LMHeadModel", "accelerator": "cpu",
        "devices": "1", "precision": "32", "lr": "0.1",
    }  # fmt: skip
    assert spans(run) == [
        ("epoch 0", None),
        ("evaluate", "epoch 0"),
        ("epoch 1", None),
        ("evaluate", "epoch 1"),
        ("evaluate", "epoch 1"),
    ]
    assert all(span.end_ns for span in run.spans)


def test_a_training_of_so_many_steps_has_the_epochs_that_it_began(trainer, watch, kept):
    one = trainer(max_steps=6)
    watch(one)
    one.train()
    assert spans(kept()[0]) == [("epoch 0", None), ("epoch 1", None)]


def test_evaluation_and_prediction_by_themselves_are_runs(trainer, watch, rows, kept):
    one = trainer(each=lambda: burn(0.05))
    watch(one)
    found = one.evaluate()
    predicted = one.predict(rows)
    assert found["wattermark/it_energy_j"] > 0 and predicted.metrics["test_loss"] > 0
    assert [(run.header.tags["stage"], run.status) for run in kept()] == [
        ("evaluate", "ok"),
        ("predict", "ok"),
    ]


def test_what_is_logged_reaches_reporters_history_and_result(trainer, watch, reporter):
    one = trainer(reporter, each=lambda: burn(0.05), include_num_input_tokens_seen="all")
    ours = watch(one, place="deu", interval=0.1)
    found = one.train()
    whole, told = ours.run.footprint(), reporter.told[-1]
    for name in ("it_energy_j", "carbon_g", "water_l"):
        assert told[f"wattermark/{name}"] == pytest.approx(getattr(whole, name).best, rel=0.15)
    costs = {name: value for name, value in told.items() if name.startswith("wattermark/")}
    assert costs.items() <= one.state.log_history[-1].items()
    assert costs.items() <= found.metrics.items()
    assert all(
        isinstance(value, float) for logs in reporter.told for value in logs.values() if value is costs
    )


def test_energy_stands_over_tokens_and_work(trainer, watch, reporter):
    one = trainer(reporter, each=lambda: burn(0.05), include_num_input_tokens_seen="all")
    ours = watch(one)
    one.train()
    tokens, energy_j = 2 * ROWS * LENGTH, ours.run.footprint().it_energy_j
    assert one.state.num_input_tokens_seen == tokens
    assert ours.per["token"].best * tokens == pytest.approx(energy_j.best, rel=0.5)
    assert ours.per["flop"].best * one.state.total_flos == pytest.approx(ours.per["token"].best * tokens)
    assert reporter.told[-1]["wattermark/it_energy_j_per_token"] == ours.per["token"].best
    assert [sum("wattermark/it_energy_j_per_flop" in logs for logs in reporter.told)] == [1]


def test_tokens_that_nobody_counted_are_not_known(trainer, watch, reporter):
    one = trainer(reporter, each=lambda: burn(0.05))
    ours = watch(one)
    one.train()
    assert ours.per["token"] is None and ours.per["flop"].best > 0
    assert "wattermark/it_energy_j_per_token" not in reporter.told[-1]


def test_a_training_that_goes_on_answers_for_its_own_tokens(trainer, watch, kept, tmp_path):
    trainer(save_strategy="epoch", include_num_input_tokens_seen="all").train()
    one = trainer(each=lambda: burn(0.05), include_num_input_tokens_seen="all")
    ours = watch(one)
    one.train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-4"))
    assert one.state.num_input_tokens_seen == 2 * ROWS * LENGTH
    energy_j = ours.run.footprint().it_energy_j.best
    assert ours.per["token"].best * ROWS * LENGTH == pytest.approx(energy_j, rel=0.5)
    (run,) = kept()
    assert run.header.tags["resumed"] == "step 4" and spans(run) == [("epoch 1", None)]


@pytest.mark.parametrize("raised", [Oops("password=hunter2"), KeyboardInterrupt()])
def test_an_exception_ends_the_run_and_goes_on(trainer, watch, kept, raised):
    def fail():
        raise raised

    one = trainer(each=fail)
    watch(one)
    with pytest.raises(type(raised)) as caught:
        one.train()
    assert caught.value is raised
    (run,) = kept()
    assert (run.status, run.detail) == ("failed", type(raised).__name__)
    assert all(span.end_ns for span in run.spans)


def test_a_callback_by_itself_records_and_tells_the_history(trainer, transformers, kept):
    from wattermark.integrations.transformers import WattermarkCallback

    one = trainer(WattermarkCallback(name="mine"), each=lambda: burn(0.05))
    one.train()
    assert [(run.header.name, run.status) for run in kept()] == [("mine", "ok")]
    assert one.state.log_history[-1]["wattermark/it_energy_j"] > 0


def test_a_second_training_is_a_second_run(trainer, watch, kept):
    one = trainer()
    watch(one)
    one.train()
    one.train()
    assert [run.header.tags["stage"] for run in kept()] == ["train", "train"]


def test_a_model_learns_the_same_with_and_without(trainer, watch, torch):
    weights = []
    for measured in (False, True):
        one = trainer()
        if measured:
            watch(one)
        one.train()
        weights.append(one.model.transformer.wte.weight.detach().clone())
    assert torch.equal(*weights)


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


def test_a_training_that_leaves_and_comes_back_ends_with_the_same_weights(
    trainer, watch, torch, asking, monkeypatch
):
    """In the middle of an epoch; rows are shuffled, and dropout is at work."""
    straight = trainer()
    straight.train()

    steps = []

    def each():
        steps.append(1)
        if len(steps) in (3, 6):
            asking.pause()

    for _ in range(2):
        one = trainer(each=each)
        watch(one)
        with pytest.raises(SystemExit) as left:
            one.train(resume_from_checkpoint=asking.checkpoint)
        assert (left.value.code, asking.paused) == (LEFT_CODE, True)
        asking.resume()
        monkeypatch.setenv(RESUME, asking.checkpoint)
        torch.manual_seed(99)  # another process knows nothing of the first one's numbers
    back = trainer(each=each)
    watch(back)
    back.train(resume_from_checkpoint=asking.checkpoint)
    assert len(steps) == back.state.global_step == straight.state.global_step == 8
    pairs = zip(straight.model.parameters(), back.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_training_that_is_nearly_done_ends_instead_of_leaving(trainer, watch, asking):
    one = trainer(max_steps=1)
    watch(one)
    asking.pause()
    one.train()
    assert not asking.paused


def test_a_training_that_begins_anew_is_told(trainer, watch, asking, monkeypatch, caplog):
    monkeypatch.setenv(RESUME, "/some/where")
    one = trainer(max_steps=1)
    watch(one)
    one.train()
    assert "begins anew; to go on give train() resume_from_checkpoint='/some/where'" in caplog.text
