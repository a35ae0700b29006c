"""Each engine's page, in its own format, in our words."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from wattermark.errors import UsageError
from wattermark.readers.exposition import samples
from wattermark.serving.engines.choose import ALL_WANTED, ENGINES, engine_named, engine_of
from wattermark.serving.engines.page import MOST, Page, sane
from wattermark.serving.engines.trtllm import energy_of
from wattermark.values.served import EngineLook

VLLM = """
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="llama"} 3.0
vllm:num_requests_waiting{engine="0",model_name="llama"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="llama"} 0.25
vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="1000"} 1.0
vllm:prompt_tokens_total{engine="0",model_name="llama"} 5000.0
vllm:prompt_tokens_cached_total{engine="0",model_name="llama"} 1200.0
vllm:prefix_cache_hits_total{engine="0",model_name="llama"} 1264.0
vllm:generation_tokens_total{engine="0",model_name="llama"} 700.0
vllm:iteration_tokens_total_bucket{engine="0",le="1.0",model_name="llama"} 250.0
vllm:iteration_tokens_total_count{engine="0",model_name="llama"} 300.0
vllm:iteration_tokens_total_sum{engine="0",model_name="llama"} 4500.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="llama"} 9.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="llama"} 2.0
vllm:num_preemptions_total{engine="0",model_name="llama"} 1.0
vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="llama"} 40.0
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="llama"} 30.0
"""
OLD_VLLM = """
vllm:num_requests_running{model_name="opt"} 2.0
vllm:gpu_cache_usage_perc{model_name="opt"} 0.5
vllm:cache_config_info{block_size="16",cache_dtype="auto",num_gpu_blocks="100"} 1.0
vllm:prompt_tokens_total{model_name="opt"} 400.0
vllm:gpu_prefix_cache_hits_total{model_name="opt"} 100.0
vllm:generation_tokens_total{model_name="opt"} 50.0
"""
TWO_RANKS = """
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 4.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.5
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.25
vllm:cache_config_info{block_size="16",engine="0",kv_cache_size_tokens="1000",num_gpu_blocks="None"} 1.0
vllm:cache_config_info{block_size="16",engine="1",kv_cache_size_tokens="2000",num_gpu_blocks="None"} 1.0
vllm:prompt_tokens_total{engine="0",model_name="m"} 10.0
vllm:prompt_tokens_total{engine="1",model_name="m"} 20.0
vllm:generation_tokens_total{engine="0",model_name="m"} 1.0
vllm:generation_tokens_total{engine="1",model_name="m"} 2.0
"""
SGLANG = """
sglang:num_running_reqs{engine_type="unified",model_name="q",tp_rank="0"} 5.0
sglang:num_running_reqs{engine_type="unified",model_name="q",tp_rank="1"} 5.0
sglang:num_queue_reqs{engine_type="unified",model_name="q",tp_rank="0"} 2.0
sglang:num_used_tokens{engine_type="unified",model_name="q",tp_rank="0"} 9000.0
sglang:prompt_tokens_total{model_name="q"} 4000.0
sglang:generation_tokens_total{model_name="q"} 100.0
sglang:cached_tokens_total{cache_source="device",model_name="q"} 500.0
sglang:cached_tokens_total{cache_source="host",model_name="q"} 100.0
sglang:num_requests_total{model_name="q"} 8.0
"""
SGLANG_LIVE = (
    SGLANG
    + """
sglang:realtime_tokens_total{dp_rank="0",mode="prefill_compute",model_name="q",tp_rank="0"} 3000.0
sglang:realtime_tokens_total{dp_rank="0",mode="prefill_cache",model_name="q",tp_rank="0"} 700.0
sglang:realtime_tokens_total{dp_rank="0",mode="decode",model_name="q",tp_rank="0"} 150.0
sglang:realtime_tokens_total{dp_rank="1",mode="prefill_compute",model_name="q",tp_rank="2"} 1000.0
sglang:realtime_tokens_total{dp_rank="1",mode="prefill_cache",model_name="q",tp_rank="2"} 300.0
sglang:realtime_tokens_total{dp_rank="1",mode="decode",model_name="q",tp_rank="2"} 50.0
"""
)
SGLANG_PRIORITIES = """
sglang_num_running_reqs{model_name="q",priority=""} 5.0
sglang_num_running_reqs{model_name="q",priority="-1"} 2.0
sglang_num_running_reqs{model_name="q",priority="0"} 3.0
sglang_prompt_tokens_total{model_name="q"} 40.0
sglang_generation_tokens_total{model_name="q"} 10.0
"""
TGI = """
tgi_queue_size 4
tgi_batch_current_size 2
tgi_request_count 12
tgi_request_success{method="generate_stream"} 7
tgi_request_success{method="generate"} 3
tgi_request_input_length_sum 900
tgi_request_input_length_count 10
tgi_request_generated_tokens_sum 300
tgi_request_skipped_tokens_sum 20
tgi_batch_inference_count{method="prefill"} 10
tgi_batch_inference_count{method="decode"} 150
"""
LLAMACPP = """
# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 600
llamacpp:prompt_seconds_total 1.25
llamacpp:tokens_predicted_total 90
llamacpp:n_decode_total 95
llamacpp:n_busy_slots_per_decode 1.5
llamacpp:requests_processing 1
llamacpp:requests_deferred 0
"""
TRTLLM = """
trtllm_request_success_total{engine_type="trtllm",finished_reason="stop",model_name="n"} 5.0
trtllm_prompt_tokens_total{engine_type="trtllm",model_name="n"} 800.0
trtllm_prompt_cached_tokens_total{engine_type="trtllm",model_name="n"} 200.0
trtllm_generation_tokens_total{engine_type="trtllm",model_name="n"} 60.0
trtllm_num_requests_running{engine_type="trtllm",model_name="n"} 2.0
trtllm_num_requests_waiting{engine_type="trtllm",model_name="n"} 1.0
trtllm_kv_cache_used_blocks{engine_type="trtllm",model_name="n"} 10.0
trtllm_kv_cache_tokens_per_block{engine_type="trtllm",model_name="n"} 32.0
"""
TRITON = """
nv_inference_request_success{model="ensemble",version="1"} 8
nv_inference_request_success{model="tensorrt_llm",version="1"} 9
nv_llm_input_token_len_sum{model="tensorrt_llm",response_metric_type="total_input_tokens",version="1"} 700
nv_llm_output_token_len_sum{model="tensorrt_llm",response_metric_type="total_output_tokens",version="1"} 80
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="active",version="1"} 3
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="waiting",version="1"} 1
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="used",model="tensorrt_llm",version="1"} 5
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="tokens_per",model="tensorrt_llm",version="1"} 64
nv_energy_consumption{gpu_uuid="GPU-a"} 1000.5
nv_energy_consumption{gpu_uuid="GPU-b"} 500.25
"""
DYNAMO = """
dynamo_frontend_input_sequence_tokens_sum{model="q"} 600
dynamo_frontend_cached_tokens_sum{model="q"} 100
dynamo_frontend_output_tokens_total{model="q"} 70
dynamo_frontend_output_sequence_tokens_sum{model="q"} 60
dynamo_frontend_requests_total{endpoint="chat",model="q",status="success"} 5
dynamo_frontend_requests_total{endpoint="chat",model="q",status="error"} 1
dynamo_frontend_inflight_requests{model="q"} 2
dynamo_frontend_queued_requests{model="q"} 1
"""


def page(text):
    return Page.of((one.name, one.labels, float(one.shown)) for one in samples(text, ALL_WANTED))


def look(engine, model="", **told):
    return EngineLook(mono_ns=7, engine=engine, model=model, **told)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            VLLM,
            [
                look(
                    "vllm", "llama",
                    prompt_tokens=5000, cached_tokens=1200, generated_tokens=700, steps=300, requests=11,
                    preemptions=1, draft_tokens=40, accepted_tokens=30, running=3, waiting=1, kv_tokens=4000,
                )
            ],
            id="vLLM of today: what was cached by its own counter",
        ),
        pytest.param(
            OLD_VLLM,
            [
                look(
                    "vllm", "opt", prompt_tokens=400, cached_tokens=100, generated_tokens=50, running=2,
                    kv_tokens=800,
                )
            ],
            id="an older vLLM: names with gpu in them",
        ),
        pytest.param(
            TWO_RANKS,
            [look("vllm", "m", prompt_tokens=30, generated_tokens=3, running=7, kv_tokens=1000)],
            id="vLLM with two engines of one model: summed, each with its own cache",
        ),
        pytest.param(
            SGLANG,
            [
                look(
                    "sglang", "q", prompt_tokens=4000, cached_tokens=600, generated_tokens=100, requests=8,
                    running=5, waiting=2, kv_tokens=9000,
                )
            ],
            id="SGLang: ranks that compute together count once, sources of the cache are summed",
        ),
        pytest.param(
            SGLANG_LIVE,
            [
                look(
                    "sglang", "q", prompt_tokens=5000, cached_tokens=1000, generated_tokens=200, requests=8,
                    running=5, waiting=2, kv_tokens=9000,
                )
            ],
            id="SGLang that counts while requests run: data-parallel ranks are summed",
        ),
        pytest.param(
            SGLANG_PRIORITIES,
            [look("sglang", "q", prompt_tokens=40, generated_tokens=10, running=5)],
            id="SGLang with underscores and priorities: the empty one holds all",
        ),
        pytest.param(
            TGI,
            [
                look(
                    "tgi", prompt_tokens=900, generated_tokens=300, steps=160, requests=10,
                    accepted_tokens=20, running=2, waiting=4,
                )
            ],
            id="TGI: sums of histograms, passes of both methods",
        ),
        pytest.param(
            LLAMACPP,
            [look("llamacpp", prompt_tokens=600, generated_tokens=90, steps=95, running=1, waiting=0)],
            id="llama.cpp that tells no cached tokens",
        ),
        pytest.param(
            LLAMACPP + "llamacpp:prompt_tokens_cached_total 150\nllamacpp:kv_cache_tokens 512\n",
            [
                look(
                    "llamacpp", prompt_tokens=750, cached_tokens=150, generated_tokens=90, steps=95,
                    running=1, waiting=0, kv_tokens=512,
                )
            ],
            id="llama.cpp counts computed tokens: cached ones are added",
        ),
        pytest.param(
            TRTLLM,
            [
                look(
                    "trtllm", "n", prompt_tokens=800, cached_tokens=200, generated_tokens=60, requests=5,
                    running=2, waiting=1, kv_tokens=320,
                )
            ],
            id="TensorRT-LLM",
        ),
        pytest.param(
            TRITON,
            [
                look(
                    "triton", "tensorrt_llm", prompt_tokens=700, generated_tokens=80, requests=9, running=3,
                    waiting=1, kv_tokens=320,
                ),
                look("triton", energy_j=1500.75),
            ],
            id="Triton: the model's tokens, and the energy of all GPUs apart",
        ),
        pytest.param(
            DYNAMO,
            [
                look(
                    "dynamo", "q", prompt_tokens=600, cached_tokens=100, generated_tokens=70, requests=6,
                    running=2, waiting=1,
                )
            ],
            id="Dynamo's frontend: the live counter of output before the one of ended requests",
        ),
    ],
)  # fmt: skip
def test_a_page_in_our_words(text, expected):
    shown = page(text)
    engine = engine_of(shown)
    assert engine is not None
    assert engine.looks(shown, 7) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param(VLLM + TRITON, "vllm", id="vLLM in Triton"),
        pytest.param(DYNAMO + SGLANG, "sglang", id="a worker of Dynamo"),
        pytest.param(TRTLLM + DYNAMO, "trtllm", id="another worker of Dynamo"),
    ],
)
def test_a_gateways_page_is_the_engines(text, name):
    assert engine_of(page(text)).name == name


def test_a_page_that_the_engines_own_library_wrote():
    """vLLM, SGLang and TensorRT-LLM write theirs with prometheus_client."""
    registry = CollectorRegistry()
    labels = {"model_name": 'a "model"\\of\nours', "engine": "0"}
    prompt = Counter("vllm:prompt_tokens", "Prefill tokens.", labels, registry=registry)
    written = Counter("vllm:generation_tokens", "Generation tokens.", labels, registry=registry)
    steps = Histogram("vllm:iteration_tokens_total", "Tokens a step.", labels, registry=registry)
    running = Gauge("vllm:num_requests_running", "Running.", labels, registry=registry)
    prompt.labels(**labels).inc(1234567)
    written.labels(**labels).inc(89.0)
    running.labels(**labels).set(3)
    for tokens in (1, 1, 64):
        steps.labels(**labels).observe(tokens)
    shown = page(generate_latest(registry).decode())
    assert engine_of(shown).looks(shown, 7) == [
        look("vllm", labels["model_name"], prompt_tokens=1234567, generated_tokens=89, steps=3, running=3)
    ]


@pytest.mark.parametrize("text", ["", "up 1\n", "go_goroutines 12\nprocess_cpu_seconds_total 3.5\n"])
def test_a_page_of_no_engine_is_none(text):
    assert engine_of(page(text)) is None
    assert all(engine.looks(page(text), 7) == [] for engine in ENGINES.values())


@pytest.mark.parametrize("shown", ["NaN", "+Inf", "-1"])
def test_what_is_no_amount_is_not_told(shown):
    text = (
        f'vllm:num_requests_running{{model_name="m"}} 2\nvllm:prompt_tokens_total{{model_name="m"}} {shown}\n'
    )
    assert ENGINES["vllm"].looks(page(text), 7) == [look("vllm", "m", running=2)]


def test_a_cache_of_unknown_size_keeps_nobody_knows_how_many_tokens():
    text = 'vllm:kv_cache_usage_perc{model_name="m"} 0.5\nvllm:num_requests_running{model_name="m"} 2\n'
    (one,) = ENGINES["vllm"].looks(page(text), 7)
    assert one.kv_tokens is None


def test_every_metric_that_makes_an_engine_known_is_read():
    assert all(name in ALL_WANTED for engine in ENGINES.values() for name in engine.known_by)


NUMBER = st.one_of(
    st.floats(0, 1e6), st.sampled_from(["NaN", "+Inf", "-1", "1e300", "4.6e18", "0"]), st.integers(0, 2**70)
)
LABELS = st.dictionaries(
    st.sampled_from(["model_name", "model", "engine", "tp_rank", "dp_rank", "mode", "priority"]),
    st.sampled_from(["", "0", "1", "decode", "prefill_compute", "x" * 300, "9" * 400, "\u0663"]),
)
CACHES = st.fixed_dictionaries(
    {"num_gpu_blocks": st.sampled_from(["None", "10", "9" * 400]), "block_size": st.sampled_from(["16", ""])}
)


@given(
    st.lists(st.tuples(st.sampled_from(sorted(ALL_WANTED)), st.one_of(LABELS, CACHES), NUMBER), max_size=30)
)
def test_whatever_a_page_holds_looks_are_amounts(lines):
    shown = Page.of((name, labels, float(value)) for name, labels, value in lines)
    for engine in ENGINES.values():
        for one in map(sane, engine.looks(shown, 7)):
            numbers = [
                getattr(one, f.name) for f in fields(one) if f.name not in ("model", "engine", "upstream")
            ]
            assert all(number is None or 0 <= number <= MOST for number in numbers)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vlm", "there is no engine 'vlm'. Did you mean vllm?"),
        ("xyzzy", "Engines are: auto, vllm, sglang"),
        ("ollama", "no release of Ollama tells metrics. Count its requests instead: wattermark proxy"),
        ("transformers", "transformers serve tells no metrics"),
    ],
)
def test_an_engine_that_cannot_be_watched_is_told_in_a_sentence(name, said):
    with pytest.raises(UsageError) as refused:
        engine_named(name)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "engine"), [(" vLLM", "vllm"), ("llama.cpp", "llamacpp"), ("TRT-LLM", "trtllm")]
)
def test_engines_are_known_as_people_spell_them(name, engine):
    assert engine_named(name).name == engine
    assert engine_named("auto") is None


@pytest.mark.parametrize(
    ("document", "energy_j"),
    [
        ('{"total_energy_j": 12345.6789, "query_time": 1.5}', 12345.6789),
        ('{"error": "Energy monitoring is not available"}', None),
        ('{"total_energy_j": -1}', None),
        ('{"total_energy_j": NaN}', None),
        ('{"total_energy_j": "x"}', None),
        ("[1]", None),
        ("<html>", None),
        ("[" * 100_000, None),
    ],
)
def test_the_energy_that_trtllm_tells(document, energy_j):
    assert energy_of(document) == energy_j
