"""``wattermark proxy`` as a program: it starts, passes on, ends, and survives being killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from wattermark.ledger.read import read_spool
from wattermark.ledger.requests import read_requests, request_files
from wattermark.values.kinds import Status
from wattermark.values.served import Outcome

STUB = Path(__file__).parents[2] / "benchmarks" / "serving_stub.py"
"""An engine that answers at once; a streamed answer takes it a second."""
ASKED = b'{"model":"stub","messages":[]}'
STREAM = b'{"model":"stub","stream":true,"messages":[]}'
LOST_S = 0.1
TOKEN = "a-token-of-the-proxy"


@pytest.fixture
def stub():
    child = subprocess.Popen([sys.executable, STUB], stdout=subprocess.PIPE, text=True)
    yield f"http://127.0.0.1:{int(child.stdout.readline())}"
    child.kill()
    child.communicate()


@pytest.fixture
def proxy(home):
    """Starts one on a free port; gives it with what it said of itself."""
    begun = []

    def start(upstream, *options, env=None):
        command = [sys.executable, "-m", "wattermark.cli.main", "proxy", "--upstream", upstream, "--json"]
        child = subprocess.Popen(
            [*command, "--listen", "127.0.0.1:0", *options],
            env={**home, "PYTHONWARNINGS": "error", **(env or {})}, cwd=home["HOME"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        begun.append(child)
        line = child.stdout.readline()
        assert line, child.communicate()[1]
        return child, json.loads(line)

    yield start
    for child in begun:
        child.kill()
        child.communicate()


def ask(address, body=ASKED, **fields):
    asked = urllib.request.Request(f"{address}/v1/chat/completions", body, fields)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return answer.read()


def end(child, number=signal.SIGTERM):
    child.send_signal(number)
    _, said = child.communicate(timeout=20)
    return child.returncode, said


def requests_of(told):
    (path,) = request_files(Path(told["ledger"]) / told["run"])
    return read_requests(path)


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, signal.SIGINT, signal.SIGHUP],
    ids=["told to", "by Ctrl-C", "its terminal is closed"],
)
def test_it_notes_what_passes_beside_the_meters_of_the_machine_and_ends_when_it_is_told(stub, proxy, number):
    child, told = proxy(stub, "--upstream-name", "the stub", "--name", "chat")
    assert told["metered"] and told["upstream"] == stub and told["metrics"] is None
    assert json.loads(ask(told["listen"], Authorization="Bearer sk-1"))["model"] == "stub"
    assert b"[DONE]" in ask(told["listen"], STREAM)
    assert end(child, number) == (0, "")
    whole, streamed = requests_of(told).served
    assert (whole.upstream, whole.model, whole.outcome) == ("the stub", "stub", Outcome.OK)
    assert whole.tenant.startswith("t-") and streamed.tenant == ""
    assert streamed.streamed and streamed.usage == whole.usage and streamed.usage.output_tokens == 50
    (spool,) = (Path(told["ledger"]) / told["run"]).glob("*.jsonl")
    run = read_spool(spool)
    assert (run.header.name, run.header.scope, run.status) == ("chat", "machine", Status.OK)
    assert run.header.mono_ns < whole.begin_ns < whole.end_ns <= streamed.begin_ns
    assert b"sk-1" not in b"".join(path.read_bytes() for path in Path(told["ledger"]).rglob("*.jsonl"))


def test_an_engine_of_somebody_else_is_not_measured_here(stub, proxy):
    child, told = proxy(stub, "--meters", "no")
    ask(told["listen"])
    assert not told["metered"] and end(child) == (0, "")
    (spool,) = (Path(told["ledger"]) / told["run"]).glob("*.jsonl")
    assert '"reader"' not in spool.read_text() and read_spool(spool).status is Status.OK
    assert len(requests_of(told).served) == 1


def test_a_request_that_is_under_way_gets_its_answer_before_the_end(stub, proxy):
    child, told = proxy(stub)
    asked = urllib.request.Request(f"{told['listen']}/v1/chat/completions", STREAM)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        answer.read(10)
        child.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        with pytest.raises(OSError):
            ask(told["listen"])
        assert answer.read().endswith(b"data: [DONE]\n\n")
    assert child.wait(10) == 0
    (served,) = requests_of(told).served
    assert served.outcome is Outcome.OK


@pytest.mark.slow
def test_one_that_takes_too_long_is_cut_off_and_noted_as_such(proxy):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        child, told = proxy(f"http://127.0.0.1:{silent.getsockname()[1]}")
        asking = subprocess.Popen(["curl", "-s", f"{told['listen']}/v1/chat/completions", "-d", "{}"])
        with silent.accept()[0] as line:
            line.recv(9)
            assert end(child)[0] == 0
        assert asking.wait(5) != 0
    (served,) = requests_of(told).served
    assert served.outcome is Outcome.LEFT


def test_where_no_more_clients_can_be_let_in_it_says_so_once_and_goes_on(stub, proxy, home):
    import resource
    import socket

    child, told = proxy(stub, "--meters", "no")
    resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (40, 40))
    port = int(told["listen"].rpartition(":")[2])
    crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]
    time.sleep(0.5)
    for one in crowd:
        one.close()
    time.sleep(1.2)  # asyncio looks again after a second
    assert json.loads(ask(told["listen"]))["model"] == "stub"
    code, said = end(child)
    assert code == 0 and said.count("\n") == 1 and "ulimit -n" in said


def test_a_cause_is_told_once_and_not_for_each_request(proxy):
    child, told = proxy("http://127.0.0.1:1")
    for _ in range(5):
        with pytest.raises(urllib.error.HTTPError, match="502"):
            ask(told["listen"])
    code, said = end(child)
    assert code == 0 and said.count("cannot be reached") == 1 == len(said.splitlines())
    assert [one.outcome for one in requests_of(told).served] == [Outcome.UNREACHED] * 5


@pytest.mark.parametrize("way", ["file", "environment"])
def test_a_token_is_read_from_a_file_or_the_environment(stub, proxy, tmp_path, way):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    given = {"options": ("--token-file", str(tmp_path / "token")), "env": {}}
    if way == "environment":
        given = {"options": (), "env": {"WATTERMARK_PROXY_TOKEN": TOKEN}}
    child, told = proxy(stub, *given["options"], env=given["env"])
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask(told["listen"])
    assert ask(told["listen"], **{"x-wattermark-token": TOKEN})
    assert TOKEN not in Path(f"/proc/{child.pid}/cmdline").read_text()
    assert end(child) == (0, "") and len(requests_of(told).served) == 1
    kept = b"".join(path.read_bytes() for path in Path(told["ledger"]).rglob("*") if path.is_file())
    assert TOKEN.encode() not in kept


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param([], "--upstream", id="no engine"),
        pytest.param(["--upstream", "localhost"], "no address", id="no address"),
        pytest.param(["--upstream", "http://a:secret-word@h"], "name or a password", id="a password"),
        pytest.param(["--upstream", "http://h", "--listen", "0.0.0.0:0"], "no token", id="open to all"),
        pytest.param(
            ["--upstream", "http://h", "--metrics-listen", "0.0.0.0:0"], "no token", id="pages open to all"
        ),
        pytest.param(["--upstream", "http://h", "--listen", "x"], "no address with a port", id="no port"),
        pytest.param(["--upstream", "http://h", "--token-file", "absent"], "cannot be read", id="no token"),
        pytest.param(["--upstream", "http://h", "--token-file", "short"], "is none", id="too short a token"),
        pytest.param(["--upstream", "http://h", "--token", "x"], "unrecognized", id="a token in sight"),
        pytest.param(["--upstream", "https://h", "--ca", "short"], "certificates", id="no authorities"),
        pytest.param(["--upstream", "http://h", "--timeout", "0"], "no time to wait", id="no time"),
        pytest.param(["--upstream", "http://h", "--most-body", "x"], "no number", id="no size"),
        pytest.param(["--upstream", "http://h", "--place", "nowhere-x"], "nowhere-x", id="no place"),
        pytest.param(["--upstream", "http://h", "--meters", "x"], "invalid choice", id="no such meters"),
        pytest.param(
            ["--upstream", "http://localhost:8123", "--listen", "127.0.0.1:8123"],
            "itself would listen",
            id="its own address",
        ),
        pytest.param(
            ["--upstream", "http://h", "--tenant-header", "a b"], "no name of a header", id="a blank"
        ),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence(home, options, said):
    Path(home["HOME"], "short").write_text("short")
    done = subprocess.run(
        [sys.executable, "-m", "wattermark.cli.main", "proxy", "--listen", "127.0.0.1:0", *options],
        env=home, cwd=home["HOME"], capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1
    assert "secret-word" not in done.stderr


def test_who_lacks_the_extra_hears_how_to_get_it_and_no_run_begins(home):
    Path(home["HOME"], "aiohttp.py").write_text("raise ImportError('no', name='aiohttp')")
    done = subprocess.run(
        [sys.executable, "-m", "wattermark.cli.main", "proxy", "--upstream", "http://127.0.0.1:1"],
        env={**home, "PYTHONPATH": f"{home['HOME']}:{home['PYTHONPATH']}"},
        cwd=home["HOME"], capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 2 and "pip install 'wattermark[serving]'" in done.stderr
    assert not Path(home["WATTERMARK_LEDGER"]).exists()


def test_an_address_that_is_taken_is_said_and_leaves_no_run(stub, proxy, home):
    _, told = proxy(stub)
    done = subprocess.run(
        [sys.executable, "-m", "wattermark.cli.main", "proxy", "--upstream", stub,
         "--listen", told["listen"].removeprefix("http://")],
        env=home, cwd=home["HOME"], capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 2 and "cannot listen" in done.stderr
    assert [path.name for path in Path(told["ledger"]).iterdir() if path.is_dir()] == [told["run"]]


async def _client(address, number, answered, broken):
    """Asks again and again until the line breaks; an answer counts when all of it came."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for turn in range(100_000):
        name = f"{number}-{turn}"
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nX-Request-Id: {name}\r\nContent-Length: "
        writer.write(f"{head}{len(ASKED)}\r\n\r\n".encode() + ASKED)
        try:
            answer = await reader.readuntil(b"\r\n\r\n")
            size = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            json.loads(await reader.readexactly(size))
        except (ConnectionError, asyncio.IncompleteReadError):
            broken.append(name)
            break
        answered[name] = time.monotonic_ns()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.slow
def test_killed_under_load_it_loses_the_last_tenth_of_a_second_and_tears_nothing(stub, proxy):
    child, told = proxy(stub)
    answered, broken = {}, []

    async def story():
        clients = [asyncio.ensure_future(_client(told["listen"], n, answered, broken)) for n in range(16)]
        await asyncio.sleep(2.0)
        killed_ns = time.monotonic_ns()
        os.kill(child.pid, signal.SIGKILL)
        await asyncio.wait_for(asyncio.gather(*clients), 10)
        return killed_ns

    killed_ns = asyncio.run(story())
    child.wait()
    found = requests_of(told)
    kept = {one.request for one in found.served}
    assert len(broken) == 16 and len(answered) > 200
    assert (found.bad_lines, found.torn_bytes) == (0, 0)
    early = {name for name, at_ns in answered.items() if at_ns < killed_ns - LOST_S * 1e9}
    assert len(early) > 100 and early <= kept
    again, anew = proxy(stub)
    assert anew["ledger"] == told["ledger"] and anew["run"] != told["run"]
    ask(anew["listen"])
    assert end(again) == (0, "") and len(requests_of(anew).served) == 1
    assert len(requests_of(told).served) == len(found.served)
