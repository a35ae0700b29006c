"""The text of exporters: read to the letter, and refused as a whole where it cannot be meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.readers.exposition import count_of, samples

WANTED = {"joules_total"}


def read(page):
    return [(one.name, dict(one.labels), one.shown) for one in samples(page, WANTED)]


@pytest.mark.parametrize(
    ("line", "labels", "shown"),
    [
        pytest.param("joules_total 5", {}, "5", id="bare"),
        pytest.param("joules_total{} 5", {}, "5", id="no labels"),
        pytest.param('joules_total{zone="package"} 1.5e+06', {"zone": "package"}, "1.5e+06", id="one label"),
        pytest.param('joules_total{a="1",b="2",} 5', {"a": "1", "b": "2"}, "5", id="a comma at the end"),
        pytest.param('joules_total { a = "1" , b="" } 5', {"a": "1", "b": ""}, "5", id="spaces"),
        pytest.param('joules_total{a="x"} 5 1395066363000', {"a": "x"}, "5", id="a time stamp"),
        pytest.param(r'joules_total{a="C:\\D \"x\"\n"} 5', {"a": 'C:\\D "x"\n'}, "5", id="escapes"),
        pytest.param('joules_total{a="}, {b=\\"1\\""} 5', {"a": '}, {b="1"'}, "5", id="braces in a value"),
        pytest.param("joules_total NaN", {}, "NaN", id="no number"),
        pytest.param("joules_total +Inf", {}, "+Inf", id="without end"),
        pytest.param("\tjoules_total\t5\t\r", {}, "5", id="tabs, and the line ends of another system"),
    ],
)
def test_a_line_is_read(line, labels, shown):
    page = f"# HELP joules_total {{ \n# TYPE joules_total counter\n\nother{{broken 7\n{line}\n"
    assert read(page) == [("joules_total", labels, shown)]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("<!DOCTYPE html>", id="HTML"),
        pytest.param('{"error": 1}', id="JSON"),
        pytest.param("joules_total", id="no value"),
        pytest.param("joules_total five", id="a word"),
        pytest.param("joules_total 0x10", id="hexadecimal"),
        pytest.param("joules_total 1_000", id="as Python writes it"),
        pytest.param("joules_total 5 6 7", id="too much"),
        pytest.param("joules_total 5 1.5", id="half a millisecond"),
        pytest.param("joules_total{a=1} 5", id="a label without quotes"),
        pytest.param('joules_total{a="1" 5', id="no brace"),
        pytest.param('joules_total{a="1"b="2"} 5', id="no comma"),
        pytest.param('joules_total{a="1",a="2"} 5', id="a label twice"),
        pytest.param(r'joules_total{a="\q"} 5', id="an escape that there is not"),
        pytest.param('joules_total{a="' + "x" * 30_000 + '"} 5', id="endless"),
    ],
)
def test_a_page_with_a_line_that_cannot_be_meant_is_refused(line):
    with pytest.raises(ValueError, match="line 2"):
        read(f"joules_total 1\n{line}\n")


def test_a_page_of_too_many_lines_is_refused(monkeypatch):
    monkeypatch.setattr("wattermark.readers.exposition.MOST_LINES", 5)
    with pytest.raises(ValueError, match="more than 5 lines"):
        read("joules_total 1\n" * 6)


@given(st.dictionaries(st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]*", fullmatch=True), st.text(), max_size=4))
def test_whatever_a_label_holds_comes_back(labels):
    escaped = {k: v.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for k, v in labels.items()}
    told = ",".join(f'{name}="{value}"' for name, value in escaped.items())
    assert read(f"joules_total{{{told}}} 5") == [("joules_total", labels, "5")]


@given(st.text(alphabet='joules_total{}=",\\n 15e+.\n#<', max_size=60))
def test_no_page_breaks_it_in_another_way(page):
    try:
        read(page)
    except ValueError as error:
        assert str(error).startswith("line ")


@pytest.mark.parametrize(
    ("shown", "per_unit", "count"),
    [
        ("1.5152422938e+10", 1, 15_152_422_938),
        ("1234567890123456.789", 1000, 1_234_567_890_123_456_789),  # more digits than a float holds
        ("68.244000", 1000, 68_244),
        ("0", 1, 0),
        ("1234567.891234", 10**6, 1_234_567_891_234),
        ("-1", 1, None),
        ("-0.5", 10, None),
        ("NaN", 1, None),
        ("Inf", 1, None),
        ("-Inf", 1, None),
        ("1e300", 1, None),
        ("1e-300", 1, 0),
        ("5e18", 1, None),
    ],
)
def test_a_number_becomes_a_whole_one_exactly_or_none(shown, per_unit, count):
    assert count_of(shown, per_unit) == count


@given(st.integers(0, 2**52))
def test_microjoules_written_as_joules_are_microjoules_again(count):
    whole, rest = divmod(count, 10**6)
    assert count_of(f"{whole}.{rest:06d}", 10**6) == count
