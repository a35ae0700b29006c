"""Trace files as people have them: every form that is read, and every fault that is told."""

import json
import sys
from datetime import UTC, datetime

import pytest

from wattermark.errors import BadTrace, MissingExtra
from wattermark.signals.files import read_trace
from wattermark.values.series import Signal

HOUR = 3600.0


def seconds(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def read(tmp_path, text, name="trace.csv", **given):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_trace(path, **given)


def one(tmp_path, text, **given):
    (series,) = read(tmp_path, text, **given).series
    return series


WIDE = "datetime_utc,DE,FR\n2022-01-01 00:00:00,400.5,60\n2022-01-01 01:00:00,410,61.25\n"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        pytest.param("t.csv", WIDE, {"DE": [400.5, 410], "FR": [60, 61.25]}, id="wide"),
        pytest.param(
            "t.csv", WIDE.replace(",", ";").replace(".", ","), {"DE": [400.5, 410], "FR": [60, 61.25]},
            id="wide, semicolons and decimal commas",
        ),
        pytest.param("t.tsv", WIDE.replace(",", "\t"), {"DE": [400.5, 410], "FR": [60, 61.25]}, id="tabs"),
        pytest.param("t.csv", "\ufeff" + WIDE, {"DE": [400.5, 410], "FR": [60, 61.25]}, id="a BOM"),
        pytest.param("t.csv", WIDE.encode("utf-16"), {"DE": [400.5, 410], "FR": [60, 61.25]}, id="UTF-16"),
        pytest.param("t.csv", WIDE.replace("\n", "\r\n"), {"DE": [400.5, 410], "FR": [60, 61.25]}, id="CRLF"),
        pytest.param("t.csv", "# from me\n\n" + WIDE + "\n\n", {"DE": [400.5, 410], "FR": [60, 61.25]},
                     id="comments and empty lines"),
        pytest.param("t.csv", "time,BA,CI\n2022-01-01T00Z,5,6\n", {"BA": [5], "CI": [6]},
                     id="Bosnia and the Ivory Coast are zones"),
        pytest.param("t.csv", "time,ci\n2022-01-01T00Z,5\n", {"t": [5]}, id="ci is the intensity"),
        pytest.param("my_grid.csv", "time,value\n2022-01-01T00Z,5\n2022-01-01T01Z,6\n", {"my_grid": [5, 6]},
                     id="long, one zone, named by the file"),
        pytest.param(
            "t.csv",
            "zone,time,carbon_intensity\nDE,2022-01-01T00Z,5\nFR,2022-01-01T00Z,1\nDE,2022-01-01T01Z,6\n",
            {"DE": [5, 6], "FR": [1]}, id="long, several zones",
        ),
        pytest.param("t.csv", "time,carbon (kg/kWh)\n2022-01-01 00,0.4\n", {"t": [400]}, id="kilograms"),
        pytest.param("t.csv", "time,moer_lbs_per_mwh\n2022-01-01T00Z,1000\n", {"t": [453.59237]},
                     id="pounds"),
        pytest.param("t.csv", "timestamp,v\n1640995200,5\n1640998800,6\n", {"v": [5, 6]}, id="seconds"),
        pytest.param("t.csv", "timestamp,v\n1640995200000,5\n", {"v": [5]}, id="milliseconds"),
        pytest.param(
            "t.json", json.dumps([
                {"Location": "us", "Time": "2022-01-01T00:00:00+00:00", "Rating": 90, "Duration": "01:00"},
                {"Location": "us", "Time": "2022-01-01T01:00:00+00:00", "Rating": 57, "Duration": "01:00"},
            ]), {"us": [90, 57]}, id="Carbon Aware SDK, a list",
        ),
        pytest.param(
            "t.json", json.dumps({"License": "x", "Emissions": [
                {"Location": "Sydney", "Rating": "0.6", "Time": "2022-01-01T00:00:00Z"}
            ]}), {"Sydney": [0.6]}, id="Carbon Aware SDK, Emissions",
        ),
        pytest.param(
            "t.json", json.dumps({"zone": "DE", "history": [
                {"zone": "DE", "carbonIntensity": 5, "datetime": "2022-01-01T00:00:00Z", "isEstimated": True},
                {"zone": "DE", "carbonIntensity": None, "datetime": "2022-01-01T01:00:00Z"},
                {"zone": "DE", "carbonIntensity": 7, "datetime": "2022-01-01T02:00:00Z"},
            ]}), {"DE": [5, None, 7]}, id="Electricity Maps' answer: null is a gap, never -1",
        ),
    ],
)  # fmt: skip
def test_forms(tmp_path, name, text, told):
    found = {series.place: list(series.values) for series in read(tmp_path, text, name).series}
    assert found == {place: pytest.approx(values) for place, values in told.items()}


def test_a_portal_file_has_a_series_for_each_basis(tmp_path):
    text = (
        "Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO₂eq/kWh (direct),"
        "Carbon Intensity gCO₂eq/kWh (LCA),Low Carbon Percentage,Data Source,Data Estimated\n"
        "2023-01-01 00:00:00,Spain,Spain,ES,82.99,114.42,84.03,entsoe.eu,false\n"
    )
    direct, lifecycle = read(tmp_path, text).series
    assert (direct.place, direct.basis, direct.values) == ("ES", "direct", (82.99,))
    assert (lifecycle.place, lifecycle.basis, lifecycle.values) == ("ES", "lifecycle", (114.42,))
    assert direct.flags == ()  # its header says UTC


@pytest.mark.parametrize(
    ("stamp", "day"),
    [("01/02/2020 00:00:00", "2020-01-02"), ("2020-01-02 00:00:00", "2020-01-02"),
     ("2020-01-02 00:00:00+00:00", "2020-01-02")],
)  # fmt: skip
def test_carboncast_actual_in_all_its_dates(tmp_path, stamp, day):
    """It writes the month first; a later row says so, as no month is the 28th."""
    last = "01/28/2020 00:00:00" if "/" in stamp else "2020-01-28 00:00:00"
    text = f",UTC time,carbon_intensity,coal,wind\n0,{stamp},330.62,12,225\n1,{last},389.74,15,222\n"
    series = one(tmp_path, text, name="CISO_lifecycle_emissions.csv")
    assert (series.place, series.basis) == ("CISO", "lifecycle")
    assert series.begin_s == seconds(day)
    assert series.flags[:1] != ("times without an offset were taken for UTC",)


@pytest.mark.parametrize(
    ("rows", "edges", "values", "flag"),
    [
        pytest.param(["00:00,1", "01:00,2", "03:00,4", "04:00,5", "05:00,6"], [0, 1, 2, 3, 4, 5, 6],
                     [1, 2, None, 4, 5, 6], "missing in 1 place", id="a missing hour is a gap"),
        pytest.param(["01:00,2", "00:00,1"], [0, 1, 2], [1, 2], "sorted", id="reversed rows"),
        pytest.param(["00:00,1", "00:00,3", "01:00,2"], [0, 1, 2], [3, 2], "last of them holds",
                     id="a revision after it"),
        pytest.param(["00:00,1", "01:00,", "02:00,nan", "03:00,NULL", "04:00,5"], [0, 1, 2, 3, 4, 5],
                     [1, None, None, None, 5], None, id="empty, nan and null"),
        pytest.param(["00:00,1", "01:00,2", "02:00,3", "03:00,4", "03:15,5", "03:30,6", "03:45,7"],
                     [0, 1, 2, 3, 3.25, 3.5, 3.75, 4], [1, 2, 3, 4, 5, 6, 7], None,
                     id="hours, then quarters"),
        pytest.param(["00:00,1", "00:15,2", "00:30,3", "00:45,4", "01:00,5", "02:00,6", "03:00,7", "04:00,8"],
                     [0, 0.25, 0.5, 0.75, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6, 7, 8], None,
                     id="quarters, then hours: three in a row are no gaps"),
        pytest.param(["00:00,1", "00:15,2", "00:30,3", "00:45,4", "02:00,5", "02:15,6"],
                     [0, 0.25, 0.5, 0.75, 1, 2, 2.25, 2.5], [1, 2, 3, 4, None, 5, 6], "missing in 1 place",
                     id="quarters with a gap of an hour"),
        pytest.param(["00:00,1", "00:05,2", "00:10,3"], [0, 1 / 12, 2 / 12, 0.25], [1, 2, 3], None,
                     id="five minutes"),
    ],
)  # fmt: skip
def test_steps_and_gaps(tmp_path, rows, edges, values, flag):
    series = one(tmp_path, "time,value\n" + "".join(f"2022-01-01T{row[:5]}Z{row[5:]}\n" for row in rows))
    assert [(edge - seconds("2022-01-01")) / HOUR for edge in series.edges_s] == pytest.approx(edges)
    assert list(series.values) == values
    assert any(flag in told for told in series.flags) if flag else series.flags == ()


def test_a_day_of_daylight_saving_has_23_hours_and_one_of_25(tmp_path):
    """With offsets nothing is missing and nothing twice; the hours are UTC's."""
    spring = [f"2022-03-27T{h:02}:00+0{1 + (h >= 2)}:00,{h}" for h in range(24) if h != 2]
    series = one(tmp_path, "time,value\n" + "\n".join(spring))
    assert (series.end_s - series.begin_s, len(series.values)) == (23 * HOUR, 23)
    autumn = [f"2022-10-30T{h:02}:00+02:00,{h}" for h in range(3)]
    autumn += [f"2022-10-30T{h:02}:00+01:00,{h}" for h in range(2, 24)]
    series = one(tmp_path, "time,value\n" + "\n".join(autumn))
    assert (series.end_s - series.begin_s, len(series.values), series.flags) == (25 * HOUR, 25, ())


def test_a_time_without_offset_is_utc_and_says_so(tmp_path):
    series = one(tmp_path, "time,value\n2022-01-01 00:00,1\n")
    assert series.begin_s == seconds("2022-01-01")
    assert series.flags == ("times without an offset were taken for UTC",)


def test_milliseconds_are_no_day_of_1780(tmp_path):
    """ISO 8601 without its dashes would be one."""
    assert one(tmp_path, "timestamp,value\n1780091180853,5\n").begin_s == 1780091180.853


def test_ends_that_are_told_make_gaps(tmp_path):
    text = (
        "interval_start_utc,interval_end_utc,lmp\n"
        "2024-01-01 00:00+00:00,2024-01-01 00:15+00:00,26\n2024-01-01 01:00+00:00,2024-01-01 01:15+00:00,27\n"
    )
    series = one(tmp_path, text)
    assert (series.signal, series.values) == (
        Signal.PRICE,
        (pytest.approx(0.026), None, pytest.approx(0.027)),
    )
    assert series.edges_s[-1] == seconds("2024-01-01 01:15")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "time,DE\n2022-01-01T00Z,x1\n2022-01-01T01Z,4\n",
            r"t\.csv, line 2: 'x1' in column 'DE' is no number",
            id="no number first",
        ),
        pytest.param(
            "time,DE\n2022-01-01T00Z,4\n2022-01-01T01Z,4o\n",
            r"line 3: '4o' in column 'DE' is no number",
            id="no number",
        ),
        pytest.param(
            "time,DE\n2022-01-01T00Z,4\nyesterday,5\n",
            r"line 3: 'yesterday' in column 'time' is no time",
            id="no time",
        ),
        pytest.param("time,DE\n2022-01-01T00Z,inf\n", "'inf' in column 'DE' is no number", id="infinite"),
        pytest.param("time,DE\n2022-01-01T00Z,-4\n", "below nothing", id="a negative intensity"),
        pytest.param(
            "time,DE\n2022-01-01T00Z,4,5\n", "line 2: 3 cells under 2 columns", id="a cell too many"
        ),
        pytest.param("time,DE\n", "holds no rows", id="a header only"),
        pytest.param(
            "2026-12-01T03:00Z,300\n2026-12-01T04:00Z,310\n", "line 1 holds a moment", id="no header"
        ),
        pytest.param("", "holds no rows", id="nothing at all"),
        pytest.param(
            "time,zone,value\n2022-01-01T00Z,DE,5\n2022-01-01T00Z,,5\n",
            "line 3: no zone",
            id="a row without zone",
        ),
        pytest.param("a,b\n1,2\n", "no column of times", id="no times"),
        pytest.param("time,note\n2022-01-01T00Z,calm\n", "no column of numbers", id="no numbers"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0", "not UTF-8", id="a picture"),
        pytest.param(b"time,DE\n\0\0\0,1\n", "is not text", id="bytes"),
        pytest.param('{"a": ', r"line 1: this is no JSON", id="half a JSON"),
        pytest.param('{"a": 1}', "no list of measurements", id="a JSON of something else"),
        pytest.param(b"PAR1 and no more", "is no Parquet", id="half a Parquet"),
    ],
)
def test_faults_are_told_in_one_sentence(tmp_path, text, says):
    with pytest.raises(BadTrace, match=says) as told:
        read(tmp_path, text, "t.csv")
    assert told.value.exit_code == 2
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadTrace, match="there is no file"):
        read_trace(tmp_path / "no.csv")


def rolling(labels, came, steps=4, broken=None):
    """Issues of a few hours, a day apart, as CarbonCast writes them."""
    lines = [",UTC time,actual_carbon_intensity_lifecycle,forecasted_carbon_intensity_lifecycle"]
    for issue, label in enumerate(labels):
        for step in range(steps):
            time = datetime.fromtimestamp(seconds(label) + step * HOUR, UTC).strftime("%Y-%m-%d %H:%M:%S")
            actual = came[2 * issue + step] if broken != issue else 999
            lines.append(f"{len(lines) - 1},{time},{actual},{came[2 * issue + step] + 1}")
    return "\n".join(lines) + "\n"


LABELS = ["2021-07-01 00:00", "2021-07-01 02:00", "2021-07-01 04:00", "2021-07-01 06:00"]
CAME = [float(100 + i) for i in range(10)]


def test_rolling_forecasts_are_issues_and_one_history(tmp_path):
    trace = read(tmp_path, rolling(LABELS, CAME), "DE_lifecycle.csv")
    (issues,), (history,) = trace.issues, trace.series
    assert (issues.place, issues.basis, issues.steps, issues.step_s) == ("DE", "lifecycle", 4, HOUR)
    assert issues.issued_s == tuple(map(seconds, LABELS))
    assert issues.actual[1] == (102, 103, 104, 105)
    assert issues.forecast[1] == (103, 104, 105, 106)
    assert history.values == tuple(CAME)
    assert (history.begin_s, history.end_s) == (seconds(LABELS[0]), seconds(LABELS[0]) + 10 * HOUR)


@pytest.mark.parametrize(
    ("labels", "broken", "says"),
    [
        pytest.param([*LABELS[:2], LABELS[1], LABELS[3]], None, "1 issue repeats", id="a label repeats"),
        pytest.param([*LABELS[:2], LABELS[1], LABELS[3]], 2, BadTrace, id="and what came contradicts it"),
    ],
)  # fmt: skip
def test_labels_of_issues_may_be_wrong_where_values_go_on(tmp_path, labels, broken, says):
    text = rolling(labels, CAME, broken=broken)
    if says is BadTrace:
        with pytest.raises(BadTrace, match="does not follow the one before"):
            read(tmp_path, text, "DE_lifecycle.csv")
        return
    (issues,) = read(tmp_path, text, "DE_lifecycle.csv").issues
    assert issues.issued_s == tuple(map(seconds, LABELS))
    assert any(says in flag for flag in issues.flags)


def test_labels_that_nothing_confirms_are_not_set_right(tmp_path):
    """Issues that do not overlap could be anything."""
    labels = ["2021-07-01 00:00", "2021-07-02 00:00", "2021-07-02 00:00", "2021-07-03 00:00"]
    with pytest.raises(BadTrace, match="does not follow"):
        read(tmp_path, rolling(labels, CAME), "DE_lifecycle.csv")


def test_an_issue_that_is_cut_short_is_told(tmp_path):
    with pytest.raises(BadTrace, match="has not 4 rows"):
        read(tmp_path, rolling(LABELS, CAME).rsplit("\n", 2)[0] + "\n")


def test_parquet_without_duckdb_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtra, match=r"pip install 'wattermark\[parquet\]'"):
        read(tmp_path, b"PAR1", "t.parquet")


def test_parquet_is_as_csv(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    plain, packed = tmp_path / "t.csv", tmp_path / "t.parquet"
    plain.write_text(WIDE)
    with duckdb.connect() as base:
        base.sql(f"COPY (SELECT * FROM read_csv('{plain}')) TO '{packed}' (FORMAT parquet)")
    one, other = (
        [(s.place, s.edges_s, s.values, s.flags) for s in read_trace(path).series] for path in (plain, packed)
    )
    assert one == other
