"""LiteLLM's own calls, sync and async, whole and streamed, against a server of this machine."""

import asyncio
import gc
import os
import time
import warnings

import pytest

from fakes import models as stand
from fakes.models import TEXT, Models
from fakes.web import Page
from wattermark.integrations.litellm import _served
from wattermark.ledger.requests import read_requests, request_files
from wattermark.values.served import Outcome, Quote, Route, Usage
from wattermark.verbs.serving.ambient_desk import close_ambient_desk

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
pytestmark = [
    pytest.mark.slow,  # LiteLLM takes seconds to import
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning"
    ),
]
PATIENCE_S = 5.0
SAID = [{"role": "user", "content": "a secret question"}]
ALL = Usage(
    input_tokens=stand.INPUT,
    output_tokens=stand.OUTPUT,
    cached_tokens=stand.CACHED,
    reasoning_tokens=stand.REASONING,
)


@pytest.fixture(scope="module")
def litellm():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library = pytest.importorskip("litellm")
    library.suppress_debug_info = True
    library.telemetry = False
    yield library
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it leaves its lines open
        library.in_memory_llm_clients_cache.flush_cache()
        gc.collect()


@pytest.fixture
def models():
    with Models() as server:
        yield server


@pytest.fixture
def logger(litellm, ledger):
    from wattermark.integrations.litellm import FootprintLogger

    litellm.callbacks = [FootprintLogger()]
    yield litellm.callbacks[0]
    litellm.callbacks, litellm.cache = [], None
    litellm.success_callback, litellm.failure_callback = [], []
    litellm._async_success_callback, litellm._async_failure_callback = [], []
    close_ambient_desk(metered=False)
    close_ambient_desk(metered=True)


@pytest.fixture
def noted(logger, ledger):
    """So many requests of the ledger: LiteLLM tells its loggers in a thread or a task, a moment later."""

    def read(many):
        until_s = time.monotonic() + PATIENCE_S
        while len(found := _read(ledger)) < many and time.monotonic() < until_s:
            time.sleep(0.02)
        time.sleep(0.2)  # one too many would come now
        found = _read(ledger)
        assert len(found) == many
        return found

    return read


def _read(ledger):
    files = [file for run in sorted(ledger.glob("*-*")) for file in request_files(run)]
    return [one for file in files for one in read_requests(file).served]


def to(models, **more):
    return {
        "model": "openai/gpt-9", "messages": SAID, "api_base": f"{models.address}/v1", "api_key": "k",
        "max_retries": 0, **more,
    }  # fmt: skip


def waited(coroutine):
    """A call in a loop of its own, which lives until LiteLLM's worker has told its loggers."""

    async def settled():
        answer = await coroutine
        await asyncio.sleep(0.3)
        return answer

    return asyncio.run(settled())


def whole(litellm, models):
    return litellm.completion(**to(models)).choices[0].message.content


def streamed(litellm, models):
    chunks = litellm.completion(**to(models, stream=True, stream_options={"include_usage": True}))
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def whole_async(litellm, models):
    return waited(litellm.acompletion(**to(models))).choices[0].message.content


def streamed_async(litellm, models):
    async def ask():
        options = {"stream": True, "stream_options": {"include_usage": True}}
        chunks = await litellm.acompletion(**to(models, **options))
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])

    return waited(ask())


@pytest.mark.parametrize("ask", [whole, streamed, whole_async, streamed_async])
def test_a_call_is_noted_once_with_its_tokens(litellm, models, noted, ask):
    before_ns = time.monotonic_ns()
    assert ask(litellm, models) == TEXT
    (one,) = noted(1)
    assert (one.model, one.provider, one.route, one.usage) == ("gpt-9", "openai", Route.CHAT, ALL)
    assert (one.outcome, one.status, one.upstream) == (Outcome.OK, 200, "127.0.0.1")
    assert one.streamed is ask.__name__.startswith("streamed")
    slack_ns = 50_000_000  # the wall clock may be set a little meanwhile
    assert before_ns - slack_ns < one.begin_ns <= one.first_ns <= one.end_ns < time.monotonic_ns() + slack_ns


def claude(litellm, models):
    return litellm.completion(
        **{**to(models), "model": "anthropic/claude-3-5-sonnet-20241022", "api_base": models.address}
    )


def embedding(litellm, models):
    return litellm.embedding(
        model="openai/e", input=["a secret"], api_base=f"{models.address}/v1", api_key="k"
    )


def response(litellm, models):
    return litellm.responses(model="openai/gpt-9", input="a", api_base=f"{models.address}/v1", api_key="k")


@pytest.mark.parametrize(
    ("ask", "noted_as"),
    [
        pytest.param(claude, (Route.CHAT, stand.INPUT, stand.OUTPUT, stand.CACHED), id="another provider"),
        pytest.param(embedding, (Route.EMBEDDINGS, stand.INPUT, 0, None), id="an embedding"),
        pytest.param(response, (Route.RESPONSES, stand.INPUT, stand.OUTPUT, stand.CACHED), id="a response"),
    ],
)
def test_other_calls_are_noted_as_what_they_are(litellm, models, noted, ask, noted_as):
    ask(litellm, models)
    (one,) = noted(1)
    usage = one.usage
    assert (one.route, usage.input_tokens, usage.output_tokens, usage.cached_tokens) == noted_as


def failing(litellm, models):
    models.faults = [Page('{"error": {"message": "x"}}', 500, {"Content-Type": "application/json"})]
    with pytest.raises(litellm.InternalServerError):
        litellm.completion(**to(models))


def refused(litellm, models):
    models.faults = [Page('{"error": {"message": "x"}}', 400, {"Content-Type": "application/json"})]
    with pytest.raises(litellm.BadRequestError):
        litellm.completion(**to(models))


def silent(litellm, models):
    models.faults = [Page(hangs=True)]
    with pytest.raises(litellm.Timeout):
        waited(litellm.acompletion(**to(models, timeout=0.2)))


def nobody_there(litellm, models):
    with pytest.raises(litellm.InternalServerError):
        litellm.completion(**{**to(models), "api_base": "http://127.0.0.1:9/v1"})


@pytest.mark.parametrize(
    ("ask", "ended"),
    [
        pytest.param(failing, (Outcome.FAILED, 500), id="the provider fails"),
        pytest.param(refused, (Outcome.REFUSED, 400), id="the provider refuses"),
        pytest.param(silent, (Outcome.TIMEOUT, 408), id="the provider says nothing"),
        pytest.param(nobody_there, (Outcome.UNREACHED, 500), id="nobody is there"),
    ],
)
def test_a_call_that_fails_is_noted_as_what_it_is(litellm, models, noted, ask, ended):
    ask(litellm, models)
    (one,) = noted(1)
    assert (one.outcome, one.status) == ended
    assert one.model == "gpt-9"
    assert not one.usage.is_known
    assert one.unknown


def test_an_answer_that_was_kept_took_nothing(litellm, models, noted):
    for package in ("orjson", "soundfile"):  # LiteLLM's cache imports its proxy's
        pytest.importorskip(package)
    litellm.cache = litellm.Cache()
    from wattermark.integrations.litellm import FootprintLogger

    quoting, heads = FootprintLogger(quoter=Quoter()), []
    for _ in range(2):
        answer = litellm.completion(**to(models), caching=True)
        heads.append(
            asyncio.run(
                quoting.async_post_call_response_headers_hook(
                    data={}, user_api_key_dict=None, response=answer
                )
            )
        )
        time.sleep(0.3)
    first, again = noted(2)
    assert heads[0] and heads[1] is None
    assert (first.usage, first.upstream) == (ALL, "127.0.0.1")
    assert (again.usage, again.upstream) == (Usage(input_tokens=0, output_tokens=0), "cache")
    assert len(models.asked) == 1


def test_nothing_that_was_said_is_kept(litellm, models, noted, ledger):
    litellm.completion(**to(models), metadata={"user_api_key_hash": "88dc28d0f0"})
    (one,) = noted(1)
    close_ambient_desk(metered=False)
    text = "".join(path.read_text() for path in ledger.rglob("*.jsonl"))
    assert "secret" not in text
    assert TEXT not in text
    assert "88dc28d0f0" not in text
    assert one.tenant.startswith("t-")


def test_an_engine_of_this_machine_is_metered(litellm, models, noted, kept):
    from wattermark.integrations.litellm import FootprintLogger

    litellm.callbacks = [FootprintLogger(metered=True)]
    litellm.completion(**to(models))
    (one,) = noted(1)
    close_ambient_desk(metered=True)
    (run,) = kept()
    assert run.logs
    assert run.begin_mono_ns < one.end_ns


class Quoter:
    def quote(self, served):
        return Quote(
            energy_j=float(served.usage.output_tokens), carbon_g=1.0, water_l=0.5, quality="estimated"
        )


def test_an_answer_of_the_proxy_tells_its_footprint(litellm, models, ledger):
    from wattermark.integrations.litellm import FootprintLogger

    logger = FootprintLogger(quoter=Quoter())
    assert "async_post_call_response_headers_hook" in vars(FootprintLogger)  # so the proxy looks for it
    answer = litellm.completion(**to(models))

    async def heads(response):
        return await logger.async_post_call_response_headers_hook(
            data={"model": "gpt-9"}, user_api_key_dict=None, response=response, request_headers={}
        )

    assert asyncio.run(heads(answer)) == {
        "x-footprint-energy-j": str(stand.OUTPUT),
        "x-footprint-carbon-g": "1",
        "x-footprint-water-l": "0.5",
        "x-footprint-quality": "estimated",
    }
    assert asyncio.run(heads(None)) is None


def test_a_fault_of_ours_is_told_once_and_reaches_nobody(litellm, models, ledger, caplog):
    from wattermark.integrations.litellm import FootprintLogger

    litellm.callbacks = [FootprintLogger(desk=object())]
    try:
        for _ in range(2):
            assert whole(litellm, models) == TEXT
        time.sleep(0.5)
    finally:
        litellm.callbacks = []
    assert sum("your program goes on" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize("model", ["openai/gpt-9", "gpt-9"])
def test_a_model_is_called_by_its_name_alone(model):
    """The proxy puts the provider before it."""
    told = {
        "id": "c", "call_type": "acompletion", "model": model, "custom_llm_provider": "openai",
        "startTime": 1.0, "completionStartTime": 2.0, "endTime": 3.0, "metadata": {},
    }  # fmt: skip
    one = _served(told, Route.CHAT, Outcome.OK, "", "")
    assert (one.model, one.unknown) == ("gpt-9", ("usage: LiteLLM told none",))
    assert one.first_ns - one.begin_ns == pytest.approx(1_000_000_000, abs=1_000_000)


def test_the_proxy_finds_the_logger_by_its_path(litellm):
    loader = pytest.importorskip("litellm.proxy.types_utils.utils")
    found = loader.get_instance_fn("wattermark.integrations.litellm.logger")
    assert isinstance(found, litellm.integrations.custom_logger.CustomLogger)
    assert found is loader.get_instance_fn("wattermark.integrations.litellm.logger")
