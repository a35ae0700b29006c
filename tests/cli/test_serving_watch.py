"""``wattermark serving watch``, as a user runs it: over HTTP, on the fake driver's GPU."""

import json
import signal
import subprocess
import sys
import time

import pytest

from fakes.counting_engine import Pages, Playing, vllm_page
from fakes.meters import Gpu, Signal
from fakes.web import Page, Server


def watching(env, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "wattermark", "serving", "watch", *words],
        env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture
def server():
    with Server() as one:
        one.pages = Pages({"/metrics": Playing(vllm_page, idle_every=0).page})
        yield one


@pytest.fixture
def gpu(home, bench):
    """A machine with one GPU of 300 W."""
    return bench.nvml([Gpu(Signal.const(300))]).env(home)


@pytest.mark.slow
def test_a_line_a_window_and_a_sum_at_ctrl_c(server, gpu):
    with watching(gpu, "--metrics", server.address, "--every", "0.3") as watch:
        heading, line = watch.stdout.readline(), watch.stdout.readline()
        time.sleep(0.7)
        watch.send_signal(signal.SIGINT)
        told, said = watch.communicate(timeout=20)
    assert watch.returncode == 0, said
    assert heading.split()[0] == "power" and "W" in line
    assert "of all windows" in told and "measured: gpu/0" in told and "per 1,000 output tokens" in told
    assert "R2" in told and "residual" in told


@pytest.mark.slow
def test_ctrl_c_in_the_first_window_closes_it(server, gpu):
    with watching(gpu, "--metrics", server.address, "--every", "600") as watch:
        watch.stdout.readline()
        time.sleep(1.0)
        watch.send_signal(signal.SIGINT)
        told, said = watch.communicate(timeout=20)
    assert watch.returncode == 0, said
    assert "measured: gpu/0" in told and "no window was closed" not in told


@pytest.mark.slow
def test_documents_for_programs_and_the_same_once_more(server, gpu):
    with watching(gpu, "--metrics", server.address, "--every", "0.3", "--for", "1.5s", "--json") as watch:
        told, said = watch.communicate(timeout=30)
    assert watch.returncode == 0, said
    *windows, whole = map(json.loads, told.splitlines())
    assert len(windows) == len(whole["windows"]) >= 4
    assert windows[-1]["window"]["energy_j"] == pytest.approx(300 * 0.3, rel=0.4)
    parts = ("input_j", "output_j", "active_idle_j", "provisioned_idle_j", "unattributed_j")
    assert sum(whole[name] for name in parts) == pytest.approx(whole["energy_j"])
    seconds = sum(one["end_ns"] - one["begin_ns"] for one in whole["windows"]) / 1e9
    assert whole["energy_j"] == pytest.approx(300 * seconds, rel=0.05)
    for name in ("it_energy_j", "carbon_g", "water_l"):
        told = whole["per_1000_output_tokens"][name]
        assert 0 < told["low"] < told["best"] < told["high"]
    with watching(gpu, "--again", "last", "--json") as again:
        assert json.loads(again.communicate(timeout=30)[0]) == whole


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param([], 2, "no engine is named. Give its page: --metrics http://", id="none"),
        pytest.param(["--metrics", "127.0.0.1:9"], 1, "127.0.0.1:9 cannot be reached", id="not there"),
        pytest.param(["--metrics", "h", "--engine", "vlm"], 2, "Did you mean vllm?", id="a slip"),
        pytest.param(["--metrics", "h", "--every", "0"], 2, "no length of a window", id="no window"),
        pytest.param(["--metrics", "h", "--for", "soon"], 2, "no length of time", id="no time"),
        pytest.param(["--metrics", "h", "--model", "xyz"], 2, "the model 'xyz' is not known", id="no model"),
        pytest.param(["--again", "last"], 2, "no runs in", id="nothing to look at again"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_one_sentence(home, words, code, said):
    with watching(home, *words) as watch:
        told = watch.communicate(timeout=20)[1]
    assert watch.returncode == code
    assert said in told and len(told.splitlines()) == 1 and "Traceback" not in told


def test_html_is_no_page_of_metrics(home, server):
    server.pages["/metrics"] = Page("<!doctype html><title>Hello</title>")
    with watching(home, "--metrics", f"{server.address}/metrics") as watch:
        told = watch.communicate(timeout=20)[1]
    assert watch.returncode == 1
    assert "answers, but with no page of metrics" in told and "Hello" not in told
