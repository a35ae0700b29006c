"""Sections on a terminal: nothing is cut, columns stand under each other, colour only where it is wanted."""

import io

import pytest

from wattermark.cli.paint import paint
from wattermark.cli.terminal import painted, paints, plain
from wattermark.report.layout import hanging, rows
from wattermark.report.sheet import Line, Section

LINES = (
    Line("weighted by scarcity", "1,720 m3 eq", "371 - 6,410 m3 eq", "AWARE, subdivision level"),
    Line("on site", "71.5 m3", "6.33 - 258 m3"),
    Line("operational, location-based, of all that was seen", "32.6 t", "17.8 - 65.4 t", strong=True),
)


def test_columns_stand_under_each_other_and_the_last_one_is_wrapped():
    told = list(rows(LINES, 80, plain))
    assert max(map(len, told)) <= 80
    assert told == [
        "  weighted by scarcity            1,720 m3 eq  371 - 6,410 m3 eq  AWARE,",
        "                                                                  subdivision",
        "                                                                  level",
        "  on site                             71.5 m3  6.33 - 258 m3",
        "  operational, location-based,         32.6 t  17.8 - 65.4 t",
        "  of all that was seen",
    ]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_every_word_is_there_in_whatever_width(width):
    text = " ".join(rows(LINES, width, plain))
    for line in LINES:
        for word in f"{line.label} {line.best} {line.interval} {line.note}".split():
            assert word in text


def test_a_sentence_hangs_from_its_stroke():
    assert hanging("one two three", 9) == " - one\n   two\n   three"
    assert hanging(" and more", 20) == "   and more"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environ", "stream", "colour"),
    [
        pytest.param({"TERM": "xterm"}, Terminal(), True, id="a terminal"),
        pytest.param({"TERM": "dumb"}, Terminal(), False, id="a dumb one"),
        pytest.param({"TERM": "xterm"}, io.StringIO(), False, id="a pipe"),
        pytest.param({"TERM": "xterm", "NO_COLOR": "1"}, Terminal(), False, id="no-color.org"),
        pytest.param({"FORCE_COLOR": "1"}, io.StringIO(), True, id="forced"),
        pytest.param({"FORCE_COLOR": "1", "NO_COLOR": "1"}, Terminal(), False, id="both: no wins"),
    ],
)
def test_colour_only_where_it_is_wanted(monkeypatch, environ, stream, colour):
    for name in ("TERM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", stream)
    paint([Section("carbon", LINES[:1])], title="estimate")
    assert paints(stream) is colour
    assert ("\x1b[1m" in stream.getvalue()) is colour


def test_a_text_gives_no_orders_of_its_own():
    assert painted("a\x1b[2Jb", "bold cyan") == "\x1b[1;36ma\ufffd[2Jb\x1b[0m"
    assert painted("", "bold") == ""
