"""Endpoints: asked only where they are named, in a thread of their own, and never at another's place."""

import threading
import time

import pytest

from fakes.web import Page, Server
from wattermark.errors import ReaderUnavailable
from wattermark.readers import web
from wattermark.readers.web import Poller, Site

SECRET = "s3cret-of-the-bmc"


@pytest.fixture
def server():
    with Server() as one:
        yield one


@pytest.mark.parametrize(
    ("page", "says"),
    [
        pytest.param(Page("oops", 500), "answers 500", id="an error of its own"),
        pytest.param(Page("slowly", 429), "answers 429", id="too many questions"),
        pytest.param(Page("no", 403), "answers 403", id="a closed door"),
        pytest.param(Page("x" * 9_000_000), "longer than 8 MB", id="huge"),
        pytest.param(Page(hangs=True), "does not answer within", id="silence"),
        pytest.param(
            Page("", 302, {"Location": "http://127.0.0.1:9/metrics"}), "points elsewhere", id="another port"
        ),
        pytest.param(
            Page("", 301, {"Location": "https://example.invalid/"}), "points elsewhere", id="another host"
        ),
        pytest.param(Page("", 307, {"Location": "file:///etc/passwd"}), "points elsewhere", id="a file"),
    ],
)
def test_what_is_no_answer_is_an_error_that_names_the_place(server, monkeypatch, page, says):
    monkeypatch.setattr(web, "TIMEOUT_S", 0.3)
    server.pages["/metrics"] = page
    site = Site(f"{server.address}/metrics?token={SECRET}", "X")
    server.pages[f"/metrics?token={SECRET}"] = page
    with pytest.raises(OSError, match=says) as told:
        site.fetch()
    assert site.name in str(told.value) and SECRET not in str(told.value)


def test_nobody_there_is_told():
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9 cannot be reached: Connection refused"):
        Site("http://127.0.0.1:9/metrics", "X").fetch()


def test_an_answer_that_drips_is_given_up(server, monkeypatch):
    monkeypatch.setattr(web, "TIMEOUT_S", 0.0)
    server.pages["/"] = Page("drop")
    monkeypatch.setattr(web, "CHUNK_B", 1)
    with pytest.raises(OSError):
        Site(f"{server.address}/", "X").fetch()


def test_a_redirect_within_the_host_is_followed(server):
    server.pages["/redfish/v1"] = Page("", 301, {"Location": "/redfish/v1/"})
    server.pages["/redfish/v1/"] = Page("here")
    assert Site(server.address, "X").fetch("/redfish/v1") == b"here"


def test_a_proxy_of_the_environment_is_not_used(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.pages["/"] = Page("here")
    assert Site(f"{server.address}/", "X").fetch() == b"here"


@pytest.mark.parametrize(
    ("address", "password", "says"),
    [
        pytest.param("bmc.example", "", "no address of the web", id="no scheme"),
        pytest.param("ftp://bmc.example/", "", "no address of the web", id="ftp"),
        pytest.param("file:///etc/passwd", "", "no address of the web", id="a file"),
        pytest.param("http://", "", "no address of the web", id="no host"),
        pytest.param("http://[::1", "", "no address of the web", id="half an address"),
        pytest.param("http://a:99999/", "", "no address of the web", id="no such port"),
        pytest.param(
            f"https://admin:{SECRET}@bmc.example", "", "a name or a password", id="a password in it"
        ),
        pytest.param("http://bmc.example", SECRET, "in the clear", id="a password without TLS"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(address, password, says):
    with pytest.raises(ReaderUnavailable, match=says) as told:
        Site(address, "WATTERMARK_REDFISH_URL", user="admin", password=password)
    assert SECRET not in f"{told.value} {told.value!r}"


def test_a_password_opens_the_door_and_shows_nowhere():
    with Server(password=SECRET) as server:
        server.pages["/"] = Page("here")
        right = Site(server.address, "X", user="admin", password=SECRET)
        assert right.fetch("/") == b"here"
        with pytest.raises(OSError, match="answers 401") as told:
            Site(server.address, "X", user="admin", password=SECRET[:-1]).fetch("/")
        assert SECRET[:-1] not in f"{told.value!r} {right!r} {right}"


def test_a_certificate_is_verified_and_a_ca_file_mends_it(certificate):
    with Server(certificate=certificate) as server:
        server.pages["/"] = Page("here")
        with pytest.raises(OSError, match="certificate verify failed"):
            Site(server.address, "X").fetch("/")
        assert Site(server.address, "X", ca=f"{certificate}.crt").fetch("/") == b"here"


@pytest.mark.parametrize("content", [None, "nonsense"], ids=["no file", "no certificate in it"])
def test_a_ca_file_that_is_none_is_told(tmp_path, content):
    if content:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(OSError, match="CA file cannot be used"):
        Site("https://127.0.0.1:9", "X", ca=str(tmp_path / "ca.pem")).fetch("/")


# -- in a thread -----------------------------------------------------------------------


def test_a_question_is_asked_when_its_answer_is_read_and_not_before():
    asked = []
    poller = Poller(lambda: asked.append(1) or len(asked), "x", 0.01)
    assert poller.first() == 1
    time.sleep(0.1)
    assert len(asked) == 1
    while poller.latest() in (1, None):
        time.sleep(0.005)
    poller.close()


def test_an_answer_that_is_too_old_is_none():
    poller = Poller(lambda: 5, "x", 0.01)
    assert poller.first() == 5
    time.sleep(0.1)
    assert poller.latest() is None
    poller.close()


def test_a_question_that_hangs_holds_nobody_up():
    hangs = threading.Event()
    poller = Poller(lambda: hangs.wait(10), "x")
    began_s = time.monotonic()
    assert poller.first(0.05) is None and poller.latest() is None and poller.problem == ""
    poller.close()
    poller.close()
    assert time.monotonic() - began_s < 0.5
    hangs.set()


def test_what_goes_wrong_is_kept_until_it_goes_right():
    faults = [OSError("no route"), ValueError("no metrics")]

    def ask():
        if faults:
            raise faults.pop(0)
        return 7

    poller = Poller(ask, "x", 0.01)
    assert poller.first() is None and poller.problem == "no route"
    until_s = time.monotonic() + 5
    while poller.latest() != 7 and time.monotonic() < until_s:
        time.sleep(0.005)
    assert poller.latest() == 7 and poller.problem == ""
    poller.close()


def test_a_page_that_takes_time_to_read_is_asked_for_less_often(monkeypatch):
    monkeypatch.setattr(web, "REST_PER_WORK", 100.0)
    asked_s = []

    def ask():
        asked_s.append(time.monotonic())
        until_s = time.thread_time() + 0.005
        while time.thread_time() < until_s:
            pass

    poller = Poller(ask, "x", 0.01)
    until_s = time.monotonic() + 1
    while time.monotonic() < until_s:
        poller.latest()
        time.sleep(0.01)
    poller.close()
    assert len(asked_s) <= 3
