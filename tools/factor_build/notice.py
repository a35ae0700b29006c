"""Writes NOTICE from the licence registry."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from .common import Row

_HEAD = """\
wattermark
Copyright the wattermark contributors

This product is licensed under the Apache License, Version 2.0.
It measures and estimates the energy, carbon and water of machine-learning runs.
"""

_MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def _entry(row: Row) -> str:
    about = [
        row["publisher"],
        *(part for part in [row["version"]] if part != "-"),
        f"licence: {row['licence']}",
    ]
    lines = ["; ".join(about), row["attribution"]]
    if row["url_or_doi"] not in ("", "-"):
        lines.append(row["url_or_doi"])
    return "\n".join([f"* {row['title']}", *(_wrapped(line) for line in lines)])


def _wrapped(text: str) -> str:
    return textwrap.fill(
        text, 100, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _section(title: str, rows: Iterable[Row]) -> str:
    return f"{title}\n\n" + "\n\n".join(_entry(row) for row in rows)


def make_notice(sources: Sequence[Row]) -> str:
    """Return the text of NOTICE: data under a licence, facts with their citation, tests' data, MIT terms."""
    others = [row for row in sources if row["id"] != "ours"]
    licensed = [row for row in others if row["ship"] == "yes"]
    facts = [row for row in others if row["ship"] == "facts"]
    tests = [row for row in others if row["ship"] == "tests"]
    parts = [
        _HEAD,
        _section("This product includes data from:", licensed),
        _section("This product states facts, with citation, from:", facts),
        _section("Its tests, which are not installed, include data from:", tests),
        "The parts marked MIT above are used under these terms:\n\n" + _MIT,
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
