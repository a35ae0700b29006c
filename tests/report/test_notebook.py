"""A summary in a notebook: the same as text and as a table, and names are never markup."""

from wattermark.report.notebook import Shown
from wattermark.report.sheet import Line, Section

SECTION = Section("", (Line("energy", "1.2 kJ", "1 - 1.4 kJ", strong=True), Line("<i>", "-")), ("a & b",))


def test_text_stands_in_columns():
    assert repr(Shown("run  ok", SECTION, "more: show")).splitlines() == [
        "run  ok",
        "  energy                        1.2 kJ  1 - 1.4 kJ",
        "  <i>                                -",
        " - a & b",
        "  more: show",
    ]


def test_a_table_holds_the_same_and_no_markup_of_others():
    page = Shown("<script>", SECTION)._repr_html_()
    assert "<b>&lt;script&gt;</b>" in page and "&lt;i&gt;" in page and "<li>a &amp; b</li>" in page
    assert "<script>" not in page and page.count("<tr ") == 2 and "<b>1.2 kJ</b>" in page
