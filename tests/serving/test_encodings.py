"""Packed bodies, unpacked bit by bit: whatever they are split into, and bombs take no room."""

import gzip
import importlib
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.serving.encodings import PIECE_B, BadEncoding, Unpacker


def bare(data):
    """Deflate without the head of zlib, as some servers send it."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def installed(name, needs=""):
    try:
        module = importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not installed")
    if needs and not hasattr(module.Decompressor, needs):
        pytest.skip(f"this {name} bounds no output")
    return module


def brotli(data):
    return installed("brotli", "can_accept_more_data").compress(data)


def zstd(data):
    return installed("backports.zstd").compress(data)


PACKERS = {
    "": lambda data: data,
    "identity": lambda data: data,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "deflate ": bare,
    "gzip, deflate": lambda data: zlib.compress(gzip.compress(data)),
    "br": brotli,
    "zstd": zstd,
}
TEXT = b'data: {"usage": {"prompt_tokens": 7}}\n\n' * 50


def cut(data, places):
    """Data in pieces that end at some places."""
    ends = sorted({min(place, len(data)) for place in places} | {len(data)})
    return [data[a:b] for a, b in zip([0, *ends], ends, strict=False)]


@pytest.mark.parametrize("encoding", PACKERS)
@given(places=st.lists(st.integers(0, 3000), max_size=8))
def test_any_split_unpacks_to_the_same(encoding, places):
    pieces = cut(PACKERS[encoding](TEXT), places)
    unpacker = Unpacker(encoding)
    assert b"".join(part for piece in pieces for part in unpacker.unpack(piece)) == TEXT


def test_each_bit_is_unpacked_as_soon_as_it_can_be():
    """A server flushes after each event; what it means must not wait for the next one."""
    packer, unpacker = zlib.compressobj(wbits=31), Unpacker("gzip")
    for event in (b"data: 1\n\n", b"data: 2\n\n"):
        flushed = packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH)
        assert b"".join(unpacker.unpack(flushed)) == event


def test_gzip_of_several_members_is_one_body():
    unpacker = Unpacker("gzip")
    assert b"".join(unpacker.unpack(gzip.compress(b"one") + gzip.compress(b"two") + b"\0\0")) == b"onetwo"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_comes_in_small_pieces(encoding):
    """100 MB of zeros, of which nobody holds more than a piece."""
    bomb = PACKERS[encoding](bytes(100_000_000))
    tracemalloc.start()
    sizes = 0
    for part in Unpacker(encoding).unpack(bomb):
        assert len(part) <= 2 * PIECE_B  # brotli takes its limit for advice
        sizes += len(part)
        if sizes > 2_000_000:
            break
    most_b = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most_b < 2_000_000 + len(bomb)


def test_a_bomb_within_a_bomb_comes_in_small_pieces():
    bomb = gzip.compress(gzip.compress(bytes(100_000_000)))
    part = next(Unpacker("gzip, gzip").unpack(bomb))
    assert len(part) <= PIECE_B


@pytest.mark.parametrize("encoding", ["compress", "bzip2", "gzip, rot13", "\u00e9", "a" * 999, "\x1b[31m"])
def test_what_nothing_unpacks_is_said(encoding):
    with pytest.raises(BadEncoding, match="nothing here unpacks") as error:
        Unpacker(encoding)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("data", [b'{"usage": {"prompt_tokens": 7}}' * 9, b"\xff" * 40])
def test_what_is_not_packed_so_is_said(encoding, data):
    PACKERS[encoding](b"")  # skips where nothing packs it
    with pytest.raises(BadEncoding, match="not packed as it says"):
        list(Unpacker(encoding).unpack(data))


def test_garbage_in_the_middle_is_said():
    packed = bytearray(gzip.compress(bytes(range(256)) * 40))
    packed[20:40] = b"\xff" * 20
    with pytest.raises(BadEncoding):
        list(Unpacker("gzip").unpack(bytes(packed)))
