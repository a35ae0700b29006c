"""Clients for SDKs that talk by httpx, with our transport around every way that they may take.

References
----------
.. [1] httpx 0.27 to 0.28 and httpx2 2.16, ``_client.py`` (``Client._transport``, ``Client._mounts``).
.. [2] openai 3.57, anthropic 2.14, mistralai 3.7, cohere 7.3, google-genai 3.6: what each takes as a client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wattermark.errors import MissingExtra, UsageError
from wattermark.integrations.transport import AsyncMeteredTransport, Metered, MeteredTransport
from wattermark.verbs.tell import tell

if TYPE_CHECKING:
    from wattermark.verbs.serving.desk import Desk

LIBRARIES = ("httpx2", "httpx")
"""The first that is installed, if none is named: it is what newer SDKs have."""


def http_client(
    *,
    library: str | None = None,
    desk: Desk | None = None,
    metered: bool = False,
    tenant: str = "",
    **options: Any,
) -> Any:
    """An HTTP client to hand to an SDK: what it asks of models is noted in the ledger.

    Parameters
    ----------
    library : str, optional
        ``httpx2`` or ``httpx``, as the SDK wants it; by default the first of them that is installed.
    desk : Desk, optional
        Where requests are noted; by default that of this process.
    metered : bool
        Whether a model that is asked on this machine (``localhost``) is metered by its meters.
    tenant : str
        For whom this client asks.
    **options : optional
        As of ``httpx.Client``: ``timeout, transport, proxy, http2, headers`` ...

    Raises
    ------
    MissingExtra
        If it is not installed.
    UsageError
        If the library is another one.

    Examples
    --------
    >>> import wattermark as wm
    >>> client = OpenAI(http_client=wm.http_client())  # doctest: +SKIP
    """
    client = _library(library).Client(**options)
    return _around(client, MeteredTransport, desk=desk, metered=metered, tenant=tenant)


def async_http_client(
    *,
    library: str | None = None,
    desk: Desk | None = None,
    metered: bool = False,
    tenant: str = "",
    **options: Any,
) -> Any:
    """The same for SDKs that wait: ``AsyncOpenAI(http_client=wm.async_http_client())``.

    Parameters
    ----------
    library, desk, metered, tenant, **options : optional
        As of ``http_client``; options as of ``httpx.AsyncClient``.

    Raises
    ------
    MissingExtra, UsageError
        As of ``http_client``.
    """
    client = _library(library).AsyncClient(**options)
    return _around(client, AsyncMeteredTransport, desk=desk, metered=metered, tenant=tenant)


def _library(named: str | None) -> Any:
    if named is not None and named not in LIBRARIES:
        raise UsageError(f"library is {named!r}", fix="Give 'httpx' or 'httpx2', as the SDK wants it")
    for name in LIBRARIES if named is None else (named,):
        try:
            return import_module(name)
        except ImportError:
            continue
    raise MissingExtra.of("An HTTP client for SDKs", named or "httpx", "clients")


def _around(client: Any, kind: type[Metered], **how: Any) -> Any:
    """Put ours around every way that a client may take: its transport, and those of its proxies."""
    if not (hasattr(client, "_transport") and hasattr(client, "_mounts")):
        tell("this httpx keeps its transports elsewhere; requests of http_client() are not noted")
        return client

    def ours(inner: Any) -> Any:
        return inner if inner is None or isinstance(inner, Metered) else kind(inner, **how)

    client._transport = ours(client._transport)
    client._mounts = {pattern: ours(inner) for pattern, inner in client._mounts.items()}
    return client
