"""LiteLLM, as a library and as a proxy: each call is noted, by what LiteLLM itself tells its loggers.

    litellm.callbacks = [FootprintLogger()]                                     # in a program
    litellm_settings: {callbacks: wattermark.integrations.litellm.logger}       # in the proxy's config.yaml

Prompts and answers stand in what LiteLLM hands to a logger; they are not looked at, and nothing of them is
kept.

References
----------
.. [1] LiteLLM 1.110, ``integrations/custom_logger.py`` (``CustomLogger``) and ``types/utils.py``
   (``StandardLoggingPayload``): times in s since 1970, tokens as OpenAI counts them, ``cache_hit``.
.. [2] ``proxy/utils.py`` (``callback_capabilities``): the proxy asks for heads only where a logger's own
   class, and none above it, has the hook.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wattermark.integrations.hooks import on_top_of
from wattermark.integrations.passing import outcome_of
from wattermark.science.clocks import steady_ns
from wattermark.serving.footprints import footprint_headers
from wattermark.serving.usage import read_usage
from wattermark.values.hosts import is_local
from wattermark.values.served import Outcome, Route, Served, Usage
from wattermark.verbs.serving.ambient_desk import ambient_desk
from wattermark.verbs.tell import harmless

if TYPE_CHECKING:
    from wattermark.values.ports import Quoter
    from wattermark.verbs.serving.desk import Desk
    from wattermark.verbs.serving.tenants import Tenants

BASES = ("litellm.integrations.custom_logger.CustomLogger",)
ROUTES = {
    "completion": Route.CHAT,
    "anthropic_messages": Route.CHAT,
    "generate_content": Route.CHAT,
    "text_completion": Route.COMPLETIONS,
    "responses": Route.RESPONSES,
    "embedding": Route.EMBEDDINGS,
    "rerank": Route.RERANK,
}
"""By the name of the call; those that wait have an ``a`` before it. Other calls ask no model for text."""
CACHE = "cache"
"""The upstream of an answer that was kept: no model was asked, so it has no tokens and takes no energy."""


class Hooks:
    """Notes what LiteLLM is asked, in the ledger.

    Parameters
    ----------
    desk : Desk, optional
        Where requests are noted; by default that of this process.
    metered : bool
        Whether engines at this machine's own address (``localhost``) are metered by its meters.
    quoter : Quoter, optional
        Tells at once what a request took; then whole answers of the proxy have ``x-footprint`` headers.
    """

    def __init__(
        self, *, desk: Desk | None = None, metered: bool = False, quoter: Quoter | None = None
    ) -> None:
        super().__init__()
        self._desk, self._metered, self._quoter = desk, metered, quoter
        self._tenants: tuple[Desk, Tenants] | None = None

    @harmless
    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:
        """Before a model is asked: the meters look first."""
        if self._metered and self._desk is None:
            ambient_desk(metered=True)

    @harmless
    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._note(kwargs["standard_logging_object"], Outcome.OK)

    @harmless
    def log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._note(kwargs["standard_logging_object"], _failed(kwargs.get("exception")))

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self.log_failure_event(kwargs, response_obj, start_time, end_time)

    async def async_post_call_response_headers_hook(
        self, data: Any, user_api_key_dict: Any, response: Any, **more: Any
    ) -> dict[str, str] | None:
        """What an answer of the proxy took: not a stream's, which is yet to come, nor one that was kept."""
        found: dict[str, str] = {}
        self._quote(data, response, found)
        return found or None

    @harmless
    def _quote(self, data: Any, response: Any, found: dict[str, str]) -> None:
        told = getattr(response, "usage", None)
        kept = (getattr(response, "_hidden_params", None) or {}).get("cache_hit")
        if self._quoter is None or told is None or kept:
            return
        now_ns = time.monotonic_ns()
        began = getattr(data.get("litellm_logging_obj"), "start_time", None)
        served = Served(
            begin_ns=min(now_ns, _steady(began.timestamp())) if began is not None else now_ns,
            end_ns=now_ns,
            usage=read_usage(told.model_dump(), "openai") or Usage(),
            model=str(getattr(response, "model", None) or data.get("model") or ""),
        )
        if (quote := self._quoter.quote(served)) is not None:
            found.update(footprint_headers(quote))

    def _note(self, told: Mapping[str, Any], outcome: Outcome) -> None:
        route = ROUTES.get(told["call_type"]) or ROUTES.get(told["call_type"].removeprefix("a"))
        if route is None:
            return
        host = urlsplit(told.get("api_base") or "").hostname or ""
        desk = self._desk or ambient_desk(metered=self._metered and is_local(host))
        if desk is not None:
            desk.note(_served(told, route, outcome, host, self._tenant(desk, told)))

    def _tenant(self, desk: Desk, told: Mapping[str, Any]) -> str:
        """Of the proxy's key, whose hash is all that is told."""
        key = (told.get("metadata") or {}).get("user_api_key_hash")
        if not key:
            return ""
        from wattermark.verbs.serving.tenants import tenants_of

        if self._tenants is None or self._tenants[0] is not desk:
            self._tenants = (desk, tenants_of(desk.folder.parent))
        return self._tenants[1].named(key)


def _served(told: Mapping[str, Any], route: Route, outcome: Outcome, host: str, tenant: str) -> Served:
    begin_ns = _steady(told["startTime"])
    first_ns = max(begin_ns, _steady(told["completionStartTime"]))
    good = outcome is Outcome.OK
    provider = told.get("custom_llm_provider") or ""
    kept = bool(told.get("cache_hit")) and good
    usage = Usage(input_tokens=0, output_tokens=0) if kept else _usage(told, route) if good else Usage()
    return Served(
        begin_ns=begin_ns,
        first_ns=first_ns if good else None,
        end_ns=max(first_ns, _steady(told["endTime"])),
        usage=usage,
        model=(told.get("model") or "").removeprefix(f"{provider}/"),  # the proxy has both in one
        tenant=tenant,
        route=route,
        provider=provider,
        upstream=CACHE if kept else host,
        request=told.get("litellm_call_id") or told["id"],
        status=200 if good else _status(told),
        outcome=outcome,
        streamed=bool(told.get("stream")),
        unknown=() if usage.is_known else ("usage: LiteLLM told none",),
    )


def _usage(told: Mapping[str, Any], route: Route) -> Usage:
    spoken = (told.get("metadata") or {}).get("usage_object")
    counted = {name: told.get(name) for name in ("prompt_tokens", "completion_tokens")}
    return read_usage(spoken or counted, "openai", route) or Usage()


def _failed(error: BaseException | None) -> Outcome:
    """By what LiteLLM raised, and what that was raised from."""
    status = getattr(error, "status_code", None)
    while error is not None:
        found = outcome_of(error)
        if found is not Outcome.FAILED:
            return found
        error = error.__cause__ or error.__context__
    return Outcome.REFUSED if isinstance(status, int) and 400 <= status < 500 else Outcome.FAILED


def _status(told: Mapping[str, Any]) -> int | None:
    code = str((told.get("error_information") or {}).get("error_code") or "")
    return int(code) if code.isdecimal() else None


def _steady(moment_s: float) -> int:
    return steady_ns(moment_s, time.time_ns() - time.monotonic_ns())


if TYPE_CHECKING:

    class FootprintLogger(Hooks):
        """Hooks on top of LiteLLM's CustomLogger."""

    logger: FootprintLogger


def __getattr__(name: str) -> Any:
    """Class and instance are made at their first use: LiteLLM is imported by who uses it."""
    if name == "FootprintLogger":
        made = on_top_of(BASES, Hooks, name, feature="the logger of LiteLLM", package="litellm")
        made.async_post_call_response_headers_hook = Hooks.async_post_call_response_headers_hook  # see [2]
    elif name == "logger":
        made = __getattr__("FootprintLogger")()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, made)
