"""From what a user calls a place to its grid, its cooling and its water."""

from collections import Counter

import pytest

from wattermark.errors import UsageError
from wattermark.factors.places import MONTHS, When, all_places, given, resolve, site_factors
from wattermark.factors.table import table

SITE = {"pue", "wue", "carbon_intensity", "water_thermal", "water_hydro", "scarcity_site", "scarcity_grid"}
REGIONS = [f"{row['provider']}:{row['region']}" for row in table("cloud_regions")]
GRIDS = [row["key"] for row in table("grids")]
_OWNERS = Counter(row["region"] for row in table("cloud_regions"))
SHARED = [region for region, clouds in _OWNERS.items() if clouds > 1]


@pytest.mark.parametrize(
    ("asked", "resolved", "grid"),
    [
        pytest.param("DEU", "DEU", "DEU", id="three letters"),
        pytest.param("DE", "DEU", "DEU", id="two letters"),
        pytest.param("Germany", "DEU", "DEU", id="its name"),
        pytest.param("germany", "DEU", "DEU", id="in small letters"),
        pytest.param("  deu ", "DEU", "DEU", id="with blanks around"),
        pytest.param("aws:eu-west-1", "aws:eu-west-1", "IRL", id="a cloud's region"),
        pytest.param("AWS:EU-West-1", "aws:eu-west-1", "IRL", id="in capitals"),
        pytest.param("eu-west-1", "aws:eu-west-1", "IRL", id="a region that one cloud has"),
        pytest.param("US-CAMX", "US-CAMX", "US-CAMX", id="an eGRID subregion"),
        pytest.param("us_camx", "US-CAMX", "US-CAMX", id="with an underscore"),
        pytest.param("US-VA", "US-VA", "US-VA", id="a state"),
        pytest.param("Virginia", "US-VA", "US-VA", id="by its name"),
        pytest.param("CA-QC", "CA-QC", "CA-QC", id="a Canadian province"),
        pytest.param("CN-BJ", "CN-BJ", "CN-BJ", id="a Chinese one"),
        pytest.param("US", "USA", "USA", id="the country, not one of its states"),
        pytest.param("CA", "CAN", "CAN", id="Canada, not California"),
        pytest.param("Georgia", "GEO", "GEO", id="the country, not the state"),
        pytest.param("World", "WORLD", "WORLD", id="the world"),
    ],
)
def test_resolve(asked, resolved, grid):
    place = resolve(asked)
    assert (place.asked, place.resolved, place.grid) == (asked.strip(), resolved, grid)
    assert place.steps[0] == repr(asked.strip()) and len(place.steps) >= 2


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        pytest.param("Germny", "'Germny' is not known.*Did you mean DEU", id="a letter is missing"),
        pytest.param(
            "aws:eu-west-11", "'aws:eu-west-11' is not known.*aws:eu-west-1", id="a region too many"
        ),
        pytest.param("eu-west-11", "is not known.*eu-west-1", id="without the cloud"),
        pytest.param("moon:base-1", "'moon:base-1' is not known", id="a cloud that is none"),
        pytest.param("Atlantis", "'Atlantis' is not known.*See: wattermark places", id="nowhere near"),
        pytest.param("", "'' is not known", id="no name"),
    ],
)
def test_an_unknown_place_is_refused_with_what_is_near(asked, says):
    with pytest.raises(UsageError, match=says):
        resolve(asked)


def test_a_region_that_two_clouds_share_names_both():
    """None does today; the day that two clouds take one name, nobody is sent to the wrong one."""
    for region in SHARED:
        with pytest.raises(UsageError, match="several clouds have a region") as caught:
            resolve(region)
        assert all(owner in caught.value.fix for owner in REGIONS if owner.endswith(f":{region}"))


@pytest.mark.parametrize(("asked", "resolved"), [(None, "WORLD"), ("WORLD", "WORLD")])
def test_an_unknown_place_is_the_world_wide_and_flagged(asked, resolved):
    """And never Quebec."""
    place = resolve(asked)
    assert place.resolved == resolved and place.unknown
    assert any(flag.startswith("place-unknown") for flag in place.flags)
    world = site_factors(place)["carbon_intensity"].value
    assert world.high / world.low > 5


def test_a_guess_is_flagged():
    assert any(flag.startswith("place-guessed") for flag in resolve("DE", guess=True).flags)
    assert resolve("DE").flags == ()


def test_a_guessed_region_is_flagged_too():
    assert resolve("aws:eu-west-1", guess=True).guess


def test_every_place_is_listed():
    assert len(list(all_places())) == len(GRIDS) + len(REGIONS)


@pytest.mark.parametrize("places", [GRIDS, REGIONS], ids=["grids", "cloud regions"])
def test_every_place_resolves_and_has_all_factors(places):
    for key in places:
        place = resolve(key)
        factors = site_factors(place)
        assert place.resolved == key and set(factors) == SITE
        assert factors["pue"].least == 1.0 and factors["pue"].value.low >= 1
        assert all(f.source and f.year and f.basis and f.unit and f.key for f in factors.values()), key


def test_every_bare_region_goes_to_its_cloud():
    for region in REGIONS:
        bare = region.partition(":")[2]
        if bare not in SHARED:
            assert resolve(bare).resolved == ("BHS" if bare == "bhs" else region)  # the Bahamas are older


@pytest.mark.parametrize(
    ("place", "site", "grid"),
    [
        pytest.param(
            "aws:us-east-1", "US-VA", "US-SRVC", id="water on site is Virginia's, the plants' the grid's"
        ),
        pytest.param("DEU", "DEU", "DEU", id="a country has one of each"),
        pytest.param("ABW", "WORLD", "WORLD", id="not in AWARE: the world's"),
    ],
)
def test_scarcity_is_that_of_the_water(place, site, grid):
    factors = site_factors(resolve(place))
    assert (factors["scarcity_site"].key, factors["scarcity_grid"].key) == (site, grid)


def test_a_grid_without_water_takes_that_of_the_wider_one_and_says_so():
    missing = [row for row in table("grids") if not row["hydro"] and row["parent"]]
    for row in missing:
        assert site_factors(resolve(row["key"]))["water_hydro"].key != row["key"]


# -- when ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "intensity", "year"),
    [
        pytest.param(None, 329.65, 2025, id="now"),
        pytest.param(When(2025), 329.65, 2025, id="the year of the table"),
        pytest.param(When(2099), 329.65, 2025, id="the future: the newest"),
        pytest.param(When(2022), 419.74, 2022, id="the year of the gas crisis"),
        pytest.param(When(2019), 392.51, 2019, id="the oldest"),
        pytest.param(When(1999), 329.65, 2025, id="before all: today's, and its year says so"),
    ],
)
def test_a_year_picks_that_year_s_grid(when, intensity, year):
    got = site_factors(resolve("DEU"), when=when)["carbon_intensity"]
    assert (got.value.best, got.year) == (intensity, year)
    assert got.value.low / got.value.best == pytest.approx(281.81 / 329.65)


@pytest.mark.parametrize("month", range(1, 13))
def test_a_month_picks_that_month_s_scarcity(month):
    row = next(one for one in table("scarcity") if one["key"] == "DEU")
    got = site_factors(resolve("DEU"), when=When(2025, month))["scarcity_site"]
    assert got.value.best == float(row[MONTHS[month - 1]])
    assert got.value.low <= got.value.best <= got.value.high
    assert got.identity == f"scarcity_site@DEU/{MONTHS[month - 1]}"


def test_a_year_without_a_month_keeps_the_annual_scarcity():
    assert site_factors(resolve("DEU"), when=When(2022))["scarcity_site"].value.best == 2.09


def test_what_the_user_gave_is_exact_and_theirs():
    theirs = given("pue", 1.07, "1", 2026)
    assert theirs.value.is_exact and (theirs.source, theirs.key) == ("user", "given")
