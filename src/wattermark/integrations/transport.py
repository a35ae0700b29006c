"""Transports for SDKs that talk by httpx: each request to a model is noted, and nothing of it is changed.

The transport is the place where every SDK passes, whatever its methods are called in its next version. These
have the shape of ``httpx.BaseTransport`` and of ``httpx2.BaseTransport`` (the same, in a fork's name space),
and need neither to be installed.

References
----------
.. [1] httpx 0.27 to 0.28 and httpx2 2.16, ``_transports/base.py`` and ``_client.py``
   (``_send_single_request``).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from wattermark.integrations.passing import Passing
from wattermark.serving.routes import asked_by
from wattermark.values.hosts import is_local
from wattermark.values.served import Route
from wattermark.verbs.serving.ambient_desk import ambient_desk, notes
from wattermark.verbs.tell import harmless

if TYPE_CHECKING:
    from wattermark.verbs.serving.desk import Desk

SYNC, ASYNC = "SyncByteStream", "AsyncByteStream"
PROVIDERS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "api.mistral.ai": "mistral",
    "api.cohere.com": "cohere",
    "generativelanguage.googleapis.com": "google",
    "api.deepseek.com": "deepseek",
}
"""By host; models at other hosts are estimated by their names alone."""


class Metered:
    """What both transports share: who is told, and of what.

    Parameters
    ----------
    inner : transport
        That does the work, of httpx or of httpx2.
    desk : Desk, optional
        Where requests are noted; by default that of this process.
    metered : bool
        Whether engines on this machine are metered by its meters; those of others never are.
    tenant : str
        For whom this client asks.
    """

    def __init__(
        self, inner: Any, *, desk: Desk | None = None, metered: bool = False, tenant: str = ""
    ) -> None:
        self._inner, self._desk, self._metered, self._tenant = inner, desk, metered, tenant

    def _begun(self, request: Any) -> Passing | None:
        """The passing of a request to a model; None where no model is asked."""
        found: list[Passing] = []
        self._begin(request, found)
        return found[0] if found else None

    @harmless
    def _begin(self, request: Any, found: list[Passing]) -> None:
        path = request.url.path
        if asked_by(path, request.method).route is Route.OTHER:
            return
        begin_ns = time.monotonic_ns()
        host = request.url.host
        here = self._metered and is_local(host)
        passing = Passing(notes(self._desk or ambient_desk(metered=here)))
        labels = {"upstream": host, "provider": PROVIDERS.get(host, ""), "tenant": self._tenant}
        passing.asked(path, _body(request), begin_ns, **labels)
        found.append(passing)


class MeteredTransport(Metered):
    """A transport around another one: notes requests to models, and changes nothing.

    Examples
    --------
    >>> client = httpx.Client(transport=MeteredTransport(httpx.HTTPTransport(retries=2)))  # doctest: +SKIP
    """

    def handle_request(self, request: Any) -> Any:
        passing = self._begun(request)
        if passing is None:
            return self._inner.handle_request(request)
        with _Broken(passing):
            response = self._inner.handle_request(request)
        _attach(response, passing, SYNC, WatchedStream)
        return response

    def close(self) -> None:
        self._inner.close()

    def __enter__(self) -> MeteredTransport:
        self._inner.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._inner.__exit__(*error)


class AsyncMeteredTransport(Metered):
    """The same for clients that wait."""

    async def handle_async_request(self, request: Any) -> Any:
        passing = self._begun(request)
        if passing is None:
            return await self._inner.handle_async_request(request)
        with _Broken(passing):
            response = await self._inner.handle_async_request(request)
        _attach(response, passing, ASYNC, WatchedAsyncStream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> AsyncMeteredTransport:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._inner.__aexit__(*error)


class _Broken:
    """Notes what an exception ended, and lets it go on."""

    def __init__(self, passing: Passing) -> None:
        self._passing = passing

    def __enter__(self) -> None:
        """Nothing yet."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            self._passing.leave(error)


class WatchedStream:
    """The bytes of an answer as they come."""

    def __init__(self, inner: Any, passing: Passing) -> None:
        self._inner, self._passing = inner, passing

    def __iter__(self) -> Iterator[bytes]:
        with _Broken(self._passing):
            for data in self._inner:
                self._passing.piece(data)
                yield data
        self._passing.ended()

    def close(self) -> None:
        self._passing.leave()
        self._inner.close()


class WatchedAsyncStream:
    """The same for clients that wait."""

    def __init__(self, inner: Any, passing: Passing) -> None:
        self._inner, self._passing = inner, passing

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _Broken(self._passing):
            async for data in self._inner:
                self._passing.piece(data)
                yield data
        self._passing.ended()

    async def aclose(self) -> None:
        self._passing.leave()
        await self._inner.aclose()


@harmless
def _attach(response: Any, passing: Passing, base: str, watched: type) -> None:
    """Watch the bytes of an answer; one that was made in this program is whole already."""
    passing.answered(response.status_code, response.headers)
    if response.is_stream_consumed:
        passing.piece(response.content)
        passing.ended()
        return
    inner: Any = type(response.stream)
    response.stream = _kind(watched, inner, base)(response.stream, passing)


@cache
def _kind(watched: Any, inner: Any, base: str) -> Any:
    """Ours on top of the class that a client wants its streams to be of, of whichever library."""
    wanted = next((one for one in inner.__mro__ if one.__name__ == base), object)
    return type(watched.__name__, (watched, wanted), {})


def _body(request: Any) -> bytes:
    """Of a request; what is sent piece by piece (a file) is not looked at."""
    try:
        return bytes(request.content)
    except RuntimeError:
        return b""
