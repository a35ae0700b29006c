"""Ask engines for their counters, all in one round; one that is silent holds up nobody and stops nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from wattermark.errors import NamedMeterUnavailable, UsageError, WattermarkError
from wattermark.readers.exposition import samples
from wattermark.readers.web import Site
from wattermark.science.sharing.rounds import moment_of
from wattermark.serving.engines.choose import ALL_WANTED, ENGINES, engine_named, engine_of
from wattermark.serving.engines.page import Engine, Page, sane
from wattermark.serving.engines.trtllm import energy_of
from wattermark.values.hosts import is_local
from wattermark.values.served import EngineLook

ACCEPT = "text/plain; version=0.0.4"
PATHS = tuple(dict.fromkeys(engine.path for engine in ENGINES.values()))
MOST_AT_ONCE = 8
SILENT = "Is the engine up, with its metrics switched on?"
EXAMPLE = "http://localhost:8000/metrics"


@dataclass(frozen=True, slots=True)
class Source:
    """One address where an engine tells its counters, and what it is called."""

    site: Site
    engine: Engine
    upstream: str
    tells_energy: bool

    def looks(self) -> list[EngineLook]:
        """What it shows now.

        Raises
        ------
        OSError
            If it does not answer.
        ValueError
            If that is no page of metrics.
        """
        began_ns = time.monotonic_ns()
        page = page_at(self.site, self.engine)
        found = self.engine.looks(page, moment_of(began_ns, time.monotonic_ns()))
        if self.tells_energy and found:
            energy_j = energy_of(self.site.fetch(self.engine.energy_path).decode(errors="replace"))
            name, ns = self.engine.name, found[0].mono_ns
            found.append(EngineLook(mono_ns=ns, engine=name, energy_j=energy_j))
        return [replace(sane(look), upstream=self.upstream) for look in found]

    @property
    def is_here(self) -> bool:
        """Whether its address is this machine's, so that this machine's meters see it."""
        return is_local(urlsplit(self.site.url("")).hostname or "")


@dataclass(frozen=True, slots=True)
class Round:
    """The looks of all engines at one moment, and why some have none."""

    looks: tuple[EngineLook, ...]
    silent: tuple[tuple[str, str], ...]


def page_at(site: Site, engine: Engine | None, path: str = "") -> Page:
    """The page of metrics there, as far as an engine's are read; of all engines' where it is not known.

    Raises
    ------
    OSError
        If it cannot be fetched.
    ValueError
        If it is no page of metrics.
    """
    text = site.fetch(path, ACCEPT).decode()
    wanted = ALL_WANTED if engine is None else engine.wanted
    return Page.of((one.name, one.labels, float(one.shown)) for one in samples(text, wanted))


def sources(addresses: Sequence[str], engine: str) -> list[Source]:
    """The engines at some addresses, each of which must answer.

    Parameters
    ----------
    addresses : sequence of str
        As ``http://localhost:8000/metrics``; without a path, the usual ones are tried.
    engine : str
        Its name, or ``auto``.

    Raises
    ------
    UsageError
        If an address or an engine cannot be meant, or a page is another engine's.
    WattermarkError
        If an address does not answer, or not with metrics of an engine.
    """
    if not addresses:
        raise UsageError("no engine is named", fix=f"Give its page: --metrics {EXAMPLE}")
    if len(set(addresses)) < len(addresses):
        raise UsageError("an address is given twice", fix="Give each engine once")
    asked = engine_named(engine)
    found = [_source(address, asked) for address in addresses]
    return [replace(one, upstream=name) for one, name in zip(found, _names(found), strict=True)]


def one_round(asked: Sequence[Source]) -> Round:
    """Ask all engines at once."""
    with ThreadPoolExecutor(min(len(asked), MOST_AT_ONCE)) as pool:
        answers = list(pool.map(_answer, asked))
    told = list(zip(asked, answers, strict=True))
    looks = [look for answer in answers if not isinstance(answer, str) for look in answer]
    moment_ns = min((look.mono_ns for look in looks), default=0)
    return Round(
        looks=tuple(replace(look, mono_ns=moment_ns) for look in looks),
        silent=tuple((one.upstream, why) for one, why in told if isinstance(why, str)),
    )


def _answer(one: Source) -> list[EngineLook] | str:
    try:
        return one.looks()
    except (OSError, ValueError) as error:
        return str(error)


def _names(found: Iterable[Source]) -> Iterator[str]:
    """Hosts and ports; a second page of one is told by a number, as its query may hold secrets."""
    given: dict[str, int] = {}
    for one in found:
        number = given[one.site.name] = given.get(one.site.name, 0) + 1
        yield one.site.name if number == 1 else f"{one.site.name} ({number})"


def _source(address: str, asked: Engine | None) -> Source:
    site = _site(address)
    parts = urlsplit(site.url(""))
    if parts.path in ("", "/") and not parts.query:
        return _found(address, [_site(site.url(path)) for path in ((asked.path,) if asked else PATHS)], asked)
    return _found(address, [site], asked)


def _site(address: str) -> Site:
    try:
        return Site(address if "://" in address else f"http://{address}", "--metrics")
    except NamedMeterUnavailable as error:
        raise UsageError(error.problem, fix=f"Give an address such as {EXAMPLE}") from error


def _found(address: str, sites: Sequence[Site], asked: Engine | None) -> Source:
    """The first of some addresses that shows metrics of an engine."""
    faults: list[WattermarkError] = []
    for site in sites:
        try:
            page = page_at(site, None)
        except OSError as error:
            faults.append(WattermarkError(str(error), fix=SILENT))
            continue
        except ValueError as error:
            faults.append(_no_metrics(site, error))
            continue
        engine = asked or engine_of(page)
        if engine is None:
            names = ", ".join(ENGINES)
            faults.append(
                WattermarkError(
                    f"{site.name} shows metrics, but none of {names}",
                    fix="Give the address of the engine itself, or name it with --engine",
                )
            )
            continue
        _check(site, page, engine)
        return Source(site, engine, site.name, _tells_energy(site, engine))
    raise faults[0]


def _check(site: Site, page: Page, engine: Engine) -> None:
    """Whether a page may be that engine's; one that served nobody yet may show nothing."""
    shown = engine_of(page)
    if shown is not None and shown is not engine and not any(name in page.rows for name in engine.known_by):
        raise UsageError(
            f"{site.name} shows the metrics of {shown.name}, not of {engine.name}",
            fix=f"Say --engine {shown.name}, or give the address of {engine.name}",
        )


def _no_metrics(site: Site, error: ValueError) -> WattermarkError:
    return WattermarkError(
        f"{site.name} answers, but with no page of metrics ({_said(error)})",
        fix=f"Give the address of the page itself, such as {EXAMPLE} (TensorRT-LLM: /prometheus/metrics)",
    )


def _said(error: ValueError) -> str:
    return "it is no text" if isinstance(error, UnicodeDecodeError) else str(error)


def _tells_energy(site: Site, engine: Engine) -> bool:
    if not engine.energy_path:
        return False
    with suppress(OSError):
        return energy_of(site.fetch(engine.energy_path).decode(errors="replace")) is not None
    return False
