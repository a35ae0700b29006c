"""Change bytes by chance, and make a failing case as small as it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

Case = tuple[tuple[str, bytes], ...]
"""Named pieces: the lines of a spool, the files of a tree, the variables of an environment."""

NASTY = tuple(
    text.encode()
    for text in (
        *(
            "0",
            "-1",
            "1e308",
            "1e309",
            "-0.0",
            "NaN",
            "Infinity",
            "9223372036854775807",
            "9223372036854775808",
        ),
        *(
            "4611686018427387904",
            "18446744073709551615",
            "99999999999999999999999999999999",
            "1_0",
            "0x10",
            "٣",
        ),
        *(
            "null",
            "true",
            "[]",
            "{}",
            '""',
            "[[]]",
            '{"a":1}',
            "\\ud800",
            "\x00",
            "\ufeff",
            "é",
            "\r\n",
            ",,",
            '"',
        ),
        *("5", "0.5", "1000000", "x", " ", "\t", "inf", "nan", "[" * 2000),
    )
)
"""What has broken parsers before."""
MOST_TRIES = 400


def mutated(chance: Random, data: bytes) -> bytes:
    """The same bytes with one to four changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        data = chance.choice(_CHANGES)(chance, data)
    return data


def mutated_case(chance: Random, case: Case) -> Case:
    """The same pieces, some of them changed, left out, told twice or in another place."""
    pieces = list(case)
    for _ in range(chance.choice((1, 1, 2, 3))):
        if not pieces:
            break
        i = chance.randrange(len(pieces))
        name, data = pieces[i]
        what = chance.random()
        if what < 0.8:
            pieces[i] = (name, mutated(chance, data))
        elif what < 0.87:
            del pieces[i]
        elif what < 0.94:
            pieces.insert(chance.randrange(len(pieces) + 1), (name, data))
        else:
            pieces.insert(chance.randrange(len(pieces)), pieces.pop(i))
    return tuple(pieces)


def _span(chance: Random, data: bytes) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((0, 1, 1, 2, 5, 20)))


def _replace(chance: Random, data: bytes) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + chance.choice(NASTY) + data[end:]


def _drop(chance: Random, data: bytes) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[end:]


def _flip(chance: Random, data: bytes) -> bytes:
    if not data:
        return chance.randbytes(4)
    i = chance.randrange(len(data))
    return data[:i] + bytes([data[i] ^ 1 << chance.randrange(8)]) + data[i + 1 :]


def _cut(chance: Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _word(chance: Random, data: bytes) -> bytes:
    """A whole number, word or cell for another thing."""
    starts = [i for i, byte in enumerate(data) if byte in b':,[{" \n=']
    if not starts:
        return _replace(chance, data)
    start = chance.choice(starts) + 1
    end = next((i for i in range(start, len(data)) if data[i] in b',]}" \n='), len(data))
    return data[:start] + chance.choice(NASTY) + data[end:]


def _noise(chance: Random, data: bytes) -> bytes:
    return chance.randbytes(chance.choice((0, 1, 8, 64)))


_CHANGES: tuple[Callable[[Random, bytes], bytes], ...] = (
    _replace, _drop, _flip, _cut, _word, _word, _word, _word, _noise,
)  # fmt: skip


def smallest(case: Case, fails: Callable[[Case], bool]) -> Case:
    """A case that fails as this one does, with as little in it as could be found in a few hundred tries."""
    left, shrunk = MOST_TRIES, True
    while shrunk and left > 0:
        shrunk = False
        for smaller in _smaller(case):
            left -= 1
            if left <= 0:
                break
            if fails(smaller):
                case, shrunk = smaller, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    for size in (len(case) // 2, len(case) // 4, 1):
        for i in range(0, len(case), size) if size else ():
            yield case[:i] + case[i + size :]
    for i, (name, data) in enumerate(case):
        for size in (len(data) // 2, len(data) // 8):
            for start in range(0, len(data), size) if size else ():
                yield (*case[:i], (name, data[:start] + data[start + size :]), *case[i + 1 :])
