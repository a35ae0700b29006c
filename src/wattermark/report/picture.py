"""A few marks of SVG: what a drawing of ours is made of. Text is escaped here, numbers are short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

INK, FAINT, HAIR, GROUND = "#1f2937", "#6b7280", "#e5e7eb", "#ffffff"
COLOURS = ("#0f766e", "#b45309", "#4338ca", "#be123c", "#4d7c0f", "#7e22ce")
"""Told apart by people who see colours differently, and by their order in the key."""
FONT = "font-family='system-ui, sans-serif'"


@dataclass(frozen=True, slots=True)
class Axis:
    """From values between two ends to places between two others."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        """Where a value stands."""
        span = (self.high - self.low) or 1.0
        return self.first + (value - self.low) / span * (self.last - self.first)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values between the ends, their steps 1, 2 or 5 times a power of ten."""
        span = (self.high - self.low) or 1.0
        power = 1.0
        while power * 10 <= span / most:
            power *= 10
        while power > span / most:
            power /= 10
        step = next(power * times for times in (1, 2, 5, 10) if span / (power * times) <= most)
        first = -(-self.low // step)
        return [step * i for i in range(int(first), int(self.high // step) + 1)]


def drawing(width: int, height: int, marks: Iterable[str], *, told: str) -> str:
    """A whole picture; ``told`` is what it shows, for those who do not see it."""
    body = "\n".join(marks)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' "
        f"height='{height}' role='img' aria-label='{escape(told)}'>\n"
        f"<rect width='{width}' height='{height}' fill='{GROUND}'/>\n{body}\n</svg>\n"
    )


def text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12, colour: str = INK) -> str:
    """Words at a place."""
    place = f"x='{_n(x)}' y='{_n(y)}' text-anchor='{anchor}'"
    return f"<text {place} {FONT} font-size='{size}' fill='{colour}'>{escape(words)}</text>"


def line(x1: float, y1: float, x2: float, y2: float, *, colour: str = HAIR, width: float = 1) -> str:
    """A straight line."""
    ends = f"x1='{_n(x1)}' y1='{_n(y1)}' x2='{_n(x2)}' y2='{_n(y2)}'"
    return f"<line {ends} stroke='{colour}' stroke-width='{_n(width)}'/>"


def path(points: Sequence[tuple[float, float] | None], *, colour: str, width: float = 1.5) -> str:
    """A line through points; None is a gap in it."""
    moves, drawn = [], False
    for point in points:
        if point is not None:
            moves.append(f"{'L' if drawn else 'M'}{_n(point[0])} {_n(point[1])}")
        drawn = point is not None
    return f"<path d='{''.join(moves)}' fill='none' stroke='{colour}' stroke-width='{_n(width)}'/>"


def bar(x1: float, y: float, x2: float, height: float, *, colour: str, told: str = "") -> str:
    """A filled stretch, never too thin to be seen."""
    size = f"width='{_n(max(x2 - x1, 1.0))}' height='{_n(height)}'"
    title = f"<title>{escape(told)}</title>" if told else ""
    return f"<rect x='{_n(x1)}' y='{_n(y)}' {size} fill='{colour}'>{title}</rect>"


def dot(x: float, y: float, *, colour: str, radius: float = 4, told: str = "") -> str:
    """A point, with what it is."""
    title = f"<title>{escape(told)}</title>" if told else ""
    return f"<circle cx='{_n(x)}' cy='{_n(y)}' r='{_n(radius)}' fill='{colour}'>{title}</circle>"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
