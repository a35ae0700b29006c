"""Watch an engine that plays, over real HTTP, beside a meter that knows what it drew."""

import logging
import time
from dataclasses import replace

import pytest

from fakes.counting_engine import Costs, Pages, PlayedMeter, Playing, vllm_page
from fakes.web import Page, Server, document
from wattermark.errors import UsageError, WattermarkError
from wattermark.ledger.read import read_spool
from wattermark.ledger.requests import read_requests, request_files
from wattermark.readers.web import Site
from wattermark.science.sharing.rounds import rounds_of
from wattermark.values.kinds import Quality, Scope
from wattermark.verbs.measure import Run
from wattermark.verbs.serving.scraping import one_round, sources
from wattermark.verbs.serving.watched import Watching, watched_run
from wattermark.verbs.serving.watching import Watch, begin_watch
from wattermark.wiring.config import Config

NAMES = {
    "input token": "read_j",
    "output token": "written_j",
    "engine step": "step_j",
    "token of context looked at": "context_j",
    "waiting": "idle_w",
}


class NoMeter:
    """A machine that has none."""

    channels = ()

    def read(self):
        return []

    def period_s(self, interval_s):
        return interval_s

    def close(self):
        """Nothing is open."""


@pytest.fixture
def server():
    with Server() as one:
        one.pages = Pages()
        yield one


@pytest.fixture
def config(ledger):
    return Config(ledger=str(ledger), interval=0.05)


def parts(found):
    return (
        found.input_j + found.output_j + found.active_idle_j + found.provisioned_idle_j + found.unattributed_j
    )


def watched(config, server, *, every_s=0.2, for_s=1.0, known=None, reader=None, paths=("/metrics",)):
    addresses = [f"{server.address}{path}" for path in paths]
    with begin_watch(config, addresses, known=known, readers={"gpu": reader or NoMeter()}) as watch:
        rounds = list(watch.rounds(every_s, for_s))
    return rounds, watch


@pytest.mark.slow
def test_what_tokens_cost_is_found_in_seconds_and_once_more_from_the_ledger(config, server):
    engine = Playing(vllm_page, slot_s=0.5, idle_every=3)
    server.pages["/metrics"] = engine.page
    rounds, watch = watched(config, server, every_s=0.25, for_s=8.0, reader=PlayedMeter(engine))
    found = watched_run(watch.folder)
    assert {NAMES[one.name] for one in found.coefficients} == set(NAMES.values())
    assert found.quality is Quality.MEASURED and found.meter == "gpu/0" and found.r2 > 0.9
    assert parts(found) == pytest.approx(found.energy_j)
    assert len(rounds) == len(found.windows) >= 25
    assert rounds[-1].energy_j == pytest.approx(found.energy_j, rel=0.01)
    (path,) = request_files(watch.folder)
    looks = read_requests(path).looks
    first_s, last_s = looks[0].mono_ns / 1e9, looks[-1].mono_ns / 1e9
    assert found.energy_j == pytest.approx(engine.energy_j(last_s) - engine.energy_j(first_s), rel=0.02)
    assert found.output_j == pytest.approx(engine.output_j(last_s) - engine.output_j(first_s), rel=0.1)
    idle_j = engine.costs.idle_w * (last_s - first_s)
    assert found.active_idle_j + found.provisioned_idle_j == pytest.approx(idle_j, rel=0.25)


def test_the_run_is_the_machines_and_keeps_looks_as_they_came(config, server):
    engine = Playing(vllm_page)
    server.pages["/metrics"] = engine.page
    rounds, watch = watched(config, server, for_s=0.5, reader=PlayedMeter(engine))
    (path,) = request_files(watch.folder)
    recorded = read_spool(watch.folder / path.name)
    looks = read_requests(path).looks
    assert recorded.header.scope is Scope.MACHINE and recorded.header.command == "serving watch"
    assert {one.model for one in looks} == {"meta-llama/Llama-3.1-8B-Instruct"}
    assert {one.upstream for one in looks} == {server.address.removeprefix("http://")}
    assert len(looks) == len(rounds) + 1
    assert watch.folder.parent == config_ledger(config)


def config_ledger(config):
    from pathlib import Path

    return Path(config.ledger)


def test_without_a_meter_a_known_model_on_a_known_accelerator_is_estimated(config, server):
    server.pages["/metrics"] = Playing(vllm_page).page
    known = Watching(gpu="h100", accelerators=1)
    rounds, watch = watched(config, server, for_s=0.5, known=known)
    assert rounds[-1].quality is Quality.MODELLED and rounds[-1].energy_j > 0
    assert watched_run(watch.folder).quality is Quality.MISSING
    assert watched_run(watch.folder, known).quality is Quality.MODELLED


class DeadMeter(PlayedMeter):
    """A GPU whose driver gives no answer."""

    def read(self):
        return [None]


@pytest.mark.parametrize("reader", [NoMeter(), DeadMeter()], ids=["no meter", "a meter that says nothing"])
def test_an_engine_that_tells_its_own_energy_is_a_meter(config, server, reader):
    began_s = time.monotonic()
    names = ("request_success_total", "prompt_tokens_total", "generation_tokens_total")

    def page():
        passed = time.monotonic() - began_s
        return Page("".join(f'trtllm_{name}{{model_name="n"}} {1000 * passed}\n' for name in names))

    server.pages["/prometheus/metrics"] = page
    server.pages["/metrics"] = Page("[]")  # its own iteration statistics
    server.pages["/energy_metrics"] = lambda: document(
        total_energy_j=300 * (time.monotonic() - began_s), query_time=1.0
    )
    rounds, watch = watched(config, server, for_s=0.6, paths=("",), reader=reader)
    found = watched_run(watch.folder)
    assert found.quality is Quality.MEASURED and found.meter == "the engine's own counter"
    seconds = sum(w.end_ns - w.begin_ns for w in found.windows) / 1e9
    assert found.energy_j == pytest.approx(300 * seconds, rel=0.1)
    assert rounds and parts(found) == pytest.approx(found.energy_j)


def test_two_engines_on_one_gpu_are_fitted_together(config, server):
    one = Playing(vllm_page, slot_s=0.1)
    other = Playing(vllm_page, slot_s=0.1, seed=7, costs=Costs(written_j=0.1, step_j=0.5, idle_w=0.0))
    server.pages |= {"/a": one.page, "/b": other.page}
    _, watch = watched(
        config, server, every_s=0.1, for_s=1.5, reader=PlayedMeter(one, other), paths=("/a", "/b")
    )
    found = watched_run(watch.folder)
    host = server.address.removeprefix("http://")
    assert [engine.upstream for engine in found.engines] == [host, f"{host} (2)"]
    assert parts(found) == pytest.approx(found.energy_j)
    assert all(engine.input_j > 0 and engine.output_j > 0 for engine in found.engines)


def test_an_engine_that_falls_silent_is_told_once_and_loses_nothing(config, server, caplog):
    engine = Playing(vllm_page)
    silent = [0.0]

    def page():
        now_s = time.monotonic() - engine.began_s
        silent[0] = 0.4 < now_s < 0.8
        return Page("busy", 503) if silent[0] else engine.page()

    server.pages["/metrics"] = page
    with caplog.at_level(logging.WARNING, "wattermark"):
        _, watch = watched(config, server, every_s=0.1, for_s=1.5, reader=PlayedMeter(engine))
    said = [record.getMessage() for record in caplog.records]
    assert sum("answers 503; the watch goes on" in text for text in said) == 1
    assert sum("answers again" in text for text in said) == 1
    (path,) = request_files(watch.folder)
    looks = read_requests(path).looks
    assert rounds_of(looks).known.all()
    assert watched_run(watch.folder).engines[0].written_tokens == pytest.approx(
        looks[-1].generated_tokens - looks[0].generated_tokens
    )


def test_an_engine_that_starts_anew_leaves_a_window_to_nobody(config, server):
    engine = Playing(vllm_page, idle_every=0)
    engine.restarted_s = engine.began_s + 0.7
    server.pages["/metrics"] = engine.page
    _, watch = watched(config, server, every_s=0.1, for_s=1.4, reader=PlayedMeter(engine))
    found = watched_run(watch.folder)
    assert found.engines[0].restarts == 1 and found.unattributed_j > 0
    assert parts(found) == pytest.approx(found.energy_j)
    assert any("started anew 1 times" in flag for flag in found.flags)


def test_a_watch_that_was_killed_is_there_up_to_its_last_look(config, server):
    engine = Playing(vllm_page)
    server.pages["/metrics"] = engine.page
    _, watch = watched(config, server, every_s=0.1, for_s=1.0, reader=PlayedMeter(engine))
    (path,) = request_files(watch.folder)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    found = watched_run(watch.folder)
    assert 2 <= len(found.windows) <= 8 and parts(found) == pytest.approx(found.energy_j)


REFUSED = [
    pytest.param({"/metrics": Page("<html>\n<p>no")}, "no page of metrics (line 1 is no metric)", id="HTML"),
    pytest.param({"/metrics": Page(b"\xff\xfe\x00")}, "no page of metrics (it is no text)", id="no text"),
    pytest.param({"/metrics": Page('[{"iter": 1}]')}, "TensorRT-LLM: /prometheus/metrics", id="JSON"),
    pytest.param({"/metrics": Page("up 1\n")}, "shows metrics, but none of vllm, sglang", id="no engine's"),
    pytest.param({}, "answers 404. Is the engine up, with its metrics switched on?", id="switched off"),
    pytest.param({"/metrics": Page("", 302, {"Location": "http://b.c/"})}, "points elsewhere", id="away"),
]  # fmt: skip


@pytest.mark.parametrize(("pages", "said"), REFUSED)
def test_what_is_no_engine_is_refused_in_a_sentence(config, server, pages, said):
    server.pages |= pages
    with pytest.raises(WattermarkError) as refused:
        begin_watch(config, [f"{server.address}/metrics"])
    assert said in str(refused.value) and refused.value.exit_code == 1
    assert not config_ledger(config).exists()


def test_an_engine_that_is_not_there_is_told_before_anything_is_recorded(config):
    with pytest.raises(WattermarkError, match=r"127\.0\.0\.1:9 cannot be reached") as refused:
        begin_watch(config, ["127.0.0.1:9"])
    assert refused.value.exit_code == 1 and not config_ledger(config).exists()


@pytest.mark.parametrize(
    ("addresses", "engine", "said"),
    [
        pytest.param([], "auto", "no engine is named", id="nothing"),
        pytest.param(["http://a:b/metrics"], "auto", "no address of the web", id="no address"),
        pytest.param(["http://me:secret@h/metrics"], "auto", "holds a name or a password", id="a password"),
        pytest.param(["h:1", "h:1"], "auto", "an address is given twice", id="twice"),
        pytest.param(["h:1"], "ollama", "no release of Ollama tells metrics", id="an engine without metrics"),
    ],
)
def test_what_cannot_be_meant_is_refused(config, addresses, engine, said):
    with pytest.raises(UsageError, match=said) as refused:
        begin_watch(config, addresses, engine)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "known",
    [
        Watching(model="no-such-model"),
        Watching(gpu="no-such-gpu"),
        Watching(quantisation="x"),
        Watching(accelerators=0),
    ],
)
def test_what_is_said_of_an_engine_must_be_known(config, known):
    with pytest.raises(UsageError):
        begin_watch(config, ["127.0.0.1:9"], known=known)


def test_a_page_of_another_engine_is_not_taken_for_the_one_that_was_named(server):
    server.pages["/metrics"] = Playing(vllm_page).page
    with pytest.raises(UsageError, match="shows the metrics of vllm, not of sglang"):
        sources([server.address], "sglang")


def test_an_engine_that_served_nobody_yet_may_be_named(server):
    server.pages["/metrics"] = Page("process_cpu_seconds_total 1.5\n")
    (one,) = sources([server.address], "tgi")
    assert one_round([one]).looks == ()


def test_an_address_without_a_path_is_tried_where_metrics_usually_are(server):
    server.pages["/prometheus/metrics"] = Page('trtllm_num_requests_running{model_name="n"} 1\n')
    (one,) = sources([server.address.removeprefix("http://")], "auto")
    assert one.engine.name == "trtllm" and one.is_here
    assert [look.running for look in one_round([one]).looks] == [1]


def test_looks_of_one_round_have_one_moment(server):
    server.pages |= {"/a": Playing(vllm_page).page, "/b": Playing(vllm_page).page}
    seen = one_round(sources([f"{server.address}/a", f"{server.address}/b"], "vllm"))
    assert len(seen.looks) == 2 and len({look.mono_ns for look in seen.looks}) == 1


def test_a_run_without_engines_was_no_watch(config):
    with Run(config, readers={"none": NoMeter()}) as run:
        pass
    with pytest.raises(UsageError, match="no engine was watched in the run"):
        watched_run(run.spool.parent)


def test_meters_that_are_not_there_are_told(config, server):
    engine = Playing(vllm_page)
    server.pages["/metrics"] = engine.page
    known = Watching(meters=("gpu/0", "gpu/9"))
    rounds, _ = watched(config, server, for_s=0.4, known=known, reader=PlayedMeter(engine))
    assert any("there is no meter gpu/9" in flag for flag in rounds[-1].flags)
    assert rounds[-1].meter == "gpu/0"


def test_a_model_that_nobody_knows_has_all_columns_too(config, server):
    engine = Playing(lambda state: vllm_page(state, model="/models/ours"))
    server.pages["/metrics"] = engine.page
    meter = PlayedMeter(engine, device="an accelerator of tomorrow")
    _, watch = watched(config, server, every_s=0.1, for_s=1.0, reader=meter)
    found = watched_run(watch.folder)
    assert {NAMES[one.name] for one in found.coefficients} == set(NAMES.values())
    assert found.quality is Quality.MEASURED and parts(found) == pytest.approx(found.energy_j)


def test_a_page_of_another_machine_is_told(config, server, caplog):
    server.pages["/metrics"] = Playing(vllm_page).page
    (here,) = sources([server.address], "auto")
    there = replace(here, site=Site("http://192.0.2.1:8000/metrics", "--metrics"), upstream="192.0.2.1:8000")
    with (
        caplog.at_level(logging.WARNING, "wattermark"),
        Watch(config, [here, there], readers={"no": NoMeter()}),
    ):
        pass
    (said,) = [one.getMessage() for one in caplog.records]
    assert said.startswith("wattermark: 192.0.2.1:8000 may be another machine")
