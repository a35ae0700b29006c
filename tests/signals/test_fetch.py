"""The one way to the network: what it carries, how long it waits, and what it keeps to itself."""

import logging
import sys
import threading
import time

import pytest

from fakes.providers import Stand, said
from fakes.web import Page
from wattermark.errors import BadSignal, MissingExtra, SignalRefused, SignalUnavailable
from wattermark.signals.answers import retry_after_s
from wattermark.signals.discretion import HIDDEN, checked_host, hidden, next_address, secrets_of
from wattermark.signals.fetch import MOST_REQUESTS, fetch
from wattermark.signals.line import Patience
from wattermark.values.series import Answer, Ask, Request, Signal

ASK = Ask(signals=(Signal.CARBON,), place="x", zone="X", begin_s=0.0, end_s=1.0, now_s=0.0)
QUICK = Patience(total_s=2.0, answer_s=0.5, first_s=0.01)
SECRET = "s3cret-of-mine"


class Echo(Stand):
    """Tells back what it was asked."""

    def answer(self, path, query, headers):
        return said({"path": path, "query": query, "auth": headers.get("Authorization", "")})


@pytest.fixture
def echo():
    with Echo(0.0) as stand:
        yield stand


class Asking:
    """A provider that asks for these, and returns nothing."""

    name = "asking"
    signals = ()

    def __init__(self, *requests):
        self.requests, self.answers = requests, []

    def talk(self, ask):
        for request in self.requests:
            self.answers.append((yield request))
        return ()


def carried(*requests, patience=QUICK):
    provider = Asking(*requests)
    assert fetch(provider, ASK, patience) == ()
    return provider.answers


def test_parameters_secrets_and_doors_are_carried(echo):
    request = Request(
        url=f"{echo.address}/a", params={"x": "1"}, secret_params={"key": SECRET}, basic_auth=("ada", "word")
    )
    (answer,) = carried(request)
    assert b'"query": {"x": "1", "key": "s3cret-of-mine"}' in answer.body
    assert b"Basic YWRhOndvcmQ=" in answer.body


def test_a_secret_in_an_address_is_in_no_error_and_no_log(echo, caplog):
    caplog.set_level(logging.DEBUG)
    echo.faults = [Page(f"what is {SECRET}?", 403)]
    request = Request(url=f"{echo.address}/a", secret_params={"key": SECRET})
    with pytest.raises(SignalRefused) as caught:
        carried(request)
    assert "what is ***?" in str(caught.value)
    carried(request)
    assert SECRET not in caplog.text + str(caught.value) + repr(request)


def test_logs_of_others_are_left_alone(echo, caplog):
    """Another thread of the program may use httpx as well."""
    caplog.set_level(logging.INFO, logger="httpx")  # litellm, where it was imported, keeps it quiet
    before = list(logging.getLogger("httpx").filters)
    stop = threading.Event()

    def log():
        while not stop.is_set():
            logging.getLogger("httpx").info("mine")
            time.sleep(0.001)

    thread = threading.Thread(target=log)
    thread.start()
    carried(*[Request(url=f"{echo.address}/a")] * 20)
    while not any(record.name == "httpx" for record in caplog.records):
        time.sleep(0.001)  # on a busy machine the other thread may come late
    stop.set()
    thread.join()
    assert {record.getMessage() for record in caplog.records if record.name == "httpx"} == {"mine"}
    assert logging.getLogger("httpx").filters == before


def test_it_waits_as_long_as_it_is_told(echo):
    echo.faults = [Page("", 429, {"Retry-After": "1"})]
    begun = time.monotonic()
    carried(Request(url=f"{echo.address}/a"))
    assert 1.0 <= time.monotonic() - begun < 4


def test_what_was_wrong_is_told_when_patience_ends(echo):
    echo.faults = [Page("no room", 503)] * 999
    begun = time.monotonic()
    with pytest.raises(SignalRefused, match="asking answers 503: no room"):
        carried(Request(url=f"{echo.address}/a"), patience=Patience(total_s=0.4, first_s=0.02))
    assert time.monotonic() - begun < 4
    assert len(echo.asked) > 2


def test_even_a_name_that_is_never_found_ends(monkeypatch):
    """As with a resolver that is not there, which knows no timeout."""
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: time.sleep(5))
    monkeypatch.setattr("wattermark.signals.fetch.GRACE_S", 0.05)
    begun = time.monotonic()
    with pytest.raises(SignalUnavailable, match=r"does not answer within 0\.25 s"):
        carried(Request(url="https://example.org/"), patience=Patience(total_s=0.2))
    assert time.monotonic() - begun < 4


class Endless:
    name, signals = "endless", ()

    def __init__(self, address):
        self.address = address

    def talk(self, ask):
        while True:
            yield Request(url=self.address)


def test_a_provider_without_an_end_is_ended(echo):
    with pytest.raises(BadSignal, match="did not come to an end"):
        fetch(Endless(echo.address), ASK, Patience(total_s=20.0))
    assert len(echo.asked) == MOST_REQUESTS


class Clumsy:
    name, signals = "clumsy", ()

    def talk(self, ask):
        yield from ()
        return [{}["absent"]]


def test_a_strangers_slip_is_an_error_of_ours():
    with pytest.raises(BadSignal, match="what clumsy answered could not be read: KeyError"):
        fetch(Clumsy(), ASK, QUICK)


@pytest.mark.parametrize("missing", ["httpx", "stamina"])
def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra, match=r"pip install 'wattermark\[signals\]'"):
        fetch(Asking(), ASK)


def test_nothing_is_imported_before_it_is_needed(program):
    done = program(
        "import sys, wattermark.verbs.heard, wattermark.cli.signals\n"
        "print([name for name in ('httpx', 'stamina', 'rich', 'numpy') if name in sys.modules])"
    )
    assert done.stdout == "[]\n", done.stderr


# -- discretion ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("https://example.org/x", None, id="with TLS"),
        pytest.param("http://127.0.0.1:80/", None, id="this machine"),
        pytest.param("http://localhost/", None, id="this machine by name"),
        pytest.param("http://[::1]:8/", None, id="this machine, IPv6"),
        pytest.param("http://example.org/", "in the clear", id="in the clear"),
        pytest.param("http://localhost.example.org/", "in the clear", id="a name that only begins so"),
        pytest.param("https://ada:word@example.org/", "holds a name or a password", id="a password in it"),
        pytest.param("file:///etc/passwd", "none of the web", id="a file"),
        pytest.param("https://", "none of the web", id="no host"),
        pytest.param("https://host:port/", "none of the web", id="no port"),
        pytest.param("https://[::1", "none of the web", id="no address at all"),
    ],
)
def test_who_may_be_asked(url, says):
    if says is None:
        assert checked_host(url, "them")
        return
    with pytest.raises(SignalUnavailable, match=says):
        checked_host(url, "them")


@pytest.mark.parametrize(
    ("to", "found"),
    [
        ("/b?x=1", "https://a.org/b?x=1"),
        ("https://a.org/b", "https://a.org/b"),
        ("", "https://a.org/a"),
        ("https://a.org.evil.org/", None),
        ("//evil.org/", None),
        ("http://a.org/b", None),
        ("https://a.org:8443/", None),
        ("https://[", None),
    ],
)
def test_only_the_same_host_is_followed(to, found):
    if found:
        assert next_address("https://a.org/a", to, "them") == found
        return
    with pytest.raises(SignalRefused):
        next_address("https://a.org/a", to, "them")


def test_secrets_are_found_wherever_they_stand():
    request = Request(
        url="https://a.org", secret_params={"k": "param-secret"}, basic_auth=("ada", "door-secret"),
        secret_headers={"Authorization": "Bearer head-secret"},
    )  # fmt: skip
    told = hidden("param-secret door-secret head-secret Bearer head-secret ada", secrets_of(request))
    assert told == "*** *** *** *** ada"


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", 7.0), ("0", 0.0), ("-3", 0.0), ("1.5", 1.5), ("soon", None), ("", None),
        ("Sun, 31 Mar 2024 10:00:00 GMT", 60.0), ("Sun, 31 Mar 2024 09:00:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_how_long_to_wait(header, wait):
    answer = Answer(status=429, body=b"", headers={"Retry-AFTER": header})
    assert retry_after_s(answer, 1_711_879_140.0) == wait


@pytest.mark.parametrize(
    "echo",
    [
        pytest.param("a+b/c d'9\"", id="as it is"),
        pytest.param("https://x/?api_key=a%2Bb/c%20d%279%22", id="in an address"),
        pytest.param("https://x/?api_key=a%2Bb%2Fc%20d%279%22", id="in an address, all of it"),
        pytest.param("https://x/?api_key=a%2Bb%2Fc+d%279%22", id="in a form"),
        pytest.param('{"api_key": "a+b/c d\'9\\""}', id="in JSON"),
        pytest.param("a+b/c d&#x27;9&quot;", id="in a page"),
    ],
)
def test_a_secret_is_hidden_however_it_is_written(echo):
    secrets = secrets_of(Request(url="https://x", secret_params={"api_key": "a+b/c d'9\""}))
    told = hidden(echo, secrets)
    assert HIDDEN in told
    assert not any(part in told for part in ("a+b", "a%2Bb", "9"))
