"""Numbers from papers, with their papers: no row gets in without."""

from importlib import resources
from pathlib import Path

import pytest

from wattermark.errors import BadFactorTable, FactorNotFound
from wattermark.factors import table as tables
from wattermark.factors.hardware import accelerator, device_factors, host_factors
from wattermark.factors.serving import _knot
from wattermark.factors.table import (
    Index,
    check_rows,
    factor,
    named,
    number,
    rows_by,
    source_ids,
    table,
    whole,
)

TABLES = sorted(
    path.name.removesuffix(".csv")
    for path in (resources.files("wattermark.factors") / "tables").iterdir()
    if path.name.endswith(".csv")
)
HEAD = "name,low,best,high,unit,year,basis,source"
GOOD = "pue,1.1,1.2,1.4,1,2024,site,iea"
TRIPLES = (
    ("low", "best", "high"),
    ("low", "annual", "high"),
    *((f"{name}_low", name, f"{name}_high") for name in ("pue", "wue", "ci", "thermal", "hydro")),
    *((f"{name}_low", name, f"{name}_high") for name in ("embodied_kg", "embodied_water_l")),
)


def rows(*lines, name="carbon"):
    return list(check_rows([HEAD, *lines], table=name, known=frozenset({"iea", "epa"})))


# -- what a row needs ------------------------------------------------------------------


@pytest.mark.parametrize("line", [GOOD, "pue,1.1,1.2,1.4,1,2024,-,iea+epa"], ids=["one paper", "two papers"])
def test_a_row_with_its_papers_gets_in(line):
    (row,) = rows(line)
    assert (row["best"], row["year"]) == ("1.2", "2024")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param("pue,1.1,1.2,1.4,1,2024,site,", "carbon.csv:3: source is empty", id="no paper"),
        pytest.param(
            "pue,1.1,1.2,1.4,1,2024,site,blog", "carbon.csv:3: source 'blog' is not", id="a stranger's"
        ),
        pytest.param("pue,1.1,1.2,1.4,1,2024,site,iea+blog", "carbon.csv:3: source 'blog'", id="one of two"),
        pytest.param("pue,1.1,1.2,1.4,1,,site,iea", "carbon.csv:3: year is '', not a year", id="no year"),
        pytest.param("pue,1.1,1.2,1.4,1,soon,site,iea", "carbon.csv:3: year is 'soon'", id="a year to come"),
        pytest.param("pue,1.1,1.2,1.4,1,2024,,iea", "carbon.csv:3: basis is empty", id="no basis"),
        pytest.param("pue,1.1,1.2", "carbon.csv:3: the line has not as many cells", id="a short line"),
        pytest.param(GOOD + ",more", "carbon.csv:3: the line has not as many cells", id="a long line"),
    ],
)
def test_a_bad_row_is_named_by_table_and_line(line, says):
    with pytest.raises(BadFactorTable, match=says):
        rows(GOOD, line)


def test_an_empty_line_does_not_shift_the_number():
    with pytest.raises(BadFactorTable, match=r"carbon\.csv:4: source is empty"):
        rows(GOOD, "", "pue,1.1,1.2,1.4,1,2024,site,")


def test_a_quote_that_never_ends_is_a_bad_table_too():
    with pytest.raises(BadFactorTable, match=r"carbon.csv:\d: unexpected end"):
        rows('pue,1.1,1.2,1.4,1,2024,"site,iea')


def test_a_source_needs_an_id():
    with pytest.raises(BadFactorTable, match=r"sources\.csv:2: id is empty"):
        list(check_rows(["id,title", ",nobody"], table="sources", known=frozenset()))


@pytest.mark.parametrize(
    ("cell", "error", "says"),
    [
        pytest.param("", FactorNotFound, "no best is known", id="an empty cell is unknown, not zero"),
        pytest.param("n/a", BadFactorTable, "best is 'n/a', not a number", id="no number"),
        pytest.param("nan", BadFactorTable, "best is 'nan', which no factor can be", id="nan"),
        pytest.param("1e308", BadFactorTable, "best is '1e308', which no factor", id="nearly without end"),
    ],
)
def test_a_cell_that_holds_no_number(cell, error, says):
    with pytest.raises(error, match=says):
        number({"best": cell}, "best")


def test_a_column_that_is_not_there_is_a_bad_table():
    (row,) = check_rows(["id,source,year,basis", "a,iea,2024,-"], table="t", known=frozenset({"iea"}))
    with pytest.raises(BadFactorTable, match="there is no column tdp_w"):
        row["tdp_w"]
    with pytest.raises(BadFactorTable, match="there is no column best"):
        number(row, "best")


def test_a_row_that_another_names_must_be_there():
    with pytest.raises(BadFactorTable, match=r"grids\.csv has no row for 'IRL'"):
        Index("grids", [("DEU", {})])["IRL"]
    assert rows_by("accelerators", "id")["h100-sxm"]["vendor"] == "nvidia"


@pytest.mark.parametrize("cell", ["null", "", "-1", "1.5", "²"])
def test_a_cell_that_holds_no_whole_number(cell):
    with pytest.raises(BadFactorTable, match=r"heads is .*, not a whole number"):
        whole({"heads": cell}, "heads")


def test_a_factor_is_never_below_nothing():
    row = {"low": "-1", "best": "0.3", "high": "0.5", "basis": "b", "source": "s", "year": "2025"}
    with pytest.raises(BadFactorTable, match="mfu of here is -1, below nothing"):
        factor(row, "mfu", key="here", columns=("low", "best", "high"), unit="1")


def test_what_divides_is_never_zero(tmp_path, monkeypatch):
    for name in ("defaults", "sources"):
        text = (Path(tables.TABLES) / f"{name}.csv").read_text()
        (tmp_path / f"{name}.csv").write_text(
            text.replace("server_lifetime_years,4,", "server_lifetime_years,0,")
        )
    monkeypatch.setattr(tables, "TABLES", str(tmp_path))
    table.cache_clear()
    try:
        with pytest.raises(BadFactorTable, match="server_lifetime_years is 0 at least, and divides"):
            named.__wrapped__("defaults", "server_lifetime_years")
    finally:
        table.cache_clear()


def test_ends_out_of_order_are_a_bad_table():
    row = {"low": "3", "best": "2", "high": "4", "year": "2024", "basis": "-", "source": "iea"}
    with pytest.raises(BadFactorTable, match="pue of DEU: a range needs"):
        factor(row, "pue", key="DEU", columns=("low", "best", "high"), unit="1")


# -- our tables ------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_a_table_loads_and_every_row_has_its_papers(name):
    assert len(table(name)) >= 5
    for row in table(name) if name != "sources" else ():
        assert set(row["source"].split("+")) <= source_ids()
        assert 2005 <= int(row["year"]) <= 2030 and row["basis"]


@pytest.mark.parametrize("name", TABLES)
def test_low_is_not_above_best_nor_best_above_high(name):
    """A number without ends stands alone, in the middle; half an interval is none."""
    for line, row in enumerate(table(name), 2):
        for columns in (triple for triple in TRIPLES if set(triple) <= set(row)):
            cells = [float(row[column]) for column in columns if row[column]]
            whole = len(cells) in (0, 3) or (len(cells) == 1 and row[columns[1]])
            assert whole and cells == sorted(cells) and all(c >= 0 for c in cells), (
                f"{name}.csv:{line}: {columns}"
            )


@pytest.mark.parametrize(
    ("name", "column", "least", "most"),
    [
        pytest.param("cloud_regions", "pue_low", 1, 2, id="no region has a PUE below 1"),
        pytest.param("provider_pue_wue", "pue", 1, 2.5, id="no provider has"),
        pytest.param(
            "grids", "ci", 5, 1400, id="no grid is without carbon, or worse than old gas in Turkmenistan"
        ),
        pytest.param("grids", "thermal", 0, 10, id="thermal plants do not drink rivers"),
        pytest.param("scarcity", "annual", 0.1, 100, id="AWARE lies between 0.1 and 100"),
        pytest.param("scarcity", "jul", 0.1, 100, id="in summer, too"),
        pytest.param("cpu_tdp", "tdp_w", 1, 1000, id="TDPs in watts"),
        pytest.param("accelerators", "tdp_w", 10, 3000, id="accelerators' too"),
    ],
)
def test_numbers_are_of_their_kind(name, column, least, most):
    out = [row for row in table(name) if row[column] and not least <= float(row[column]) <= most]
    assert not out


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("grids", ("key",)),
        ("cloud_regions", ("provider", "region")),
        ("scarcity", ("key",)),
        ("grid_history", ("key", "year")),
        ("accelerators", ("id",)),
        ("defaults", ("name",)),
        ("embodied", ("name",)),
        ("sources", ("id",)),
        ("cpu_tdp", ("name",)),
    ],
)
def test_nothing_is_told_twice(name, columns):
    keys = [tuple(row[c] for c in columns) for row in table(name)]
    assert len(set(keys)) == len(keys)


def test_every_source_says_what_its_licence_asks_for():
    assert not [row["id"] for row in table("sources") if not (row["licence"] and row["attribution"])]


@pytest.mark.parametrize("name", [row["name"] for row in table("defaults")])
def test_every_default_is_a_factor(name):
    one = named("defaults", name)
    assert one.value.low <= one.value.best <= one.value.high
    assert one.least == (1 if name.startswith("pue") else 0)


def test_a_default_that_is_not_there_is_not_found():
    with pytest.raises(FactorNotFound, match="no pue_of_atlantis in defaults"):
        named("defaults", "pue_of_atlantis")


# -- hardware --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "row"),
    [
        pytest.param("NVIDIA H100 80GB HBM3", "h100-sxm", id="as the driver says it"),
        pytest.param("NVIDIA H100 PCIe", "h100-pcie", id="the card"),
        pytest.param("NVIDIA A100-SXM4-80GB", "a100-sxm-80", id="with the memory told"),
        pytest.param("NVIDIA A100-SXM4-40GB", "a100-sxm-40", id="with less of it"),
        pytest.param("NVIDIA A10", "a10", id="A10"),
        pytest.param("NVIDIA A10G", "a10g", id="A10G: the longer name wins"),
        pytest.param("NVIDIA L40S", "l40s", id="L40S is no L40"),
        pytest.param("NVIDIA A100-SXM-64GB", None, id="an A100 of a supercomputer is no A10"),
        pytest.param("nvidia h100 pcie", "h100-pcie", id="in small letters"),
        pytest.param("Voodoo 2", None, id="not in the table"),
        pytest.param("", None, id="no name"),
    ],
)
def test_an_accelerator_by_its_driver_s_name(device, row):
    found = accelerator(device)
    assert (found and found["id"]) == row


@pytest.mark.parametrize("row", table("accelerators"), ids=lambda row: row["id"])
def test_every_accelerator_is_found_by_its_own_names(row):
    for name in row["match"].split(";"):
        assert accelerator(f"  {name.upper()} ")["id"] == row["id"]


def test_an_unknown_accelerator_is_a_typical_one_with_a_wider_interval_and_says_so():
    carbon, water = device_factors("Brand New 9000")
    typical, _ = device_factors("NVIDIA A100-SXM4-80GB")
    assert carbon.value.best == typical.value.best
    assert carbon.value.low < typical.value.low and carbon.value.high > typical.value.high
    assert "unknown" in carbon.key and carbon.basis == water.basis == "guessed"


@pytest.mark.parametrize(("accelerators", "key"), [(True, "per accelerator"), (False, "per logical cpu")])
def test_the_machine_around_the_work(accelerators, key):
    carbon, water = host_factors(accelerators=accelerators)
    assert (carbon.name, water.name) == ("embodied_host_carbon", "embodied_host_water")
    assert carbon.key == water.key == key and carbon.unit.startswith("kg")


def test_a_power_fraction_of_no_batch_is_a_bad_table():
    with pytest.raises(BadFactorTable, match="power_fraction_12x in serving_fit"):
        _knot("power_fraction_12x")
    assert _knot("power_fraction_128") == 128
