"""A connection for one conversation: carries a request, again where that may help, and judges the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wattermark.errors import BadSignal, SignalRefused, SignalUnavailable
from wattermark.signals.answers import TRY_LATER, harmless, retry_after_s, said
from wattermark.signals.discretion import checked_host, hidden, next_address, secrets_of
from wattermark.values.hosts import LOCAL
from wattermark.values.series import Answer, Request

if TYPE_CHECKING:
    import httpx

MOST_B = 20_000_000
MOST_REDIRECTS = 3
LONGEST_WAIT_S = 5.0
WELL, POINTS, BUSY = range(200, 300), (301, 302, 303, 307, 308), 429
FAULTS = frozenset(range(500, 600)) - {501, 505}
"""What may be mended in a moment; what a server never does (501, 505) will not be."""
MENDS: Final[Mapping[int, str]] = {
    400: "Check the zone that is asked for",
    401: "Check the key or the password that is set for it",
    403: "Check what its plan allows: zone, forecast, history",
    404: "Check the zone that is asked for, and the address that is set",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long anybody waits: in all, for one answer, and before the second attempt. [s]"""

    total_s: float = 20.0
    answer_s: float = 10.0
    first_s: float = 0.5


class Later(SignalRefused):
    """It may go well if it is tried again: after so long, where the other side said so [s]; once, where
    nobody was reached."""

    after_s: float | None = None
    once: bool = False


class Line:
    """Where one provider is reached, until its time is up. [s, monotonic]"""

    def __init__(self, client: httpx.Client, name: str, patience: Patience, until_s: float) -> None:
        self._client, self._name, self._patience, self._until_s = client, name, patience, until_s
        self._unreached = 0
        self._last: Later | None = None

    def answer(self, request: Request) -> Answer:
        """Carry one request.

        Raises
        ------
        SignalUnavailable
            If it is refused, takes too long, or nobody is there.
        """
        import stamina

        self._unreached, self._last = 0, None
        attempts = stamina.retry_context(
            on=self._wait_s,
            attempts=None,
            timeout=self._left_s,
            wait_initial=self._patience.first_s,
            wait_max=LONGEST_WAIT_S,
            wait_jitter=self._patience.first_s,
        )
        for attempt in attempts:
            with attempt:
                return self._once(request)
        raise AssertionError  # stamina raises what was raised last

    @property
    def _left_s(self) -> float:
        return max(self._until_s - time.monotonic(), 0.01)

    def _wait_s(self, error: Exception) -> bool | float:
        """Whether to try again, and when, if the other side said so."""
        if not isinstance(error, Later):
            return False
        self._unreached += error.once
        self._last = error
        if error.after_s is None:
            return self._unreached < 2
        return error.after_s if error.after_s < self._left_s else False

    def _in_time(self) -> None:
        """What it was tried again for says more than that time is up."""
        if time.monotonic() > self._until_s:
            raise self._last or SignalUnavailable(f"{self._name} takes too long to answer", fix=TRY_LATER)

    def _once(self, request: Request) -> Answer:
        self._in_time()
        url = request.url
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._exchange(request, url)
            if answer.status not in POINTS:
                return self._judged(answer, request)
            url = next_address(url, answer.headers.get("location", ""), self._name)
        raise SignalRefused(f"{self._name} points to itself without end", fix=TRY_LATER)

    def _exchange(self, request: Request, url: str) -> Answer:
        import httpx

        host = checked_host(url, self._name)
        try:
            with self._client.stream(
                request.method,
                url,
                params={**request.params, **request.secret_params} or None,
                headers={"Accept": "application/json", **request.headers, **request.secret_headers},
                auth=request.basic_auth,
                json=request.json,
            ) as response:
                body = self._body(response)
                return Answer(status=response.status_code, body=body, headers=dict(response.headers))
        except httpx.TimeoutException:
            raise _unreached(f"{self._name} does not answer in time ({host})") from None
        except httpx.TransportError as error:
            why = hidden(harmless(str(error)), secrets_of(request)) or type(error).__name__
            raise _unreached(f"{self._name} cannot be reached at {host}: {why}") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise BadSignal(
                f"{self._name} and we do not understand each other: {type(error).__name__}", fix=TRY_LATER
            ) from None

    def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > MOST_B:
                raise BadSignal(f"{self._name} answers more than {MOST_B // 1_000_000} MB", fix=TRY_LATER)
            self._in_time()
        return bytes(body)

    def _judged(self, answer: Answer, request: Request) -> Answer:
        """The answer, if it is one."""
        if answer.status in WELL:
            return answer
        told = hidden(said(answer), secrets_of(request))
        problem = f"{self._name} answers {answer.status}" + (f": {told.rstrip('.')}" if told else "")
        if answer.status == BUSY or answer.status in FAULTS:
            later = Later(problem, fix=TRY_LATER, status=answer.status, body=answer.body)
            later.after_s = retry_after_s(answer, time.time())
            raise later
        fix = MENDS.get(answer.status, TRY_LATER)
        raise SignalRefused(problem, fix=fix, status=answer.status, body=answer.body)


def new_client(patience: Patience) -> httpx.Client:
    """One that follows nobody, and asks this machine without a proxy."""
    import httpx

    here = {f"all://[{host}]" if ":" in host else f"all://{host}": None for host in LOCAL}
    return httpx.Client(timeout=patience.answer_s, follow_redirects=False, mounts=here)


def _unreached(problem: str) -> Later:
    later = Later(problem, fix=TRY_LATER)
    later.once = True
    return later
