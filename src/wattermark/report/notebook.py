"""A section as a notebook shows it: a small table, or plain text where there is no page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from wattermark.report.layout import hanging, rows
from wattermark.report.sheet import Line, Section

WIDTH = 80
_BARE = 'style="border:none;background:none"'
_CELL = 'style="text-align:{side};border:none"'


@dataclass(frozen=True, slots=True)
class Shown:
    """A title over a section. IPython asks it for HTML, or for its ``repr``."""

    title: str
    section: Section
    more: str = ""

    def __repr__(self) -> str:
        lines = [self.title] if self.title else []
        lines += [line.rstrip() for line in rows(self.section.lines, WIDTH, lambda text, _: text)]
        lines += [hanging(sentence, WIDTH) for sentence in self.section.sentences]
        return "\n".join([*lines, f"  {self.more}"] if self.more else lines)

    def _repr_html_(self) -> str:
        """Names come from whoever made them, and are text, never markup."""
        table = "".join(_row(line) for line in self.section.lines)
        told = "".join(f"<li>{escape(sentence.strip())}</li>" for sentence in self.section.sentences)
        return (
            f"<div><b>{escape(self.title)}</b><table {_BARE}>{table}</table>"
            + (f"<ul>{told}</ul>" if told else "")
            + (f"<code>{escape(self.more)}</code>" if self.more else "")
            + "</div>"
        )


def _row(line: Line) -> str:
    best = f"<b>{escape(line.best)}</b>" if line.strong else escape(line.best)
    cells = ((line.label, "left"), (line.interval, "left"), (line.note, "left"))
    label, interval, note = (f"<td {_CELL.format(side=side)}>{escape(text)}</td>" for text, side in cells)
    return f"<tr {_BARE}>{label}<td {_CELL.format(side='right')}>{best}</td>{interval}{note}</tr>"
