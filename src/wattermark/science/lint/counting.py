"""How many accelerators a description of hardware speaks of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import prod

from wattermark.science.lint.printed import Number, read_number

WORDS = {
    **{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8},
    **{"sixteen": 16, "thirty-two": 32},
}
_ONE = rf"(?:\d[\d,]*|{'|'.join(WORDS)})"
_TIMES = r"\s*[x\u00d7*]\s*"
_MANY = rf"(?<![\w.,-])({_ONE}(?:{_TIMES}{_ONE})*)"
_SIZE = r"(?!\s*(?:[kMGT]i?B|GB/s|bit|[GM]Hz|k?Wh?|hours?|h|days?|way|cores?|v?CPUs?)\b)"
_FLAGS = re.IGNORECASE
_HOST = r"(?:node|server|machine|host|instance)"
_HOSTS = re.compile(rf"{_MANY}(?:{_TIMES}|\s*)(?:\w+\s)?{_HOST}s?\b", _FLAGS)
_LED = r"(?:^|[(,;:/+]|\b(?:with|of|on|and|using|used|by|each|x|\u00d7|\*))\s*"
_BEFORE = re.compile(rf"{_LED}{_MANY}{_SIZE}(?:{_TIMES}|\s*)(?=[A-Za-z])", _FLAGS)
_AFTER = re.compile(rf"(?<![A-Za-z])[x\u00d7*]\s*({_ONE})(?![\w\u00d7*])(?!{_TIMES})", _FLAGS)
_TIME = re.compile(
    r"(?:(?!(?:for|over|in|at|during)\b)[A-Za-z][\w.]*[\s-]+){0,3}(?:hours?|hrs?|h|days?)\b", _FLAGS
)
_GENERIC = re.compile(r"\b(?:[GT]PU|accelerator|chip|device)s?\b", _FLAGS)
_EACH = re.compile(rf"\b(?:(?<!W )each|per\s+{_HOST})\b", _FLAGS)
_OF_EACH = re.compile(r"\s*(?:x|\u00d7|\*|,?\s*(?:of|with|having))?\s*", _FLAGS)
_TOTAL = re.compile(r"\b(?:total|altogether|overall)\b", _FLAGS)
_MACHINE = re.compile(r"(?:NVIDIA\s+)?[DH]GX\b", _FLAGS)
_MACHINES = re.compile(rf"(?:{_MANY}(?:{_TIMES}|\s*))?(?:NVIDIA\s+)?[DH]GX\b(?!-2)", _FLAGS)
_GPUS_OF_A_MACHINE = 8
"""Of a DGX or HGX since 2016, but for the DGX-2."""
_JOINED = re.compile(r"\band\b|\+|&|,", _FLAGS)
_SLICE = re.compile(r"(?:\b|(?<=tpu))v(\d)(e|p|lite\w*)?-(\d+)\b", _FLAGS)
_COUNTED_BY_CORES = "234"
"""Slices of these TPUs, and of v5p, are named by their cores, two of which make a chip."""


def count_devices(text: str, is_device: Callable[[str], bool]) -> Number | None:
    """The accelerators of ``8 x A100``, ``4 nodes with 8 H100 each`` or ``TPU v4-512``.

    Parameters
    ----------
    text : str
        A description of hardware.
    is_device : callable
        Whether a text names an accelerator.

    Returns
    -------
    number
        Nothing where it names no number, or several that are not parts of one machine.
    """
    hosts, chips = _HOSTS.search(text), _chips(text)
    told = list(_told(text, hosts, is_device))
    machines = _MACHINES.search(text)
    if not told and machines:
        return read_number(str(_product(machines[1] or "1") * _GPUS_OF_A_MACHINE))
    counts = {count for _, count in told}
    several = len(counts) > 1
    if not (counts or chips) or (several and (hosts or not _JOINED.search(text))):
        return None
    count = sum(counts) if counts else 1
    times = _times(text, hosts, told[0][0]) if told and not several else 1
    return read_number(str(count * times * (chips or 1))) if times else None


def _times(text: str, hosts: re.Match[str] | None, at: int) -> int:
    """By how many nodes a count is multiplied: 1 where it is that of all; 0 where nobody can tell."""
    each = _EACH.search(text)
    if hosts is None:
        return 0 if each else 1
    if hosts.start() > at:
        return _product(hosts[1]) if each else 1
    between = text[hosts.end() : at]
    if each or (_OF_EACH.fullmatch(between) and not _TOTAL.search(text)):
        return _product(hosts[1])
    return 1 if _TOTAL.search(text) or re.search(r"[(/:]", between) else 0


def _told(
    text: str, hosts: re.Match[str] | None, is_device: Callable[[str], bool]
) -> Iterator[tuple[int, int]]:
    """Where an accelerator is counted, and how many there are."""
    for hit in _BEFORE.finditer(text):
        named = re.split(r"[,;(+/]|\band\b", text[hit.end() :], maxsplit=1)[0]
        is_host = hosts is not None and hosts.start(1) == hit.start(1)
        is_other = is_host or _MACHINE.match(named) or _TIME.match(named)
        if not is_other and (_GENERIC.search(named) or is_device(named)):
            yield hit.start(1), _product(hit[1])
    for hit in _AFTER.finditer(text):
        if is_device(text[: hit.start()]):
            yield hit.start(1), _product(hit[1])


def _product(text: str) -> int:
    """How many ``32 x 8`` are."""
    words = re.split(_TIMES, text.lower())
    return prod(WORDS.get(word) or int(word.replace(",", "")) for word in words)


def _chips(text: str) -> int | None:
    """The chips of a slice of TPUs."""
    hit = _SLICE.search(text) if "tpu" in text.lower() else None
    if hit is None:
        return None
    by_cores = hit[1] in _COUNTED_BY_CORES or (hit[2] or "").lower() == "p"
    return max(int(hit[3]) // 2, 1) if by_cores else int(hit[3])
