"""The stat logger for vLLM, told what each version tells; and its interface, where vLLM is installed."""

import sys
import time
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from fakes import vllm_stats as vllm
from fakes.vllm_stats import FinishReason, Version, config, installed
from wattermark.integrations import vllm as ours
from wattermark.integrations.vllm_stats import Counts, Serving
from wattermark.ledger.requests import read_requests, request_files
from wattermark.values.served import Outcome, Route
from wattermark.verbs.serving.ambient_desk import close_ambient_desk

MADE = ("FootprintStatLogger", "InstalledStatLogger")
each_version = pytest.mark.parametrize("version", vllm.VERSIONS, ids=lambda version: version.name)


@pytest.fixture(autouse=True)
def a_vllm(monkeypatch, ledger):
    """Modules of vLLM's names; our classes are made anew, and the desk is closed."""
    for name, module in installed().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delenv("VLLM_PLUGINS", raising=False)
    yield
    for name in MADE:
        vars(ours).pop(name, None)
    for metered in (True, False):
        close_ambient_desk(metered=metered)


@pytest.fixture
def noted(ledger):
    """What the ledger holds, once all is written."""

    def read():
        for metered in (True, False):
            close_ambient_desk(metered=metered)
        found = [read_requests(path) for run in sorted(ledger.iterdir()) for path in request_files(run)]
        served = [one for file in found for one in file.served]
        looks = [one for file in found for one in file.looks]
        return served, looks

    return read


def finished(version: Version, reason=FinishReason.STOP, **told):
    usual = {"e2e_latency": 2.0, "num_prompt_tokens": 30, "num_generation_tokens": 12}
    times = {"queued_time": 0.25, "prefill_time": 0.5, "decode_time": 1.0, "inference_time": 1.5}
    return version.finished(reason, **{**usual, **times, **told})


def iteration(version: Version, *finished_ones, **told):
    made = version.iteration()
    made.finished_requests = list(finished_ones)
    for name, value in told.items():
        setattr(made, name, value)
    return made


@each_version
def test_a_finished_request_is_noted_with_its_tokens_and_times(version, noted):
    logger = ours.FootprintStatLogger(config(), 0)
    before_ns = time.monotonic_ns()
    version.record(logger, version.scheduler(), iteration(version, finished(version)))
    (one,), _ = noted()
    assert (one.usage.input_tokens, one.usage.output_tokens) == (30, 12)
    assert (one.model, one.upstream, one.route, one.outcome) == (
        "served", "vllm", Route.COMPLETIONS, Outcome.OK,
    )  # fmt: skip
    assert one.end_ns - one.begin_ns == 2_000_000_000
    assert one.end_ns - one.first_ns == 1_000_000_000
    assert before_ns - 1_000_000 <= one.end_ns <= time.monotonic_ns()
    assert one.unknown == ()


@pytest.mark.parametrize(
    ("version", "cached"),
    [
        pytest.param(vllm.VERSIONS[0], None, id="0.8 does not tell it of a request"),
        pytest.param(vllm.VERSIONS[1], None, id="0.11 neither"),
        pytest.param(vllm.VERSIONS[2], 16, id="0.14 does"),
        pytest.param(vllm.VERSIONS[3], 16, id="0.27"),
    ],
)
def test_cached_tokens_are_known_where_a_version_tells_them(version, cached, noted):
    logger = ours.FootprintStatLogger(config())
    told = {} if cached is None else {"num_cached_tokens": cached}
    version.record(logger, None, iteration(version, finished(version, **told)))
    assert noted()[0][0].usage.cached_tokens == cached


def test_a_request_has_its_name_where_vllm_tells_it(noted):
    logger, version = ours.FootprintStatLogger(config()), vllm.VERSIONS[3]
    version.record(logger, None, iteration(version, finished(version, request_id="cmpl-7")))
    assert noted()[0][0].request == "cmpl-7"


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        (FinishReason.STOP, Outcome.OK),
        (FinishReason.LENGTH, Outcome.OK),
        (FinishReason.ABORT, Outcome.LEFT),
        (FinishReason.ERROR, Outcome.FAILED),
        pytest.param("repetition", Outcome.OK, id="a reason of tomorrow"),
    ],
)
def test_an_ending_has_its_outcome(reason, outcome, noted):
    logger, version = ours.FootprintStatLogger(config()), vllm.VERSIONS[1]
    version.record(logger, None, iteration(version, finished(version, reason)))
    assert noted()[0][0].outcome is outcome


@pytest.mark.parametrize(
    ("told", "took_s", "first_s"),
    [
        pytest.param({"e2e_latency": -3599.0}, 1.75, 0.75, id="the wall clock was set back meanwhile"),
        pytest.param({"decode_time": -5.0}, 2.0, None, id="a stamp was never set"),
        pytest.param({"inference_time": -9e5, "queued_time": -9e5}, 2.0, 1.0, id="never scheduled"),
        pytest.param({"num_generation_tokens": 0, "decode_time": 0.0}, 2.0, None, id="it embeds"),
        pytest.param({"decode_time": 9.0}, 2.0, 0.0, id="longer than the whole"),
        pytest.param({"e2e_latency": float("nan")}, 1.75, 0.75, id="not a number"),
    ],
)
def test_times_that_cannot_be_do_no_harm(told, took_s, first_s, noted):
    logger, version = ours.FootprintStatLogger(config()), vllm.VERSIONS[1]
    version.record(logger, None, iteration(version, finished(version, **told)))
    (one,), _ = noted()
    assert (one.end_ns - one.begin_ns) / 1e9 == took_s
    assert (None if one.first_ns is None else (one.first_ns - one.begin_ns) / 1e9) == first_s


def test_a_request_without_any_time_says_so(noted):
    logger, version = ours.FootprintStatLogger(config()), vllm.VERSIONS[1]
    bare = finished(version, e2e_latency=0.0, queued_time=0.0, inference_time=0.0)
    version.record(logger, None, iteration(version, bare))
    assert noted()[0][0].unknown == ("begin: vLLM told no time",)


def test_an_iteration_that_was_handed_on_late_ended_when_it_did(noted):
    logger, version = ours.FootprintStatLogger(config()), vllm.VERSIONS[1]
    late = iteration(version, finished(version))
    late.iteration_timestamp = time.time() - 0.5
    now_ns = time.monotonic_ns()
    version.record(logger, None, late)
    assert (now_ns - noted()[0][0].end_ns) / 1e9 == pytest.approx(0.5, abs=0.1)


# -- the engine's own counts ---------------------------------------------------------------


def counted(version, *steps, of=None):
    """What the counts show after some steps."""
    of, counts = of or config(), Counts()
    for scheduler, out in steps:
        if scheduler is not None:
            counts.step(scheduler, of.cache_config, 1)
        if out is not None:
            counts.tokens(out, 1)
    return counts.look(Serving.of(of, 0), 2)


@each_version
def test_counts_add_up_over_steps(version):
    out = iteration(version, num_prompt_tokens=30, num_generation_tokens=4, num_preempted_reqs=1)
    last = iteration(version, finished(version), num_prompt_tokens=0, num_generation_tokens=5)
    busy = version.scheduler(num_running_reqs=2, num_waiting_reqs=3)
    look = counted(version, (busy, out), (busy, None), (busy, last))
    assert (look.prompt_tokens, look.generated_tokens, look.steps) == (30, 9, 3)
    assert (look.requests, look.preemptions) == (1, 1)
    assert (look.running, look.waiting) == (2, 3)
    assert (look.draft_tokens, look.accepted_tokens, look.energy_j) == (None, None, None)


def test_speculation_is_counted_where_it_is_on():
    version = vllm.VERSIONS[1]
    step = version.scheduler(spec_decoding_stats=vllm.SpecDecodingStats(4, 2, 8, 5))
    look = counted(version, (step, None), (step, None), (version.scheduler(), None))
    assert (look.draft_tokens, look.accepted_tokens, look.steps) == (16, 10, 3)


def by_cache(hits):
    return vllm.SchedulerStats11(prefix_cache_stats=vllm.PrefixCacheStats11(hits=hits))


def by_source(cached):
    made = vllm.IterationStats16()
    made.prompt_token_stats = vllm.PromptTokenStats(cached_tokens=cached, total=100)
    return made


@pytest.mark.parametrize(
    ("steps", "cached"),
    [
        pytest.param(
            [(vllm.SchedulerStats08(prefix_cache_stats=vllm.PrefixCacheStats08(hits=3)), None)],
            None, id="0.8 counts blocks, which are no tokens",
        ),
        pytest.param([(by_cache(32), None), (by_cache(16), None)], 48, id="0.11 counts tokens"),
        pytest.param([(by_cache(32), by_source(31))], 31, id="what requests say goes first, once"),
        pytest.param([(by_cache(32), None), (None, by_source(31))], 31, id="also where it comes later"),
        pytest.param(
            [(SimpleNamespace(prefix_cache_stats=None, kv_cache_usage=0.1), None)], None, id="no cache"
        ),
    ],
)  # fmt: skip
def test_cached_tokens_of_the_engine(steps, cached):
    assert counted(vllm.VERSIONS[1], *steps).cached_tokens == cached


@pytest.mark.parametrize(
    ("scheduler", "cache", "kept"),
    [
        (vllm.SchedulerStats11(kv_cache_usage=0.25), {"num_gpu_blocks": 100, "block_size": 16}, 400),
        (vllm.SchedulerStats08(gpu_cache_usage=0.25), {"num_gpu_blocks": 100, "block_size": 16}, 400),
        (vllm.SchedulerStats11(kv_cache_usage=0.25), {"num_gpu_blocks": None, "block_size": 16}, None),
        (vllm.SchedulerStats11(kv_cache_usage=0.25), {}, None),
        (SimpleNamespace(), {"num_gpu_blocks": 100, "block_size": 16}, None),
    ],
)
def test_tokens_that_are_kept(scheduler, cache, kept):
    of = config(cache_config=SimpleNamespace(**cache))
    assert counted(vllm.VERSIONS[1], (scheduler, None), of=of).kv_tokens == kept


def test_looks_come_once_a_second_and_stand_still_while_nothing_happens(noted, monkeypatch):
    clock = [10**12]
    monkeypatch.setattr(ours.time, "monotonic_ns", lambda: clock[0])
    logger, version = ours.FootprintStatLogger(config()), vllm.VERSIONS[1]

    def step_at(seconds):
        clock[0] = 10**12 + round(seconds * 1e9)
        version.record(
            logger, version.scheduler(num_running_reqs=1), iteration(version, num_generation_tokens=1)
        )

    for tenth in range(25):
        step_at(tenth / 10)
    step_at(60.0)
    clock[0] += 5 * 10**9
    logger.log()
    logger.log()
    _, looks = noted()
    told = [((look.mono_ns - 10**12) / 1e9, look.steps) for look in looks]
    assert told == [(0.0, 1), (1.0, 11), (2.0, 21), (2.4, 25), (60.0, 26)]


def test_a_look_at_rest_ends_the_window_that_was_busy(noted, monkeypatch):
    clock = [10**12]
    monkeypatch.setattr(ours.time, "monotonic_ns", lambda: clock[0])
    logger, version = ours.FootprintStatLogger(config()), vllm.VERSIONS[1]
    version.record(logger, version.scheduler(), None)
    clock[0] += 3 * 10**8
    version.record(logger, version.scheduler(), None)
    clock[0] += 7 * 10**9
    logger.log()
    told = [((look.mono_ns - 10**12) / 1e9, look.steps) for look in noted()[1]]
    assert told == [(0.0, 1), (0.3, 2), (7.3, 2)]


# -- what the configuration says -----------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "index", "expected"),
    [
        pytest.param({}, 0, ("vllm", "served", Route.COMPLETIONS), id="one engine"),
        pytest.param({}, 2, ("vllm 2", "served", Route.COMPLETIONS), id="one of several"),
        pytest.param(
            {"kv_transfer_config": SimpleNamespace(kv_role="kv_producer")}, 0,
            ("vllm prefill", "served", Route.COMPLETIONS), id="the pool that reads prompts",
        ),
        pytest.param(
            {"kv_transfer_config": SimpleNamespace(kv_role="kv_consumer")}, 1,
            ("vllm decode 1", "served", Route.COMPLETIONS), id="the pool that writes",
        ),
        pytest.param(
            {"model_config": SimpleNamespace(served_model_name=["a", "b"], runner_type="pooling")}, 0,
            ("vllm", "a", Route.EMBEDDINGS), id="embeddings under two names",
        ),
        pytest.param(
            {"model_config": SimpleNamespace(model="org/m")}, 0,
            ("vllm", "org/m", Route.COMPLETIONS), id="no alias",
        ),
        pytest.param({"model_config": None}, 0, ("vllm", "", Route.COMPLETIONS), id="nothing is told"),
    ],
)  # fmt: skip
def test_an_engine_is_called_by_its_configuration(told, index, expected):
    serving = Serving.of(config(**told), index)
    assert (serving.upstream, serving.model, serving.route) == expected


@pytest.mark.parametrize(
    ("told", "unknown"),
    [
        ({}, ()),
        (
            {"speculative_config": object()},
            ("passes: vLLM tells accepted tokens of a step, not of a request",),
        ),
        ({"lora_config": object()}, ("model: vLLM does not tell which adapter a request used",)),
    ],
)
def test_what_is_not_known_is_told(told, unknown):
    assert Serving.of(config(**told), 0).unknown == unknown


# -- a plug-in that harms nobody -----------------------------------------------------------


def test_the_entry_point_is_a_class_that_vllm_takes():
    root = Path(__file__).parents[2] / "pyproject.toml"
    import tomllib

    (value,) = tomllib.loads(root.read_text(encoding="utf-8"))["project"]["entry-points"][
        "vllm.stat_logger_plugins"
    ].values()
    found = EntryPoint("wattermark", value, "vllm.stat_logger_plugins").load()
    assert isinstance(found, type) and issubclass(found, vllm.StatLoggerBase)


@pytest.mark.parametrize(
    ("environment", "records"),
    [
        pytest.param({}, False, id="nobody asked"),
        pytest.param({"WATTERMARK_AUTO": "1"}, True, id="asked by us"),
        pytest.param({"VLLM_PLUGINS": "other,wattermark"}, True, id="named to vLLM"),
        pytest.param({"VLLM_PLUGINS": "other"}, False, id="others are named"),
        pytest.param({"WATTERMARK_AUTO": "0"}, False, id="said no"),
    ],
)
def test_an_installed_plug_in_records_only_where_it_is_asked_to(environment, records, ledger, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    logger, version = ours.InstalledStatLogger(config(), 0), vllm.VERSIONS[1]
    version.record(logger, version.scheduler(), iteration(version, finished(version)))
    logger.log()
    logger.log_engine_initialized()
    assert (logger.desk is not None) is records
    assert ledger.exists() is records


@pytest.mark.parametrize(
    "stats",
    [
        pytest.param(object(), id="an empty thing"),
        pytest.param(SimpleNamespace(finished_requests=7, num_prompt_tokens="many"), id="other kinds"),
        pytest.param(SimpleNamespace(finished_requests=[object()]), id="a request of no fields"),
        pytest.param(SimpleNamespace(finished_requests=[None], prefix_cache_stats=3), id="no request"),
    ],
)  # fmt: skip
def test_statistics_of_another_shape_stop_nobody(stats):
    logger = ours.FootprintStatLogger(config())
    logger.record(stats, stats, None, 0)
    logger.record(scheduler_stats=stats, iteration_stats=stats, mm_cache_stats=None, engine_idx=0, later=1)
    logger.log()


def test_a_base_that_asks_for_more_still_gives_a_logger(monkeypatch):
    loggers = sys.modules["vllm.v1.metrics.loggers"]
    monkeypatch.setattr(loggers, "StatLoggerBase", vllm.LaterStatLoggerBase)
    assert isinstance(ours.FootprintStatLogger(config(), 0), vllm.LaterStatLoggerBase)


def test_a_configuration_of_another_shape_stops_nobody(noted):
    logger, version = ours.FootprintStatLogger(object(), 0), vllm.VERSIONS[1]
    version.record(logger, None, iteration(version, finished(version)))
    assert noted()[0][0].model == ""


def test_a_second_api_server_does_not_measure_the_machine_again(noted, caplog, kept):
    one = ours.FootprintStatLogger(config(), 0)
    other = ours.FootprintStatLogger(config(parallel_config=SimpleNamespace(_api_process_rank=1)), 0)
    version = vllm.VERSIONS[1]
    for logger in (one, other):
        version.record(logger, None, iteration(version, finished(version)))
    assert "several API servers" in caplog.text
    served, _ = noted()
    assert len(served) == 2 and sum(bool(run.logs) for run in kept()) == 1


def test_a_step_costs_microseconds():
    """Processor time, of a step without and with a request that ended."""
    logger, version = ours.FootprintStatLogger(config()), vllm.VERSIONS[3]
    scheduler, out = version.scheduler(num_running_reqs=8), iteration(version, num_generation_tokens=8)
    began_s = time.thread_time()
    for _ in range(5000):
        version.record(logger, scheduler, out)
    assert (time.thread_time() - began_s) / 5000 < 100e-6


def test_vllm_itself_takes_it():
    """Its own checks, where it is installed."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "vllm"]:
        sys.modules.pop(name)
    loggers = pytest.importorskip("vllm.v1.metrics.loggers", reason="vLLM is not installed: needs a GPU")
    import inspect

    made = ours.FootprintStatLogger
    assert issubclass(made, loggers.StatLoggerBase)
    for name in ("record", "log", "log_engine_initialized"):
        theirs = inspect.signature(getattr(loggers.StatLoggerBase, name)).parameters
        inspect.signature(getattr(made, name)).bind(*[None] * len(theirs))
