"""Whatever a provider tells, in whatever order, becomes a series that can be believed, or an error."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.errors import BadSignal
from wattermark.signals.answers import entries_of, harmless, iso, json_of, mapping_of, moment, number
from wattermark.signals.tidy import About, Point, between, joined, series_of, usual_step
from wattermark.values.series import Answer, Series, Signal

T0 = 1_711_843_200.0  # 2024-03-31T00:00:00Z
HOUR = 3600.0
ABOUT = About(signal=Signal.CARBON, place="deu", source="them")


def points(*told, step=HOUR):
    """(hour, value) pairs."""
    return [Point(T0 + hour * step, value) for hour, value in told]


def hours(series):
    return [(edge - T0) / HOUR for edge in series.edges_s]


@pytest.mark.parametrize(
    ("told", "edges", "values"),
    [
        pytest.param([(0, 10), (1, 20)], [0, 1, 2], [10, 20], id="in order"),
        pytest.param([(1, 20), (0, 10)], [0, 1, 2], [10, 20], id="reversed"),
        pytest.param([(0, 10), (0, 10), (1, 20)], [0, 1, 2], [10, 20], id="told twice"),
        pytest.param([(0, 10), (0, 11), (1, 20)], [0, 1, 2], [11, 20], id="told twice, the last stands"),
        pytest.param([(0, 10), (0, None), (1, 20)], [0, 1, 2], [10, 20], id="a null replaces no number"),
        pytest.param([(0, None), (1, 20)], [0, 1, 2], [None, 20], id="a null is a gap"),
        pytest.param([(0, 10), (1, 20), (4, 50)], [0, 1, 2, 4, 5], [10, 20, None, 50], id="missing slots"),
        pytest.param([(0, "10"), (1, " 20.5 ")], [0, 1, 2], [10, 20.5], id="numbers in quotes"),
        pytest.param([(0, "nan"), (1, "x"), (2, 3)], [0, 1, 2, 3], [None, None, 3], id="no numbers"),
        pytest.param([(0, True), (1, [7]), (2, 3)], [0, 1, 2, 3], [None, None, 3], id="of no type of ours"),
        pytest.param([(0, -5), (1, 20)], [0, 1, 2], [None, 20], id="negative"),
        pytest.param([(0, 1e9), (1, 20)], [0, 1, 2], [None, 20], id="out of all proportion"),
        pytest.param([(0, 0), (1, 20)], [0, 1, 2], [0, 20], id="zero can be"),
        pytest.param([(7, 10)], [7, 8], [10], id="one alone holds an hour"),
        pytest.param([(0, 1), (0.5, 2), (1.5, 4)], [0, 0.5, 1, 1.5, 2], [1, 2, None, 4], id="half hours"),
    ],
)  # fmt: skip
def test_points_become_steps(told, edges, values):
    series = series_of(points(*told), ABOUT)
    assert (hours(series), list(series.values)) == (edges, values)


@pytest.mark.parametrize(
    ("old", "new", "stands"),
    [
        pytest.param(1.0, 2.0, 20, id="the later revision"),
        pytest.param(2.0, 1.0, 10, id="the later revision, told first"),
        pytest.param(None, 1.0, 20, id="unknown: the last"),
        pytest.param(1.0, 1.0, 20, id="of one moment: the last"),
    ],
)
def test_of_two_revisions_the_later_stands(old, new, stands):
    told = [Point(T0, 10, revised_s=old), Point(T0, 20, revised_s=new)]
    assert series_of(told, ABOUT).values == (stands,)


def test_ends_that_are_told_are_kept_and_overlaps_are_cut():
    told = [Point(T0, 1, end_s=T0 + 1800), Point(T0 + 3600, 2, end_s=T0 + 9000), Point(T0 + 7200, 3, T0)]
    series = series_of(told, ABOUT)
    assert hours(series) == [0, 0.5, 1, 2, 3]
    assert series.values == (1, None, 2, 3)


def test_what_was_wrong_is_said():
    told = [Point(None, 5), *points((0, -1), (1, None), (3, 2))]
    assert series_of(told, ABOUT).flags == (
        "unreadable: 1 of 4 points have no time",
        "unbelievable: 1 values are not from 0 to 3000 g/kWh: gaps",
        "gaps: 3 of 4 steps have no value",
    )


@pytest.mark.parametrize("told", [[], [Point(None, 5)]], ids=["nothing", "no times"])
def test_nothing_is_no_series(told):
    with pytest.raises(BadSignal, match="them told nothing of deu"):
        series_of(told, ABOUT)


def test_units_are_changed_before_values_are_believed():
    assert series_of(points((0, 1000), (1, 9000)), ABOUT, scale=0.45359237).values == (453.59237, None)


MOMENTS = st.floats(T0, T0 + 1e6)
VALUES = st.one_of(st.none(), st.floats(), st.text(max_size=5), st.integers(), st.booleans())


@given(st.lists(st.builds(Point, MOMENTS, VALUES, st.none() | MOMENTS, st.none() | MOMENTS), min_size=1))
def test_whatever_is_told_is_a_series_in_order(told):
    """The value itself refuses edges that do not rise, and values that are not finite."""
    series = series_of(told, ABOUT)
    assert {point.begin_s for point in told} >= {series.begin_s}
    assert all(value is None or 0 <= value <= 3000 for value in series.values)


@given(st.permutations(points((0, 1), (1, 2), (2, None), (5, 4), (6, 5))))
def test_the_order_of_the_telling_means_nothing(told):
    assert series_of(told, ABOUT) == series_of(sorted(told, key=lambda p: p.begin_s), ABOUT)


# -- several as one --------------------------------------------------------------------


def steps(begin, *values, forecast=None, flags=()):
    edges = tuple(T0 + (begin + i) * HOUR for i in range(len(values) + 1))
    since = None if forecast is None else T0 + forecast * HOUR
    return Series(
        signal=Signal.CARBON, place="deu", source="them", edges_s=edges, values=values,
        forecast_from_s=since, flags=flags,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("several", "edges", "values", "forecast"),
    [
        pytest.param([steps(0, 1, 2)], [0, 1, 2], (1, 2), None, id="one alone"),
        pytest.param([steps(0, 1, 2), steps(2, 3)], [0, 1, 2, 3], (1, 2, 3), None, id="one after another"),
        pytest.param([steps(0, 1, 2), steps(1, 9)], [0, 1, 2], (1, 9), None, id="the last one stands"),
        pytest.param([steps(0, 1, 2), steps(1, None)], [0, 1, 2], (1, 2), None, id="a gap replaces nothing"),
        pytest.param([steps(0, 1), steps(3, 4)], [0, 1, 3, 4], (1, None, 4), None, id="a gap between"),
        pytest.param([steps(0, 1), steps(1, 2, 3, forecast=1)], [0, 1, 2, 3], (1, 2, 3), 1, id="a forecast"),
        pytest.param(
            [steps(0, 1, 2, forecast=0), steps(0, 7)], [0, 1, 2], (7, 2), 1, id="came since it was forecast"
        ),
    ],
)
def test_several_become_one(several, edges, values, forecast):
    one = joined(several)
    since = None if one.forecast_from_s is None else (one.forecast_from_s - T0) / HOUR
    assert (hours(one), one.values, since) == (edges, values, forecast)


def test_flags_come_together_and_gaps_are_counted_anew():
    one = joined(
        [steps(0, 1, flags=("a", "gaps: 7 of 9 steps have no value")), steps(2, 2, flags=("b", "a"))]
    )
    assert one.flags == ("a", "b", "gaps: 1 of 3 steps have no value")


@pytest.mark.parametrize(
    ("begin", "end", "values"),
    [
        pytest.param(0, 4, (1, 2, 3), id="all"),
        pytest.param(1, 2, (2,), id="one"),
        pytest.param(1.5, 1.6, (2,), id="inside of one"),
        pytest.param(0.5, 1.5, (1, 2), id="two in part"),
        pytest.param(3, 9, None, id="after"),
        pytest.param(-9, 0, None, id="before"),
    ],
)
def test_a_stretch_of_a_series(begin, end, values):
    part = between(steps(0, 1, 2, 3), T0 + begin * HOUR, T0 + end * HOUR)
    assert (part and part.values) == values


@pytest.mark.parametrize(
    ("moments", "step"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([5.0], None, id="one alone"),
        pytest.param([0.0, 60.0], 60.0, id="two"),
        pytest.param([0.0, 1.0, 2.0, 9.0], 1.0, id="a hole"),
        pytest.param([0.0, 1.0, 3.0], 1.0, id="as many holes as steps"),
        pytest.param([0.0, 2.0, 3.0, 5.0, 7.0, 9.0], 1.0, id="more holes than steps"),
        pytest.param([*range(20), 19.5], 1.0, id="a slip"),
        pytest.param([2.0**i for i in range(20)], 1.0, id="none is usual"),
    ],
)
def test_the_usual_step(moments, step):
    assert usual_step(moments) == step


# -- words -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("2024-03-31T00:00Z", T0, id="no seconds"),
        pytest.param("2024-03-31T00:00:00.000Z", T0, id="milliseconds"),
        pytest.param("2024-03-31T00:00:00.0000000Z", T0, id="seven digits, as .NET writes"),
        pytest.param("2024-03-31T02:00:00+02:00", T0, id="an offset"),
        pytest.param("2024-03-31T00", T0, id="an hour"),
        pytest.param("2024-03-31 00:00:00", T0, id="a space, no zone"),
        pytest.param(T0, T0, id="seconds"),
        pytest.param(int(T0 * 1000), T0, id="milliseconds since 1970"),
        pytest.param(str(int(T0)), T0, id="seconds in quotes"),
        pytest.param("1066-10-14T00:00Z", None, id="of no time of ours"),
        pytest.param("soon", None, id="a word"),
        pytest.param(None, None, id="null"),
        pytest.param(True, None, id="true"),
        pytest.param(float("nan"), None, id="nan"),
        pytest.param({"at": 1}, None, id="an object"),
        pytest.param("2024-02-31T00:00Z", None, id="no such day"),
    ],
)
def test_a_moment_in_any_spelling(written, read):
    assert moment(written) == read


@pytest.mark.parametrize(
    ("day", "length"),
    [
        pytest.param(("2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00"), 23, id="spring"),
        pytest.param(("2024-10-27T00:00+02:00", "2024-10-28T00:00+01:00"), 25, id="autumn"),
    ],
)
def test_a_day_with_a_change_of_the_clock_keeps_its_hours(day, length):
    first, last = (moment(one) for one in day)
    series = series_of([Point(first + i * HOUR, 5) for i in range(length)], ABOUT)
    assert (series.begin_s, series.end_s) == (first, last)
    assert set(pairwise(series.edges_s)) == {
        (first + i * HOUR, first + (i + 1) * HOUR) for i in range(length)
    }


def test_a_moment_is_written_as_it_is_read():
    assert moment(iso(T0 + 61)) == T0 + 61


@given(st.text() | st.integers() | st.floats() | st.none() | st.binary())
def test_no_word_breaks_the_reading(word):
    assert number(word) is None or abs(number(word)) < float("inf")
    moment(word)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"  \n", "them answered nothing", id="empty"),
        pytest.param(b"<html>\x1b[31m down</html>", "no JSON: '<html> .31m down</html>'", id="a page"),
        pytest.param(b"\xff\xfe\x00", "no JSON", id="no text"),
        pytest.param(b"[" * 100_000, "no JSON", id="nested without end"),
        pytest.param(b'{"a": 1', "no JSON", id="cut off"),
    ],
)
def test_what_is_no_json_is_told(body, says):
    with pytest.raises(BadSignal, match=says):
        json_of(Answer(status=200, body=body), "them")


@pytest.mark.parametrize(
    ("found", "number_of"), [({}, 1), ([{}, {}], 2), ([{}, 5, None], 1), ([], 0), ("x", 0), (None, 0)]
)
def test_a_list_or_the_one_that_stands_for_it(found, number_of):
    assert len(entries_of(found)) == number_of


@pytest.mark.parametrize("found", [[], [1], "x", None, [{}, {}]])
def test_what_is_no_object_is_refused(found):
    with pytest.raises(BadSignal, match="unknown form"):
        mapping_of(found, "them")


def test_a_sentence_of_a_stranger_is_cut_and_harmless():
    told = harmless("no\n\x1b]0;way " + "x" * 500, most=20)
    assert told == "no ]0;way xxxxxxx..."
