"""XML of strangers, read without letting it fetch, expand or fill anything."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.parsers import expat

from wattermark.errors import BadSignal
from wattermark.signals.answers import TRY_LATER, harmless


class _RootReached(Exception):
    """All that may come before the root has come."""


class _TypeDeclared(Exception):
    """The document brings a grammar of its own: entities that expand, or files to be fetched."""


def xml_of(body: bytes, who: str) -> Element:
    """The root of a document; one that declares a type (the door of all entities) is refused unread.

    Raises
    ------
    BadSignal
        If it is empty, no XML, or declares a type.
    """
    if not body.strip():
        raise BadSignal(f"{who} answered nothing", fix=TRY_LATER)
    try:
        _refuse_type(body)
        return fromstring(body)
    except _TypeDeclared as error:
        raise BadSignal(f"{who} answered XML that declares entities of its own", fix=TRY_LATER) from error
    except (ParseError, expat.ExpatError, ValueError, LookupError) as error:
        start = harmless(body[:120].decode(errors="replace"))
        raise BadSignal(f"{who} answered what is no XML: {start!r}", fix=TRY_LATER) from error


def _refuse_type(body: bytes) -> None:
    """A type is declared before the root, so no more than that is read here."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _declared
    parser.StartElementHandler = _root
    try:
        parser.Parse(body, True)
    except _RootReached:
        return


def _declared(*_: object) -> None:
    raise _TypeDeclared


def _root(*_: object) -> None:
    raise _RootReached


def name_of(element: Element) -> str:
    """The name of an element, in whichever version of the name space."""
    return element.tag.rpartition("}")[2]


def children(element: Element, name: str) -> Iterator[Element]:
    """Those of that name, right below."""
    return (one for one in element if name_of(one) == name)


def text_of(element: Element, *path: str) -> str:
    """The text at the end of a path, from first child to first child; empty where there is none."""
    for name in path:
        below = next(children(element, name), None)
        if below is None:
            return ""
        element = below
    return (element.text or "").strip()
