"""Runs that served, as they lie in a ledger: beats of a meter, and requests beside them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from wattermark.ledger.requests import FOLDER, request_line
from wattermark.ledger.requests import SCHEMA as OF_REQUESTS
from wattermark.ledger.spool import line, reader_line, run_line
from wattermark.values.kinds import Kind, Part, Scope, Status
from wattermark.values.records import Channel, RunHeader
from wattermark.values.served import Outcome, Route, Served, Usage
from wattermark.values.units import NS_PER_S

STARTED_S = 1_790_000_000  # 2026-09-21T13:33:20Z
BEGIN_S = 5_000
H100 = "NVIDIA H100 80GB HBM3"


def gpu(name: str = "gpu/0", device: str = H100) -> Channel:
    return Channel(
        name=name, kind=Kind.COUNTER, part=Part.GPU, unit="mJ", covers=name, device=device, uuid=name
    )


def keep_run(
    ledger: Path,
    power_w: Sequence[float] = (),
    *,
    run: str = "20260921-133320-serve-00000001",
    served: Iterable[Served] | None = (),
    host: str = "h",
    pid: int = 1,
    place: str | None = "deu",
    started_s: float = STARTED_S,
    device: str = H100,
    stopped: bool = True,
    **header: object,
) -> Path:
    """A GPU that draws so much in each second; without any, a run that has no meter."""
    folder = ledger / run
    folder.mkdir(parents=True, exist_ok=True)
    begin_ns = BEGIN_S * NS_PER_S
    told = RunHeader(
        run=run, name="serve", host=host, pid=pid, started_ns=round(started_s * NS_PER_S), mono_ns=begin_ns,
        interval_s=1.0, place=place, place_from="given", scope=Scope.PROCESS, logical_cpus=4, machine=host,
        **header,
    )  # fmt: skip
    lines = [run_line(told)]
    at_s, joules = BEGIN_S, 0.0
    if power_w:
        lines.append(reader_line("nvml", [gpu(device=device)]))
        lines.append(_beat(at_s, started_s, joules))
        for watts in power_w:
            at_s, joules = at_s + 1, joules + watts
            lines.append(_beat(at_s, started_s, joules))
    if stopped:
        stop_ns = at_s * NS_PER_S
        lines.append(
            line("stop", mono_ns=stop_ns, time_ns=_wall_ns(at_s, started_s), status=Status.OK, detail="")
        )
    (folder / f"{host}-{pid}.jsonl").write_text("".join(lines), encoding="utf-8")
    if served is not None:
        keep_requests(folder, served, name=f"{host}-{pid}")
    return folder


def keep_requests(folder: Path, served: Iterable[Served], *, name: str = "h-1") -> Path:
    path = folder / FOLDER / f"{name}.jsonl"
    path.parent.mkdir(exist_ok=True)
    first = line("requests", schema=OF_REQUESTS, run=folder.name, pid=1)
    path.write_text(first + "".join(map(request_line, served)), encoding="utf-8")
    return path


def _beat(at_s: int, started_s: float, joules: float) -> str:
    return line(
        "beat", mono_ns=at_s * NS_PER_S, time_ns=_wall_ns(at_s, started_s), nvml=[round(joules * 1000)]
    )


def _wall_ns(at_s: float, started_s: float) -> int:
    return round((started_s + at_s - BEGIN_S) * NS_PER_S)


def request(
    begin_s: float,
    end_s: float,
    *,
    first_s: float | None = None,
    model: str = "llama-3.1-8b",
    read: int | None = 100,
    written: int | None = 200,
    cached: int | None = None,
    reasoning: int | None = None,
    tenant: str = "",
    route: Route = Route.CHAT,
    outcome: Outcome = Outcome.OK,
    **more: object,
) -> Served:
    """One request; times are since the run began."""
    return Served(
        begin_ns=_mono_ns(begin_s),
        first_ns=None if first_s is None else _mono_ns(first_s),
        end_ns=_mono_ns(end_s),
        streamed=first_s is not None,
        usage=Usage(
            input_tokens=read, output_tokens=written, cached_tokens=cached, reasoning_tokens=reasoning
        ),
        model=model,
        tenant=tenant,
        route=route,
        outcome=outcome,
        **more,
    )


def _mono_ns(since_s: float) -> int:
    return round((BEGIN_S + since_s) * NS_PER_S)
