"""Bodies that are packed, unpacked piece by piece for a look at them; nobody gets them so."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

PIECE_B = 65_536
"""Unpacked at once: a kilobyte may hold a megabyte of zeros."""


class BadEncoding(ValueError):
    """A body that is not packed as its head says, or in a way that nothing here unpacks."""


class _Bounded(Protocol):
    """Takes bytes, gives back at most so many, and keeps the rest for the next call."""

    def take(self, data: bytes, most_b: int) -> bytes: ...


class Unpacker:
    """A body's ``Content-Encoding`` undone; encodings on top of one another, too.

    Parameters
    ----------
    encoding : str
        As the head says; empty for none.

    Raises
    ------
    BadEncoding
        If nothing here unpacks it.
    """

    def __init__(self, encoding: str) -> None:
        names = [name.strip() for name in encoding.lower().split(",")]
        self._layers = [_layer(name) for name in reversed(names) if name not in ("", "identity")]

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """What some bytes unpack to, in pieces that are not large.

        Raises
        ------
        BadEncoding
            If they are not packed so.
        """
        return _through(self._layers, data)


def _through(layers: list[_Bounded], data: bytes) -> Iterator[bytes]:
    if not layers:
        yield data
        return
    first, *others = layers
    while True:
        piece = first.take(data, PIECE_B)
        data = b""
        if not piece:
            return
        yield from _through(others, piece)


def _layer(name: str) -> _Bounded:
    make = _LAYERS.get(name.removeprefix("x-"))
    if make is None:
        raise BadEncoding(f"nothing here unpacks {''.join(filter(str.isprintable, name[:20]))}")
    return make()


class _Zlib:
    """gzip (also several members), and deflate as it should be (with a head of zlib's) and as it often is."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._inner = zlib.decompressobj(bits)
        self._waiting = b""
        self._head = b""  # until something came out: deflate may turn out to be bare

    def take(self, data: bytes, most_b: int) -> bytes:
        data, self._waiting = self._waiting + data, b""
        if self._inner.eof:
            self._inner = zlib.decompressobj(self._bits)
        may_be_bare = self._bits == zlib.MAX_WBITS and len(self._head) < PIECE_B
        try:
            piece = self._inner.decompress(data, most_b)
        except zlib.error as error:
            if not may_be_bare:
                raise BadEncoding(f"it is not packed as it says ({error})") from error
            return self._bare(self._head + data, most_b)
        if may_be_bare:
            self._head = bytes(PIECE_B) if piece else self._head + data
        self._waiting = self._inner.unconsumed_tail or self._next_member()
        return piece

    def _next_member(self) -> bytes:
        """What follows the end of a gzip member; zeros that fill it up are none."""
        return self._inner.unused_data.lstrip(b"\0") if self._bits == _GZIP else b""

    def _bare(self, data: bytes, most_b: int) -> bytes:
        self._bits, self._head = -zlib.MAX_WBITS, b""
        self._inner = zlib.decompressobj(self._bits)
        return self.take(data, most_b)


class _Brotli:
    """Only where an output can be bounded: brotli 1.2 and later."""

    def __init__(self) -> None:
        try:
            import brotli  # type: ignore[import-not-found, unused-ignore]
        except ImportError as error:
            raise BadEncoding("brotli is not installed") from error
        self._inner, self._error = brotli.Decompressor(), brotli.error
        if not hasattr(self._inner, "can_accept_more_data"):
            raise BadEncoding("this brotli is older than 1.2 and bounds no output")
        self._waiting = b""

    def take(self, data: bytes, most_b: int) -> bytes:
        self._waiting += data
        if not self._inner.can_accept_more_data():
            return self._process(b"", most_b)
        data, self._waiting = self._waiting, b""
        return self._process(data, most_b) if data else b""

    def _process(self, data: bytes, most_b: int) -> bytes:
        try:
            return bytes(self._inner.process(data, output_buffer_limit=most_b))
        except self._error as error:
            raise BadEncoding("it is not packed as it says (br)") from error


class _Zstd:
    """Python's own since 3.14, or its backport."""

    def __init__(self) -> None:
        try:
            from compression import zstd  # type: ignore[import-not-found, unused-ignore]
        except ImportError:
            try:
                from backports import zstd  # type: ignore[import-not-found, unused-ignore]
            except ImportError as error:
                raise BadEncoding("backports.zstd is not installed") from error
        self._zstd = zstd
        self._inner = self._made()

    def _made(self) -> Any:
        """With the window that RFC 9659 allows for the web: 8 MB."""
        return self._zstd.ZstdDecompressor(options={self._zstd.DecompressionParameter.window_log_max: 23})

    def take(self, data: bytes, most_b: int) -> bytes:
        if self._inner.eof:
            data = self._inner.unused_data + data
            if not data:
                return b""
            self._inner = self._made()
        try:
            return bytes(self._inner.decompress(data, most_b))
        except self._zstd.ZstdError as error:
            raise BadEncoding("it is not packed as it says (zstd)") from error


_GZIP = 16 + zlib.MAX_WBITS
_LAYERS: Mapping[str, Callable[[], _Bounded]] = {
    "gzip": lambda: _Zlib(_GZIP),
    "deflate": lambda: _Zlib(zlib.MAX_WBITS),
    "br": _Brotli,
    "zstd": _Zstd,
}
