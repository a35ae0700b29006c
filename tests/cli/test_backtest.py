"""``wattermark backtest`` on files as people have them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from science.rehearsal.histories import BEGIN_S, group, hours, published, zones
from wattermark.cli.main import main
from wattermark.signals.files import read_trace

DAY = [300, 280, 260, 250, 240, 250, 280, 320, 300, 200, 150, 100, 80, 90, 120, 180, 260, 380, 420, 430]
DAY += [410, 380, 350, 320]


def written(path, columns, minutes=60):
    """A wide trace from the beginning of 2022."""
    begin = datetime.fromtimestamp(BEGIN_S, UTC)
    rows = [",".join(["datetime_utc", *columns])]
    for i, values in enumerate(zip(*columns.values(), strict=True)):
        time = (begin + timedelta(minutes=minutes * i)).strftime("%Y-%m-%d %H:%M:%S")
        rows.append(",".join([time, *("" if v is None else f"{v:g}" for v in values)]))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def trace(tmp_path):
    return written(tmp_path / "grid.csv", {"DE": DAY * 10, "FR": [59.7] * 240})


@pytest.fixture(scope="session")
def year(tmp_path_factory):
    """All zones of 2022, as the published file has them."""
    return written(
        tmp_path_factory.mktemp("traces") / "em2022.csv", dict(zip(zones(), hours().T, strict=True))
    )


def told(capsys, path, *words):
    code = main(["backtest", "--trace", str(path), *words, "--json"])
    out, err = capsys.readouterr()
    return json.loads(out) if code == 0 else (code, err)


def test_every_day_on_a_grid_that_is_the_same_every_day(trace, capsys):
    """From midnight on, four hours are cheapest from eleven to three, which waits eleven hours."""
    found = told(capsys, trace, "--hours", "4", "--within", "24h", "--every", "24h", "--zone", "DE")
    (place,) = found["places"]
    best = place["policies"]["best-start"]
    assert (place["place"], place["starts"], place["left_out"]) == ("DE", 10, 0)
    assert place["now_g_per_kwh"] == pytest.approx(272.5)
    assert best["intensity_g_per_kwh"] == pytest.approx(97.5)
    assert best["saving_percent"] == pytest.approx(100 * (1 - 97.5 / 272.5))
    assert list(best["percentiles_percent"].values()) == pytest.approx([best["saving_percent"]] * 7)
    assert (best["worse_percent"], best["ends_later_s"], best["pauses"]) == (0, 11 * 3600, 0)
    assert "best-pauses" not in place["policies"]  # it may not pause
    assert found["together"] is None


def test_pauses_and_all_policies(trace, capsys):
    found = told(
        capsys, trace, "--hours", "30h", "--within", "3d", "--every", "1d", "--interruptible", "--zone", "DE"
    )
    policies = found["places"][0]["policies"]
    whole, pieces = policies["best-start"], policies["best-pauses"]
    assert pieces["intensity_g_per_kwh"] < whole["intensity_g_per_kwh"]
    assert pieces["pauses"] >= 1
    assert pieces["worse_percent"] == 0
    assert all(
        one["intensity_g_per_kwh"] >= pieces["intensity_g_per_kwh"] - 1e-9
        for name, one in policies.items()
        if name != "semi-weekly"  # it has another deadline
    )


def test_a_flat_grid_saves_nothing_and_waits_for_nothing(trace, capsys):
    found = told(capsys, trace, "--hours", "4", "--slack", "24h", "--zone", "FR", "--interruptible")
    for name, one in found["places"][0]["policies"].items():
        assert one["saving_percent"] == pytest.approx(0), name
        assert one["worse_percent"] == 0
    assert found["places"][0]["policies"]["best-start"]["ends_later_s"] == 0


def test_a_gap_is_left_out_and_never_chosen(tmp_path, capsys):
    values = [300.0, 200.0, None, 100.0, 400.0, 300.0] * 8
    path = written(tmp_path / "gaps.csv", {"X": values})
    found = told(capsys, path, "--hours", "1", "--within", "6h")["places"][0]
    assert found["left_out"] == 7
    assert found["policies"]["best-start"]["intensity_g_per_kwh"] == pytest.approx(100)


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_steps_of_any_length_tell_the_same(tmp_path, capsys, minutes):
    """The same grid in finer steps is the same grid."""
    values = [value for value in DAY * 6 for _ in range(60 // minutes)]
    path = written(tmp_path / "fine.csv", {"DE": values}, minutes)
    words = ("--hours", "90m", "--within", "10h", "--every", "2h", "--policy", "best-start")
    found = told(capsys, path, *words, "--policy", "best-pauses")["places"][0]["policies"]
    coarse = told(capsys, written(tmp_path / "c.csv", {"DE": DAY * 6}), *words, "--policy", "best-pauses")
    for name, one in coarse["places"][0]["policies"].items():
        assert found[name]["intensity_g_per_kwh"] == pytest.approx(one["intensity_g_per_kwh"]), name


@pytest.mark.slow
@pytest.mark.parametrize(("job", "slack"), [(12, "24"), (24, "24"), (24, "8760")])
def test_the_published_percentages_of_all_zones(year, capsys, job, slack):
    """As anybody would compute them again with this command, to three decimals."""
    found = told(
        capsys,
        year,
        "--hours",
        str(job),
        "--slack",
        slack,
        "--policy",
        "best-start",
        "--policy",
        "best-pauses",
    )
    policies = found["together"]["policies"]
    table = published()[f"combined_pct_slack_{slack}"]
    whole, pieces = (policies[name]["saving_percent"] for name in ("best-start", "best-pauses"))
    assert whole == pytest.approx(table["defer"][str(job)], abs=5e-4)
    assert pieces - whole == pytest.approx(table["interrupt"][str(job)], abs=5e-4)
    grams = policies["best-start"]["saving_g_per_kwh"]
    assert grams == pytest.approx(published()[f"defer_abs_slack_{slack}"][str(job)]["Global"], abs=5e-4)


@pytest.mark.slow
def test_a_continent_is_the_zones_that_are_named(year, capsys):
    names = [zones()[at] for at in group("Oceania")]
    words = [word for name in names for word in ("--zone", name)]
    found = told(capsys, year, "--hours", "6", "--slack", "24h", *words, "--policy", "best-start")
    theirs = published()["defer_abs_slack_24"]["6"]["Oceania"]
    assert found["together"]["policies"]["best-start"]["saving_g_per_kwh"] == pytest.approx(theirs, abs=5e-4)
    assert [place["place"] for place in found["places"]] == names


@pytest.mark.slow
def test_a_file_of_seven_megabytes_is_read_in_a_second_and_a_half(year):
    import time

    begin = time.process_time()
    assert len(read_trace(year).series) == 123
    assert time.process_time() - begin < 1.5 * 2  # shared machines are slower


def test_a_table_for_people(trace, capsys):
    assert main(["backtest", "--trace", str(trace), "--hours", "4", "--within", "1d", "--every", "1d"]) == 0
    out = capsys.readouterr().out
    assert "DE: 10 starts, 272.5 g/kWh at once" in out
    assert "all 2 places, as their mean at each start" in out
    assert "with a forecast they save less" in out
    (row,) = [line for line in out.splitlines() if line.startswith("best-start")][:1]
    assert row.split()[1:4] == ["97.5", "64.2", "%"]


def test_what_is_true_of_all_places_is_told_once_and_of_one_by_its_name(tmp_path, capsys):
    rows = ["zone,time,value", *(f"A,2022-01-01 {h:02}:00,5" for h in range(6))]
    rows += [f"B,2022-01-01 {h:02}:00,5" for h in (0, 1, 2, 4, 5)]
    path = tmp_path / "zones.csv"
    path.write_text("\n".join(rows))
    assert main(["backtest", "--trace", str(path), "--hours", "1", "--within", "2"]) == 0
    notes = capsys.readouterr().out.split("to know")[1]
    assert notes.count("taken for UTC") == 1
    assert "B: rows are missing in 1 place" in notes
    assert "1 start was left out" in notes


def test_part_of_a_history(trace, capsys):
    words = ("--hours", "1", "--within", "2", "--every", "24h", "--zone", "DE")
    found = told(capsys, trace, *words, "--from", "2022-01-03", "--to", "2022-01-05")
    assert found["begin_s"] == BEGIN_S + 2 * 86400
    assert found["end_s"] == BEGIN_S + 4 * 86400
    assert found["places"][0]["starts"] == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["--hours", "24", "--within", "12h"], "24 hours does not end within 12", id="deadline"),
        pytest.param(["--hours", "0", "--within", "12h"], "takes time", id="no length"),
        pytest.param(["--hours", "soon", "--within", "12h"], "write 24h", id="no duration"),
        pytest.param(["--hours", "1", "--within", "2", "--every", "0"], "every 0 hours", id="every nothing"),
        pytest.param(["--hours", "24", "--within", "48", "--every", "1s"], "can be tried", id="each second"),
        pytest.param(["--hours", "1", "--within", "4", "--utc-offset", "99"], "no offset", id="no clock"),
        pytest.param(["--hours", "1", "--within", "2", "--zone", "D"], "no zone 'D'", id="no such zone"),
        pytest.param(["--hours", "1", "--within", "2", "--policy", "best"], "Did you mean", id="no policy"),
        pytest.param(["--hours", "1", "--within", "99d"], "is 240 hours long", id="longer than the history"),
        pytest.param(["--hours", "1", "--within", "2", "--from", "2030-01-01"], "nothing between", id="from"),
        pytest.param(["--hours", "1", "--within", "2", "--from", "now"], "is no time", id="no time"),
        pytest.param(["--hours", "1", "--within", "2", "--basis", "direct"], "no direct", id="no such basis"),
        pytest.param(["--hours", "1"], "--within --slack", id="neither"),
        pytest.param(["--hours", "1.001", "--within", "2.003h", "--every", "0.001s"], "steps", id="too fine"),
    ],
)
def test_what_cannot_be_meant(trace, capsys, words, says):
    code = main(["backtest", "--trace", str(trace), *words])
    out, err = capsys.readouterr()
    assert says in err
    assert (code, out, err.count("\n")) == (2, "", 1)
