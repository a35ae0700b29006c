"""A file of others as records with flat names: CSV, JSON, JSON Lines, OTLP/JSON; packed by gzip or not."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from wattermark.errors import BadExport

SEPARATORS = ",;\t|"
DEEPEST = 12
MOST_LINE_B = 64_000_000
AS_WHAT = "Export it as CSV or JSON Lines"
MOST_DOCUMENT_B = 256_000_000
"""Of JSON that is one document, as all of it has to be in memory; JSON Lines may be longer."""
_PLAIN = re.compile(r"[^a-z0-9.]")


class Record(NamedTuple):
    """One record, where it stands, and its fields by flat plain names: ``usage.prompttokens``."""

    at: str
    fields: Mapping[str, Any]


def records(path: Path) -> Iterator[Record]:
    """All records of a file, one after the other; lines of JSON Lines and CSV are not kept.

    Raises
    ------
    BadExport
        If the file is not there, or is none of these.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        with gzip.GzipFile(path) if packed else path.open("rb") as file:
            yield from _records(path, file)  # type: ignore[arg-type]
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or "it is damaged"
        raise BadExport(f"{path} cannot be read: {why}", fix="Give the path of an export") from error


def flat(given: Mapping[str, Any]) -> dict[str, Any]:
    """Nested fields under one name each, in small letters without underscores; lists are left out.

    Examples
    --------
    >>> flat({"usageDetails": {"input_tokens": 3}, "model": "m"})
    {'usagedetails.inputtokens': 3, 'model': 'm'}
    """
    found: dict[str, Any] = {}
    _flatten(given, "", found, DEEPEST)
    return found


def _flatten(given: Mapping[str, Any], above: str, found: dict[str, Any], depth: int) -> None:
    for name, value in given.items():
        key = above + plain(str(name))
        inner = _json_in(value)
        if isinstance(inner, dict):
            if depth:
                _flatten(inner, f"{key}.", found, depth - 1)
        elif not isinstance(inner, list):
            found.setdefault(key, value)


def plain(name: str) -> str:
    """A field's name without case, underscores and blanks: exports differ in these."""
    return _PLAIN.sub("", name.lower())


def _json_in(value: Any) -> Any:
    """Columns of CSV may hold JSON."""
    if isinstance(value, str) and value[:1] == "{":
        return _loaded(value)
    return value


def _loaded(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _records(path: Path, file: BinaryIO) -> Iterator[Record]:
    first = file.readline(MOST_LINE_B)
    if first.startswith(b"PAR1"):
        raise BadExport(f"{path} is Parquet", fix=AS_WHAT)
    start = first.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"["):
        yield from _json_records(path, first.removeprefix(b"\xef\xbb\xbf"), file)
    elif start or (rest := file.readline(MOST_LINE_B)):
        yield from _csv_records(path, first if start else rest, file)


def _json_records(path: Path, first: bytes, file: BinaryIO) -> Iterator[Record]:
    head = _loaded(first)
    if isinstance(head, dict) and (following := file.readline(MOST_LINE_B)).strip():
        yield from _of_document(head, f"{path.name}, line 1")
        number = 2
        while following:
            if following.strip():
                yield from _of_document(_loaded(following), f"{path.name}, line {number}")
            following, number = file.readline(MOST_LINE_B), number + 1
        return
    document = head if head is not None else _loaded(first + _rest(path, first, file))
    if document is None:
        raise BadExport(f"{path} begins like JSON and is none", fix="Export it again")
    yield from _of_document(document, path.name)


def _rest(path: Path, first: bytes, file: BinaryIO) -> bytes:
    rest = file.read(MOST_DOCUMENT_B)
    if len(first) + len(rest) > MOST_DOCUMENT_B:
        raise BadExport(
            f"{path} is one document of more than {MOST_DOCUMENT_B:,} bytes", fix="Export it as JSON Lines"
        )
    return rest


def _of_document(document: Any, at: str) -> Iterator[Record]:
    """A document may be a record, a list of them, a page of them, or spans in their envelopes."""
    if isinstance(document, list):
        for number, one in enumerate(document, 1):
            yield from _of_document(one, f"{at}, item {number}")
    elif not isinstance(document, dict):
        yield Record(at, {})
    elif "resourceSpans" in document:
        yield from _spans(document, at)
    elif isinstance(document.get("data"), list):
        yield from _of_document(document["data"], at)
    elif isinstance(document.get("results"), list):  # a bucket of a usage report
        shared = {name: value for name, value in document.items() if name != "results"}
        for number, one in enumerate(document["results"], 1):
            yield Record(f"{at}, result {number}", flat({**shared, **one} if isinstance(one, dict) else {}))
    else:
        yield Record(at, flat(document))


def _spans(document: Mapping[str, Any], at: str) -> Iterator[Record]:
    number = 0
    for resource in _lists(document, "resourceSpans"):
        around = _attributes(resource.get("resource", {}))
        for scope in _lists(resource, "scopeSpans"):
            for span in _lists(scope, "spans"):
                number += 1
                own = {name: value for name, value in span.items() if name not in ("attributes", "events")}
                fields = {f"resource.{name}": value for name, value in around.items()}
                yield Record(f"{at}, span {number}", {**fields, **flat(own), **_attributes(span)})


def _lists(given: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = given.get(name)
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict):
            yield one


def _attributes(given: Any) -> dict[str, Any]:
    """OTLP's list of keys and typed values; whole numbers come as text."""
    found = {}
    for one in _lists(given, "attributes") if isinstance(given, dict) else ():
        value = one.get("value")
        if isinstance(value, dict) and value:
            found[plain(str(one.get("key")))] = next(iter(value.values()))
    return found


def _csv_records(path: Path, first: bytes, file: BinaryIO) -> Iterator[Record]:
    try:
        head = first.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadExport(f"{path} is no text", fix=AS_WHAT) from error
    separator = max(SEPARATORS, key=head.count)
    lines = iter(lambda: file.readline(MOST_LINE_B), b"")
    csv.field_size_limit(MOST_LINE_B)
    reader = csv.reader((raw.decode("utf-8", "replace") for raw in lines), delimiter=separator)
    try:
        names = next(csv.reader([head], delimiter=separator))
        if len(names) < 2:
            raise BadExport(f"{path} is neither CSV with a header nor JSON", fix=AS_WHAT)
        for row in reader:
            if any(cell.strip() for cell in row):
                told = dict(zip(names, row, strict=False))
                yield Record(f"{path.name}, line {reader.line_num + 1}", flat(told))
    except csv.Error as error:
        raise BadExport(f"{path} is no CSV: {error}", fix="Export it again") from error
