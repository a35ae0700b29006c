"""What an endpoint of the user's tells, fetched in a thread of its own, so that a slow one holds nothing up.

Nothing is asked but what the user configured, and only while somebody reads. Answers are capped in size,
redirects to another host are refused, proxies are not used, and no address is told with its credentials.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from wattermark.errors import FOREIGN, NamedMeterUnavailable
from wattermark.values.hosts import is_local

Answer = TypeVar("Answer")

PERIOD_S = 1.0
"""No endpoint is asked more often."""
PERIODS_FRESH = 3
"""An answer that is older than so many periods is a gap."""
REST_PER_WORK = 50.0
"""A long page takes time to parse: rest so much longer, that it costs no more than 2 % of a processor."""
PATIENCE_S = 0.7
"""Nobody waits longer for the first answer: a start of two such readers stays below two seconds."""
TIMEOUT_S = 5.0
MOST_B = 8_000_000
CHUNK_B = 65_536
REDIRECTS = range(300, 400)


class Site:
    """A place that is asked: where it is, and what is said there to be let in.

    Parameters
    ----------
    address : str
        Of http or https.
    variable : str
        Who named it, for errors.
    user, password : str
        What is said at the door, if anything.
    ca : str
        A file of certificates to trust, instead of the system's.

    Raises
    ------
    NamedMeterUnavailable
        If the address cannot be meant, or a password would travel in the clear.
    """

    def __init__(
        self, address: str, variable: str, *, user: str = "", password: str = "", ca: str = ""
    ) -> None:
        try:
            parts = urlsplit(address)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https"):
            raise NamedMeterUnavailable(
                f"{variable} is no address of the web",
                fix=f"Give {variable} an address such as https://host/path",
            )
        if "@" in parts.netloc:
            raise NamedMeterUnavailable(
                f"{variable} holds a name or a password", fix="Give the address without them"
            )
        if password and parts.scheme == "http" and not is_local(host):
            raise NamedMeterUnavailable(
                f"the password would travel to {parts.netloc} in the clear", fix="Give an https:// address"
            )
        self._address, self._user, self._password, self._ca = address, user, password, ca

    @property
    def name(self) -> str:
        """Its host, and its port where one is given; neither path nor query, which may hold secrets."""
        return urlsplit(self._address).netloc

    def url(self, path: str) -> str:
        """Of a path of it, or its own address where no path is given."""
        parts = urlsplit(self._address)
        return f"{parts.scheme}://{parts.netloc}{path}" if path else self._address

    def fetch(self, path: str = "", accept: str = "*/*") -> bytes:
        """What is there.

        Raises
        ------
        OSError
            If it does not answer in time, with an error, too much, or with another host's address.
        """
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError
        from urllib.request import Request

        until_s = time.monotonic() + TIMEOUT_S
        request = Request(self.url(path), headers={"Accept": accept, **self._headers})
        try:
            with self._ask(request, timeout=TIMEOUT_S) as answer:
                return _body(answer, until_s)
        except HTTPError as error:
            error.close()
            elsewhere = ", and points elsewhere" if error.code in REDIRECTS else ""
            raise OSError(f"{self.name} answers {error.code}{elsewhere}") from None
        except URLError as error:
            raise OSError(f"{self.name} cannot be reached: {_reason(error.reason)}") from None
        except TimeoutError:
            raise OSError(f"{self.name} does not answer within {TIMEOUT_S:g} s") from None
        except (HTTPException, OSError, ValueError) as error:
            raise OSError(f"{self.name}: {_reason(error)}") from None

    @cached_property
    def _headers(self) -> Mapping[str, str]:
        if not self._user:
            return {}
        from base64 import b64encode

        return {"Authorization": f"Basic {b64encode(f'{self._user}:{self._password}'.encode()).decode()}"}

    @cached_property
    def _ask(self) -> Any:
        import ssl
        from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, build_opener

        class OneHost(HTTPRedirectHandler):
            """Follows a redirect within the same host, port and scheme, and no other."""

            def redirect_request(self, req: Any, *answer: Any) -> Any:
                old, new = urlsplit(req.full_url), urlsplit(answer[-1])
                same = (old.scheme, old.netloc) == (new.scheme, new.netloc)
                return super().redirect_request(req, *answer) if same else None

        try:
            context = ssl.create_default_context(cafile=self._ca or None)
        except OSError as error:
            raise OSError(f"the CA file cannot be used: {error.strerror or 'it holds none'}") from None
        return build_opener(ProxyHandler({}), HTTPSHandler(context=context), OneHost()).open


def _body(answer: Any, until_s: float) -> bytes:
    chunks, size_b = [], 0
    while chunk := answer.read1(CHUNK_B):
        size_b += len(chunk)
        if size_b > MOST_B:
            raise OSError(f"its answer is longer than {MOST_B // 1_000_000} MB")
        if time.monotonic() > until_s:
            raise TimeoutError
        chunks.append(chunk)
    return b"".join(chunks)


def _reason(error: object) -> str:
    """In words that hold nothing of what was asked or answered."""
    if isinstance(error, OSError):
        return str(error.strerror or (error.args[0] if error.args else type(error).__name__))
    return type(error).__name__


class Poller(Generic[Answer]):
    """Asks something in a thread of its own, whenever its last answer was read, and keeps the answer.

    Parameters
    ----------
    ask : callable
        May raise what ``FOREIGN`` names.
    name : str
        Of what is asked; its thread is called after it.
    period_s : float, optional
        The least time from one question to the next. [s]
    """

    def __init__(self, ask: Callable[[], Answer], name: str, period_s: float | None = None) -> None:
        self.name = name
        self._ask = ask
        self._period_s = self._rest_s = PERIOD_S if period_s is None else period_s
        self._answer: Answer | None = None
        self._at_s = 0.0
        self._wanted, self._answered = threading.Event(), threading.Event()
        self._closed = False
        self.problem = ""
        self._wanted.set()
        try:
            threading.Thread(target=self._live, name=f"wattermark-{name}", daemon=True).start()
        except RuntimeError as error:
            raise NamedMeterUnavailable(
                f"no thread could be started ({error})", fix="Nothing to do"
            ) from error

    def first(self, patience_s: float = PATIENCE_S) -> Answer | None:
        """The first answer; None if there was none in time, or none that could be used (``problem``)."""
        self._answered.wait(patience_s)
        return self._answer

    def latest(self) -> Answer | None:
        """The last answer, unless it is too old; asks for the next one, and waits for nothing."""
        self._wanted.set()
        return self._answer if time.monotonic() - self._at_s <= PERIODS_FRESH * self._rest_s else None

    def close(self) -> None:
        """No further question; twice is no harm, and nobody waits for one that is under way."""
        self._closed = True
        self._wanted.set()

    def _live(self) -> None:
        while self._wanted.wait() and not self._closed:
            self._wanted.clear()
            began_s, worked_s = time.monotonic(), time.thread_time()
            try:
                self._answer, self._at_s, self.problem = self._ask(), time.monotonic(), ""
            except FOREIGN as error:
                self.problem = str(error) or type(error).__name__
            self._answered.set()
            took_s, worked_s = time.monotonic() - began_s, time.thread_time() - worked_s
            self._rest_s = max(self._period_s, took_s, REST_PER_WORK * worked_s)
            time.sleep(self._rest_s - took_s)
