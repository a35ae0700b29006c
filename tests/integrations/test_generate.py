"""The hook on ``generate``, on real tiny models in PyTorch: what is noted, and that nothing else changes."""

import copy
import functools
import io
import threading
import time

import pytest

from wattermark.errors import UsageError
from wattermark.ledger.requests import read_requests, request_files
from wattermark.values.served import Outcome, Route
from wattermark.verbs.serving.ambient_desk import close_ambient_desk, served

torch = pytest.importorskip("torch", reason="torch is not installed; run: make trainers")
transformers = pytest.importorskip("transformers", reason="transformers is not installed; run: make trainers")

from wattermark.integrations.generate import metered  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
PAD, BOS, EOS, WORDS = 0, 1, 2, 40


@pytest.fixture(autouse=True)
def alone(ledger, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(1)
    yield
    close_ambient_desk(metered=True)


def llama(seed=0, layers=2, **ends):
    torch.manual_seed(seed)
    ids = {"bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD, **ends}
    config = transformers.LlamaConfig(
        vocab_size=WORDS, hidden_size=32, intermediate_size=48, num_hidden_layers=layers,
        num_attention_heads=2, max_position_embeddings=256, **ids,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).eval()


def t5():
    torch.manual_seed(0)
    config = transformers.T5Config(
        vocab_size=WORDS, d_model=32, d_kv=16, d_ff=48, num_layers=2, num_heads=2, decoder_start_token_id=PAD,
        pad_token_id=PAD, eos_token_id=EOS,
    )  # fmt: skip
    return transformers.T5ForConditionalGeneration(config).eval()


@pytest.fixture(scope="module")
def decoder():
    return llama()


@pytest.fixture(scope="module")
def translator():
    return t5()


def batch(*lengths, longest=None):
    """Prompts of these lengths, padded on the left."""
    longest = longest or max(lengths)
    ids = torch.full((len(lengths), longest), PAD)
    for row, length in enumerate(lengths):
        ids[row, longest - length :] = torch.arange(3, 3 + length)
    return {"input_ids": ids, "attention_mask": (ids != PAD).long()}


def until_end(rows, given):
    """Tokens of each row after what was given, the end among them: counted one by one."""
    counts = []
    for row in rows.tolist():
        tail = row[given:]
        counts.append(tail.index(EOS) + 1 if EOS in tail else len(tail))
    return counts


def generated(model, *args, **kwargs):
    """An answer under the meter, and what was noted of it."""
    with metered(model), served() as seen:
        answer = model.generate(*args, **kwargs)
    return answer, seen.served


def tokens(noted):
    return [(one.usage.input_tokens, one.usage.output_tokens) for one in noted]


# -- tokens and steps --------------------------------------------------------------------


def test_each_row_of_a_batch_is_a_request_of_its_own_tokens(decoder):
    asked = batch(3, 7, 5)
    answer, noted = generated(decoder, **asked, max_new_tokens=20, do_sample=True)
    assert tokens(noted) == list(zip([3, 7, 5], until_end(answer, 7), strict=True))
    assert {one.usage.passes for one in noted} == {answer.shape[1] - 7}
    assert {(one.route, one.outcome, one.upstream) for one in noted} == {
        (Route.COMPLETIONS, Outcome.OK, "transformers")
    }
    assert all(one.begin_ns < one.first_ns < one.end_ns and one.unknown == () for one in noted)


def test_a_row_that_ends_sooner_is_counted_to_its_end(decoder):
    """Some of many sampled rows end early; what fills them up is none of theirs."""
    torch.manual_seed(3)
    answer, noted = generated(decoder, **batch(*[4] * 24), max_new_tokens=25, do_sample=True)
    counts = until_end(answer, 4)
    assert min(counts) < max(counts) == answer.shape[1] - 4
    assert [one.usage.output_tokens for one in noted] == counts


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("kind", ["decoder", "translator"])
def test_what_a_model_answers_is_the_same_with_and_without(kind, sampled, request):
    model = request.getfixturevalue(kind)
    asked = {**batch(4, 6), "max_new_tokens": 15, "do_sample": sampled}
    torch.manual_seed(1)
    plain = model.generate(**asked)
    torch.manual_seed(1)
    answer, _ = generated(model, **asked)
    assert torch.equal(plain, answer)


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        pytest.param({"num_beams": 3}, 2, id="beams"),
        pytest.param({"num_beams": 4, "num_return_sequences": 2}, 4, id="several beams come back"),
        pytest.param({"do_sample": True, "num_return_sequences": 3}, 6, id="several samples"),
        pytest.param({"return_dict_in_generate": True, "output_scores": True}, 2, id="a dictionary"),
        pytest.param({"use_cache": False}, 2, id="without a cache"),
        pytest.param({"cache_implementation": "static"}, 2, id="a static cache"),
    ],
)
@pytest.mark.parametrize("kind", ["decoder", "translator"])
def test_ways_to_generate(kind, options, rows, request):
    model = request.getfixturevalue(kind)
    given = 6 if kind == "decoder" else 1
    answer, noted = generated(model, **batch(4, 6), max_new_tokens=12, **options)
    sequences = answer["sequences"] if "return_dict_in_generate" in options else answer
    each = [prompt for prompt in (4, 6) for _ in range(rows // 2)]
    assert [one.usage.input_tokens for one in noted] == each
    assert [one.usage.output_tokens for one in noted] == until_end(sequences, given)
    assert all(1 <= one.usage.output_tokens <= one.usage.passes <= 12 for one in noted)
    beams = options.get("num_beams", 1)
    assert all((f"{beams} beams" in str(one.unknown)) is (beams > 1) for one in noted)


@pytest.mark.parametrize("drafts", ["a smaller model", "the prompt's own words"])
def test_a_draft_that_is_accepted_makes_fewer_passes_than_tokens(drafts):
    model = llama(eos_token_id=None)
    helped = (
        {"assistant_model": llama(eos_token_id=None)}  # of the same weights: all of it is accepted
        if drafts == "a smaller model"
        else {"prompt_lookup_num_tokens": 3}
    )
    asked = {**batch(8), "max_new_tokens": 40, "do_sample": False}
    plain = model.generate(**asked)
    answer, (one,) = generated(model, **asked, **helped)
    assert torch.equal(plain, answer)
    assert one.usage.output_tokens == 40 and 0 < one.usage.passes < 40


def test_what_drafts_is_no_request_of_its_own():
    model, small = llama(eos_token_id=None), llama(1, layers=1, eos_token_id=None)
    with metered(model), metered(small), served() as seen:
        model.generate(**batch(5), assistant_model=small, max_new_tokens=12, do_sample=False)
        assert tokens(seen.served) == [(5, 12)]
        small.generate(**batch(5), max_new_tokens=3)
    assert tokens(seen.served) == [(5, 12), (5, 3)]


# -- inputs ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        pytest.param({"input_ids": batch(3, 6)["input_ids"]}, [3, 6], id="no mask, but padding"),
        pytest.param({"inputs": torch.arange(3, 8)[None]}, [5], id="called inputs"),
        pytest.param({}, [1], id="nothing: a text begins"),
        pytest.param({"inputs_embeds": torch.zeros(2, 5, 32)}, [5, 5], id="vectors"),
        pytest.param(
            {"inputs_embeds": torch.zeros(2, 5, 32), "attention_mask": batch(5, 2)["attention_mask"]},
            [5, 2], id="vectors and a mask",
        ),
    ],
)  # fmt: skip
def test_inputs_in_their_forms(decoder, asked, read):
    answer, noted = generated(decoder, **asked, max_new_tokens=6, do_sample=False)
    given = next(
        (asked[name].shape[1] for name in ("input_ids", "inputs") if name in asked), 0 if asked else 1
    )
    assert tokens(noted) == list(zip(read, until_end(answer, given), strict=True))


def test_what_lies_in_a_cache_was_computed_before(decoder):
    first = batch(6)
    kept = decoder(**first, use_cache=True)
    cache = getattr(kept, "cache", None)
    cache = kept.past_key_values if cache is None else cache
    longer = batch(9)
    name = "cache" if hasattr(kept, "cache") else "past_key_values"
    _, (one,) = generated(decoder, **longer, **{name: cache}, max_new_tokens=2, do_sample=False)
    assert (one.usage.input_tokens, one.usage.cached_tokens) == (9, 6)


@pytest.mark.parametrize(
    ("begun", "given"), [([[PAD, 5, 6]], 3), ([[5, 6]], 3)], ids=["with", "without a start"]
)
def test_a_decoder_that_was_begun_wrote_the_rest(translator, begun, given):
    asked = {**batch(5), "decoder_input_ids": torch.tensor(begun), "max_new_tokens": 8}
    answer, (one,) = generated(translator, **asked)
    assert (one.usage.input_tokens, [one.usage.output_tokens]) == (5, until_end(answer, given))


def test_a_row_that_another_criterion_ended_is_filled_up_and_not_counted():
    model = llama(eos_token_id=None)

    def first_row_after_2(input_ids, scores, **_):
        return torch.tensor([input_ids.shape[1] >= 6, False])

    asked = {**batch(4, 4), "max_new_tokens": 6, "pad_token_id": PAD, "do_sample": False}
    plain = model.generate(**asked)
    assert PAD not in plain[:, 4:].tolist()[0][:2]
    answer, noted = generated(model, **asked, eos_token_id=39, stopping_criteria=[first_row_after_2])
    assert answer[0, 6:].tolist() == [PAD] * 4
    assert [one.usage.output_tokens for one in noted] == [2, 6]
    assert {one.usage.passes for one in noted} == {6}


def test_settings_of_a_configuration_count_as_arguments_do(decoder):
    config = transformers.GenerationConfig(
        max_new_tokens=10, num_return_sequences=2, do_sample=True, eos_token_id=[EOS, 7], pad_token_id=PAD
    )
    answer, noted = generated(decoder, **batch(4), generation_config=config)
    expected = [min(row.index(end) + 1 for end in (EOS, 7) if end in row) if {EOS, 7} & set(row) else len(row)
                for row in answer[:, 4:].tolist()]  # fmt: skip
    assert [one.usage.output_tokens for one in noted] == expected


def test_inputs_that_are_no_text_are_not_counted():
    torch.manual_seed(0)
    config = transformers.WhisperConfig(
        vocab_size=WORDS, num_mel_bins=8, d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
        max_source_positions=16, max_target_positions=20, decoder_start_token_id=1, bos_token_id=1,
        eos_token_id=EOS, pad_token_id=PAD, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    model = transformers.WhisperForConditionalGeneration(config).eval()
    _, (one,) = generated(model, input_features=torch.zeros(1, 8, 32), max_new_tokens=4)
    assert one.usage.input_tokens is None and one.usage.output_tokens >= 1
    assert any("no text" in why for why in one.unknown) and any("of its own" in why for why in one.unknown)


# -- around it ---------------------------------------------------------------------------


def test_pipelines_are_seen(decoder, tmp_path):
    from fakes.engines import byte_tokenizer

    tokenizer = byte_tokenizer()
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_positions=64, n_embd=16, n_layer=1, n_head=2,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    model = transformers.GPT2LMHeadModel(config).eval()
    pipe = transformers.pipeline("text-generation", model, tokenizer=tokenizer)
    asked = {"max_new_tokens": 5, "do_sample": False, "batch_size": 2}
    plain = pipe(["ab", "abcd"], **asked)
    with metered(pipe.model), served() as seen:
        assert pipe(["ab", "abcd"], **asked) == plain
    assert [one.usage.input_tokens for one in seen.served] == [2, 4]


class Adapted:
    """A model inside another object, whose generate() takes whatever comes, as PEFT's does."""

    def __init__(self, model):
        self.base, self.config, self.generation_config = model, model.config, model.generation_config

    def generate(self, *args, **kwargs):
        return self.base.generate(*args, **kwargs)


def test_a_model_in_another_object_is_seen_by_it(decoder):
    ids = batch(5)["input_ids"]
    answer, (one,) = generated(Adapted(decoder), ids, max_new_tokens=6, do_sample=False)
    assert torch.equal(answer, decoder.generate(ids, max_new_tokens=6, do_sample=False))
    assert tokens([one]) == [(5, *until_end(answer, 5))]
    assert one.usage.passes == answer.shape[1] - 5


def test_a_scheduler_of_its_own_gets_no_criterion_and_its_steps_are_unknown():
    """Continuous batching refuses stopping criteria."""

    class Paged(Adapted):
        def generate(self, inputs, stopping_criteria=None, cache_implementation=None, **kwargs):
            assert stopping_criteria is None
            return super().generate(inputs, **kwargs)[None]

    ids = torch.tensor([[3, 4, 5], [6, 7, 8]])
    model = Paged(llama(eos_token_id=None))
    answer, noted = generated(model, ids, cache_implementation="paged", max_new_tokens=4)
    assert answer.shape == (1, 2, 7) and tokens(noted) == [(3, 4), (3, 4)]
    assert all(one.usage.passes is None and "passes" in str(one.unknown) for one in noted)


def test_a_streamer_gets_what_it_gets_and_the_answer_is_noted_as_streamed(decoder):
    class Heard:
        def __init__(self):
            self.put_at = []

        def put(self, value):
            self.put_at.append((value.numel(), time.monotonic_ns()))

        def end(self):
            self.ended = True

    heard = Heard()
    answer, (one,) = generated(decoder, **batch(4), streamer=heard, max_new_tokens=5, do_sample=False)
    assert [count for count, _ in heard.put_at] == [4, *[1] * (answer.shape[1] - 4)] and heard.ended
    assert one.streamed and one.begin_ns < one.first_ns < heard.put_at[2][1]


@pytest.mark.parametrize("place", ["by name", "in its place"])
def test_stopping_criteria_of_the_user_go_on_to_hold(decoder, place):
    model = llama(eos_token_id=None)

    class After3(transformers.StoppingCriteria):
        def __call__(self, input_ids, scores, **_):
            return torch.full((input_ids.shape[0],), input_ids.shape[1] >= 7)

    criteria = transformers.StoppingCriteriaList([After3()])
    ids = batch(4)["input_ids"]
    config = transformers.GenerationConfig(max_new_tokens=30)
    if place == "by name":
        answer, (one,) = generated(model, ids, max_new_tokens=30, stopping_criteria=criteria)
    else:
        answer, (one,) = generated(model, ids, config, None, criteria)
    assert answer.shape[1] == 7 and one.usage.output_tokens == one.usage.passes == 3
    assert len(criteria) == 1


class Oops(Exception):
    pass


@pytest.mark.parametrize(
    ("raised", "outcome"), [(Oops("secret"), Outcome.FAILED), (KeyboardInterrupt(), Outcome.LEFT)]
)
def test_an_exception_goes_on_and_is_noted(decoder, raised, outcome):
    def fail(input_ids, scores, **_):
        if input_ids.shape[1] > 6:
            raise raised
        return torch.zeros(input_ids.shape[0], dtype=torch.bool)

    with metered(decoder), served() as seen, pytest.raises(type(raised)) as caught:
        decoder.generate(**batch(4, 2), stopping_criteria=[fail], max_new_tokens=9, min_new_tokens=9)
    assert caught.value is raised
    assert [(one.outcome, one.usage.input_tokens, one.usage.output_tokens) for one in seen.served] == [
        (outcome, 4, None), (outcome, 2, None),
    ]  # fmt: skip
    _, noted = generated(decoder, **batch(4), max_new_tokens=2)
    assert len(noted) == 1


def test_arguments_that_are_wrong_raise_what_they_raise(decoder):
    with metered(decoder), pytest.raises(ValueError, match="nonsense"):
        decoder.generate(**batch(3), nonsense=1)
    with pytest.raises(UsageError, match=r"no generate\(\)"):
        metered(torch.nn.Linear(2, 2))


def test_it_takes_itself_off_again():
    model = llama()
    meter = metered(model)
    assert "generate" in vars(model)
    meter.close()
    meter.close()
    assert "generate" not in vars(model)
    with metered(model), metered(model), served() as seen:
        model.generate(**batch(3), max_new_tokens=2)
    assert len(seen.served) == 1 and "generate" not in vars(model)


def test_whoever_laid_himself_over_it_is_left_there():
    model = llama()
    meter = metered(model)
    model.generate = functools.partial(model.generate)
    meter.close()
    with served() as seen:
        assert model.generate(**batch(3), max_new_tokens=2).shape[0] == 1
    assert seen.served == []


@pytest.mark.parametrize("way", ["copied", "saved"])
def test_a_copy_of_a_model_is_a_plain_one(way):
    model = llama()
    with metered(model), served() as seen:
        if way == "copied":
            other = copy.deepcopy(model)
        else:
            file = io.BytesIO()
            torch.save(model, file)
            file.seek(0)
            other = torch.load(file, weights_only=False)
        assert other.generate.__self__ is other
        other.generate(**batch(3), max_new_tokens=2)
        assert seen.served == []
        model.generate(**batch(3), max_new_tokens=2)
    assert len(seen.served) == 1


def test_threads_note_their_own(decoder, ledger):
    answers = []

    def one(length):
        answers.append(decoder.generate(**batch(length), max_new_tokens=3))

    with metered(decoder) as meter:
        threads = [threading.Thread(target=one, args=(length,)) for length in (3, 4, 5, 6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        folder = meter.desk().folder
    close_ambient_desk(metered=True)
    noted = [one for path in request_files(folder) for one in read_requests(path).served]
    assert sorted(one.usage.input_tokens for one in noted) == [3, 4, 5, 6] and len(answers) == 4


def test_answers_lie_in_the_run_that_is_open(decoder, ledger):
    import wattermark as wm

    with wm.track(name="batch job", place="deu") as run, metered(decoder):
        decoder.generate(**batch(3, 4), max_new_tokens=4)
    close_ambient_desk(metered=True)
    noted = [one for path in request_files(run.spool.parent) for one in read_requests(path).served]
    assert [one.usage.input_tokens for one in noted] == [3, 4]
    assert [path.name for path in ledger.iterdir()] == [run.id]


def test_the_report_of_a_run_shares_its_energy_among_the_answers(decoder):
    import wattermark as wm

    with wm.track(name="batch job", place="deu", interval=0.2) as run, metered(decoder):
        for _ in range(4):
            decoder.generate(**batch(3, 9), max_new_tokens=60, min_new_tokens=60)
    close_ambient_desk(metered=True)
    (side,) = wm.serving_report(run.id).sides
    tally = side.total.tally
    assert (tally.requests, tally.input_tokens, tally.output_tokens) == (8, 48, 480)
    energy_j = sum(row.quantities["it_energy_j"].best for row in side.every_row)
    assert energy_j == pytest.approx(side.meter_j, rel=1e-9) and side.meter_j > 0


def test_a_model_is_called_as_it_was_loaded(decoder, tmp_path):
    folder = tmp_path / "my-model"
    decoder.save_pretrained(folder)
    model = transformers.LlamaForCausalLM.from_pretrained(folder)
    assert generated(model, **batch(3), max_new_tokens=1)[1][0].model == "my-model"
    assert generated(decoder, **batch(3), max_new_tokens=1)[1][0].model == "LlamaForCausalLM"


def test_a_step_costs_microseconds(decoder):
    """Of processor time; a step of the smallest model takes a hundred times as long."""
    from wattermark.integrations.generate import Steps

    steps, ids = Steps(), batch(3, 4)["input_ids"]
    began_s = time.thread_time()
    for _ in range(2000):
        steps(ids, None)
    assert (time.thread_time() - began_s) / 2000 < 50e-6 and steps.count == 2000
