"""Whose export it is, by the names of its fields, and which of them tells what.

Names are flat and plain (``records.flat``). Where a field has several names, the first that is there counts.

References: LiteLLM's spend logs and standard logging payload; OpenTelemetry's semantic conventions for
generative AI; Langfuse's observations (exports and blob storage); Helicone's request export; OpenAI's and
Anthropic's usage reports (API and console); Amazon Bedrock's model invocation log; Vertex AI's
request-response log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wattermark.errors import BadExport

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One export. It is known by any of ``signs``: names that stand together in a record.

    ``fields`` are the names of what we know by ours. ``apart`` are counts that the input tokens do not hold
    (cache reads, cache writes), and ``written_apart`` those that the output tokens do not hold. ``provider``
    is whose models they are, where all are one's. ``seconds_per`` is the unit of a duration, a delay of the
    first token. [s]
    """

    name: str
    signs: tuple[frozenset[str], ...]
    fields: Mapping[str, Names]
    apart: Names = ()
    written_apart: Names = ()
    provider: str = ""
    seconds_per: float = 1.0
    only_if: Mapping[str, Names] = field(default_factory=dict)


FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format(
            name="litellm",
            signs=(
                frozenset({"calltype", "prompttokens", "starttime"}),
                frozenset({"customllmprovider", "prompttokens", "starttime"}),
            ),
            fields={
                "begin": ("starttime",),
                "end": ("endtime",),
                "first": ("completionstarttime",),
                "model": ("model", "modelgroup"),
                "provider": ("customllmprovider",),
                "input": ("prompttokens",),
                "output": ("completiontokens",),
                "cached": (
                    "metadata.usageobject.prompttokensdetails.cachedtokens",
                    "metadata.additionalusagevalues.cachereadinputtokens",
                ),
                "reasoning": ("metadata.usageobject.completiontokensdetails.reasoningtokens",),
                "tenant": ("apikey", "metadata.userapikeyhash", "enduser", "user"),
                "route": ("calltype",),
                "status": ("status", "metadata.status"),
                "hit": ("cachehit",),
            },
        ),
        Format(
            name="otlp",
            signs=(frozenset({"starttimeunixnano", "endtimeunixnano"}),),
            fields={
                "begin": ("starttimeunixnano",),
                "end": ("endtimeunixnano",),
                "model": ("genai.response.model", "genai.request.model"),
                "provider": ("genai.provider.name", "genai.system"),
                "input": ("genai.usage.inputtokens", "genai.usage.prompttokens"),
                "output": ("genai.usage.outputtokens", "genai.usage.completiontokens"),
                "cached": ("genai.usage.cacheread.inputtokens", "genai.usage.cachereadinputtokens"),
                "reasoning": ("genai.usage.reasoning.outputtokens",),
                "tenant": ("enduser.id", "user.id", "resource.service.name"),
                "route": ("genai.operation.name",),
                "status": ("status.code",),
                "first_after": ("genai.server.timetofirsttoken",),
            },
            only_if={"operation": ("genai.usage.inputtokens", "genai.request.model", "genai.operation.name")},
        ),
        Format(
            name="langfuse",
            signs=(
                frozenset({"traceid", "starttime", "usagedetails.input"}),
                frozenset({"traceid", "starttime", "completionstarttime"}),
                frozenset({"traceid", "starttime", "prompttokens"}),
            ),
            fields={
                "begin": ("starttime",),
                "end": ("endtime",),
                "first": ("completionstarttime",),
                "model": ("model", "providedmodelname", "internalmodelid"),
                "input": ("usagedetails.input", "usage.input", "prompttokens", "inputtokens"),
                "output": ("usagedetails.output", "usage.output", "completiontokens", "outputtokens"),
                "cached": ("usagedetails.inputcachedtokens", "usagedetails.cachereadinputtokens"),
                "created": ("usagedetails.cachecreationinputtokens", "usagedetails.inputcachecreation"),
                "reasoning": ("usagedetails.outputreasoningtokens", "usagedetails.outputreasoning"),
                "tenant": ("userid",),
                "status": ("level",),
                "kind": ("type",),
            },
            apart=("cached", "created"),
            written_apart=("reasoning",),
            only_if={"kind": ("type",)},
        ),
        Format(
            name="helicone",
            signs=(
                frozenset({"requestcreatedat", "prompttokens"}),
                frozenset({"requestcreatedat", "delayms"}),
            ),
            fields={
                "begin": ("requestcreatedat",),
                "end": ("responsecreatedat",),
                "lasted": ("delayms", "latency"),
                "first_after": ("timetofirsttoken",),
                "model": ("responsemodel", "requestmodel", "model"),
                "provider": ("provider",),
                "input": ("prompttokens",),
                "output": ("completiontokens",),
                "cached": ("promptcachereadtokens",),
                "created": ("promptcachewritetokens",),
                "tenant": ("requestuserid", "heliconeuser", "userid"),
                "route": ("requestpath",),
                "status": ("responsestatus", "status"),
            },
            apart=("cached", "created"),
            seconds_per=1e-3,
        ),
        Format(
            name="openai-usage",
            signs=(
                frozenset({"starttime", "nummodelrequests"}),
                frozenset({"starttimeiso", "nummodelrequests"}),
            ),
            fields={
                "begin": ("starttime", "starttimeiso"),
                "end": ("endtime", "endtimeiso"),
                "model": ("model",),
                "input": ("inputtokens",),
                "output": ("outputtokens",),
                "cached": ("inputcachedtokens",),
                "tenant": ("apikeyid", "userid", "projectid"),
                "route": ("object",),
                "many": ("nummodelrequests",),
            },
            provider="openai",
        ),
        Format(
            name="anthropic-usage",
            signs=(
                frozenset({"startingat", "uncachedinputtokens"}),
                frozenset({"usagedateutc", "usageoutputtokens"}),
            ),
            fields={
                "begin": ("startingat", "usagedateutc"),
                "end": ("endingat",),
                "model": ("model", "modelversion"),
                "input": ("uncachedinputtokens", "usageinputtokensnocache"),
                "output": ("outputtokens", "usageoutputtokens"),
                "cached": ("cachereadinputtokens", "usageinputtokenscacheread"),
                "created": ("cachecreation.ephemeral5minputtokens", "usageinputtokenscachewrite5m"),
                "created_longer": ("cachecreation.ephemeral1hinputtokens", "usageinputtokenscachewrite1h"),
                "tenant": ("apikeyid", "apikey", "workspaceid", "workspace"),
            },
            apart=("cached", "created", "created_longer"),
            provider="anthropic",
        ),
        Format(
            name="bedrock",
            signs=(
                frozenset({"schematype", "modelid", "timestamp"}),
                frozenset({"modelid", "input.inputtokencount"}),
            ),
            fields={
                "begin": ("timestamp",),
                "model": ("modelid",),
                "lasted": ("output.outputbodyjson.metrics.latencyms",),
                "input": ("input.inputtokencount",),
                "output": ("output.outputtokencount",),
                "cached": ("input.cachereadinputtokencount",),
                "created": ("input.cachewriteinputtokencount",),
                "tenant": ("identity.arn",),
                "route": ("operation",),
                "error": ("errorcode",),
            },
            apart=("cached", "created"),
            provider="bedrock",
            seconds_per=1e-3,
        ),
        Format(
            name="vertex",
            signs=(
                frozenset({"loggingtime", "fullresponse.usagemetadata.prompttokencount"}),
                frozenset({"usagemetadata.prompttokencount"}),
            ),
            fields={
                "begin": ("loggingtime", "createtime", "timestamp"),
                "model": ("fullresponse.modelversion", "modelversion", "model", "deployedmodelid"),
                "input": ("fullresponse.usagemetadata.prompttokencount", "usagemetadata.prompttokencount"),
                "output": (
                    "fullresponse.usagemetadata.candidatestokencount",
                    "usagemetadata.candidatestokencount",
                ),
                "cached": (
                    "fullresponse.usagemetadata.cachedcontenttokencount",
                    "usagemetadata.cachedcontenttokencount",
                ),
                "reasoning": (
                    "fullresponse.usagemetadata.thoughtstokencount",
                    "usagemetadata.thoughtstokencount",
                ),
                "route": ("apimethod",),
            },
            written_apart=("reasoning",),
            provider="google",
        ),
    )
}


def format_of(fields: Iterable[str], where: str) -> Format:
    """The export whose fields these are.

    Raises
    ------
    BadExport
        If it is none that is known.
    """
    names = set(fields)
    for one in FORMATS.values():
        if any(sign <= names for sign in one.signs):
            return one
    raise BadExport(
        f"{where} is no export that is known; its fields are {', '.join(sorted(names)[:12]) or 'none'}",
        fix=f"Say whose it is with --format: {', '.join(FORMATS)}",
    )
