"""Sections to a terminal. Colour, width and NO_COLOR are rich's; without a terminal plain text comes out."""

from __future__ import annotations

import io
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from wattermark.cli.terminal import harmless

if TYPE_CHECKING:
    from rich.console import Console

    from wattermark.report.sheet import Line, Section

WIDTH, WIDE = 80, 400


def print_json(document: object) -> None:
    """One document on one line of stdout."""
    print(json.dumps(document, separators=(",", ":"), allow_nan=False), flush=True)


def console(*, stderr: bool = False) -> Console:
    """A console that is never wider than 80 columns: numbers are easier to compare that way."""
    from rich.console import Console

    class Told(Console):
        def on_broken_pipe(self) -> None:
            """The reader left, as head does; rich would exit with 1, which has a meaning of its own here."""
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # an ASCII terminal shows a question mark for a micro sign
    found = Told(stderr=stderr, highlight=False, soft_wrap=False)
    if not found.is_terminal or found.width > WIDTH:
        found.width = WIDTH
    return found


def paint(sections: Iterable[Section], *, title: str = "", stderr: bool = False) -> None:
    """Write sections one under the other."""
    if (sys.stderr if stderr else sys.stdout) is None:
        return  # closed: nobody reads it
    from rich.console import Group

    out = console(stderr=stderr)
    parts = [_plain(title, "bold")] if title else []
    for section in sections:
        parts += _parts(section, out.width)
    out.print(Group(*parts))  # at once: each call of its own takes a third of a millisecond
    out.file.flush()


def _parts(section: Section, width: int) -> Iterator[Any]:
    if section.title:
        yield _plain(f"\n{section.title}", "bold cyan")
    if section.lines:
        yield _table(section.lines)
    if section.sentences:
        yield _plain("\n".join(_hanging(sentence, width) for sentence in section.sentences))


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


def _table(lines: Iterable[Line]) -> Any:
    from rich.table import Table

    lines = list(lines)
    labels = max(len(line.label) + 2 for line in lines)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=min(max(labels, 27), 32))  # a column that may shrink is cut, not wrapped
    grid.add_column(justify="right", no_wrap=True, min_width=9)
    grid.add_column(no_wrap=True)
    grid.add_column()
    for line in lines:
        style = "bold" if line.strong else ""
        grid.add_row(
            _plain(f"  {line.label}", style), _plain(line.best, style), _plain(line.interval, "dim"),
            _plain(line.note, "dim"),
        )  # fmt: skip
    return grid


def _hanging(sentence: str, width: int) -> str:
    first = "   " if sentence.startswith(" ") else " - "
    return textwrap.fill(
        sentence.lstrip(), width, initial_indent=first, subsequent_indent="   ", break_on_hyphens=False
    )


def _plain(text: str, style: str = "") -> Any:
    """Text that holds no markup, whatever its brackets say."""
    from rich.text import Text

    return Text(harmless(text), style=style)
