"""Sections and tables to a terminal; without one, plain text comes out.

Tables are rich's. Sections are laid out here: rich's import and rendering would take a fifth of the time in
which an estimate answers (decision 0005).
"""

from __future__ import annotations

import io
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from wattermark.cli.terminal import WIDTH, harmless, painted, paints, plain, text_width
from wattermark.report.layout import Style, hanging, rows

if TYPE_CHECKING:
    from rich.console import Console

    from wattermark.report.sheet import Section

WIDE = 400


def print_json(document: object) -> None:
    """One document on one line of stdout."""
    print(json.dumps(document, separators=(",", ":"), allow_nan=False), flush=True)


def console() -> Console:
    """A console that is never wider than 80 columns: numbers are easier to compare that way."""
    from rich.console import Console

    class Told(Console):
        def on_broken_pipe(self) -> None:
            """The reader left, as head does; rich would exit with 1, which has a meaning of its own here."""
            raise BrokenPipeError

    _forgive(sys.stdout)
    found = Told(highlight=False, soft_wrap=False)
    if not found.is_terminal or found.width > WIDTH:
        found.width = WIDTH
    return found


def _forgive(stream: object) -> None:
    """An ASCII terminal shows a question mark for a micro sign."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")


def paint(sections: Iterable[Section], *, title: str = "", stderr: bool = False) -> None:
    """Write sections one under the other."""
    stream = sys.stderr if stderr else sys.stdout
    if stream is None:
        return  # closed: nobody reads it
    _forgive(stream)
    width = text_width(stream)
    style = painted if paints(stream) else plain
    lines = [style(part, "bold") for part in textwrap.wrap(title, width)]
    for section in sections:
        lines += _lines(section, width, style)
    print(harmless("\n".join(lines)) if style is plain else "\n".join(lines), file=stream, flush=True)


def _lines(section: Section, width: int, style: Style) -> Iterator[str]:
    if section.title:
        yield ""
        yield style(section.title, "bold cyan")
    if section.lines:
        yield from rows(section.lines, width, style)
    for sentence in section.sentences:
        yield style(hanging(sentence, width), "")


def table(headings: Iterable[str], rows: Iterable[Iterable[str]], *, right: Iterable[int] = ()) -> None:
    """A plain table with headings, on stdout."""
    from rich.table import Table

    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold cyan", pad_edge=False)
    numbers = set(right)
    for i, heading in enumerate(headings):
        grid.add_column(heading, justify="right" if i in numbers else "left", overflow="fold", no_wrap=i == 0)
    for row in rows:
        grid.add_row(*(_plain(cell) for cell in row))
    if sys.stdout is None:
        return
    out = console()
    if not out.is_terminal:
        out.width = WIDE  # no cell is broken: grep and awk read these lines
    with out.capture() as lines:
        out.print(grid)
    for line in lines.get().splitlines():
        out.out(line.rstrip(), highlight=False)
    out.file.flush()


def _plain(text: str) -> Any:
    """Text that holds no markup, whatever its brackets say."""
    from rich.text import Text

    return Text(harmless(text))
