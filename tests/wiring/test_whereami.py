"""The place of this machine, from files that clouds, makers and people leave."""

import json

import pytest

from wattermark.wiring.whereami import where_am_i

ZONE_TAB = (
    "# comment\nDE\t+5230+01322\tEurope/Berlin\tmost of Germany\nUS\t+404251-0740023\tAmerica/New_York\n"
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Where a machine with such files thinks it is; each file may be absent."""
    monkeypatch.delenv("TZ", raising=False)

    def ask(*, cloud=None, vendor=None, product="", zone=None, link=None, tab=ZONE_TAB):
        if cloud is not None:
            (tmp_path / "cloud").write_text(cloud if isinstance(cloud, str) else json.dumps(cloud))
        (tmp_path / "dmi").mkdir()
        if vendor is not None:
            (tmp_path / "dmi" / "sys_vendor").write_text(vendor + "\n")
            (tmp_path / "dmi" / "product_name").write_text(product + "\n")
        if zone is not None:
            (tmp_path / "timezone").write_text(zone + "\n")
        if link is not None:
            (tmp_path / "localtime").symlink_to(link)
        if tab is not None:
            (tmp_path / "zone.tab").write_text(tab)
        return where_am_i(
            cloud_init=tmp_path / "cloud",
            dmi=tmp_path / "dmi",
            localtime=tmp_path / "localtime",
            timezone=tmp_path / "timezone",
            zoneinfo=[tmp_path / "nowhere", tmp_path],
        )

    return ask


def v1(name, region):
    return {"v1": {"cloud_name": name, "region": region}}


@pytest.mark.parametrize(
    ("cloud", "place"),
    [
        pytest.param(v1("aws", "eu-west-1"), "aws:eu-west-1", id="Amazon"),
        pytest.param(v1("gce", "europe-west4"), "gcp:europe-west4", id="Google"),
        pytest.param(v1("azure", "westeurope"), "azure:westeurope", id="Microsoft"),
        pytest.param(v1("AWS", "us-east-1"), "aws:us-east-1", id="in capitals"),
        pytest.param(v1("oracle", "eu-frankfurt-1"), "oci:eu-frankfurt-1", id="Oracle"),
    ],
)
def test_cloud_init_tells_provider_and_region(here, cloud, place):
    where = here(cloud=cloud, zone="America/New_York")
    assert (where.place, where.guess) == (place, False)
    assert "cloud-init" in where.found


@pytest.mark.parametrize(
    "cloud",
    [
        v1("nocloud", "home"), v1("aws", None), v1("aws", ""), v1("aws", 7), v1(None, "x"), {"v1": None},
        {"v1": []},
        {}, [], "null", "{broken", "",
    ],
    ids=repr,
)  # fmt: skip
def test_cloud_init_that_tells_nothing_is_passed_over(here, cloud):
    assert here(cloud=cloud).place is None


@pytest.mark.parametrize(
    ("vendor", "product", "maker"),
    [
        pytest.param("Amazon EC2", "m5.large", "aws", id="Amazon"),
        pytest.param("Google", "Google Compute Engine", "gcp", id="Google"),
        pytest.param("Microsoft Corporation", "Virtual Machine", "azure", id="Microsoft"),
        pytest.param("Microsoft Corporation", "Surface Laptop 5", None, id="a laptop of Microsoft's"),
        pytest.param("Google", "Pixelbook", None, id="a laptop of Google's"),
        pytest.param("Dell Inc.", "PowerEdge R750", None, id="a server of one's own"),
    ],
)
def test_the_makers_name_alone_gives_no_place_but_a_hint(here, vendor, product, maker):
    where = here(vendor=vendor, product=product)
    assert where.place is None
    assert (f"--place {maker}:REGION" in where.found) == (maker is not None)


@pytest.mark.parametrize(
    ("files", "place"),
    [
        pytest.param({"zone": "Europe/Berlin"}, "DE", id="Debian's file"),
        pytest.param({"link": "/usr/share/zoneinfo/America/New_York"}, "US", id="a link"),
        pytest.param({"link": "../usr/share/zoneinfo/Europe/Berlin"}, "DE", id="a relative link"),
        pytest.param(
            {"link": "/usr/share/zoneinfo/Europe/Berlin", "zone": "America/New_York"},
            "DE",
            id="the link wins",
        ),
        pytest.param({"zone": "Etc/UTC"}, None, id="UTC is nowhere"),
        pytest.param({"zone": "Europe/Berlin", "tab": None}, None, id="no table of zones"),
        pytest.param({}, None, id="nothing at all"),
    ],
)
def test_the_time_zone_is_a_guess(here, files, place):
    where = here(**files)
    assert (where.place, where.guess) == (place, place is not None)


@pytest.mark.parametrize("text", ["Europe/Berlin", ":Europe/Berlin"])
def test_the_variable_goes_before_the_files(here, monkeypatch, text):
    monkeypatch.setenv("TZ", text)
    assert here(zone="America/New_York").place == "DE"


def test_nothing_says_so(here):
    assert here().found == "nothing on this machine tells where it is"


@pytest.mark.parametrize("name", ["cloud", "timezone", "zone.tab", "dmi/sys_vendor"])
def test_a_file_of_junk_is_no_harm(here, tmp_path, name):
    here(vendor="x", zone="Europe/Berlin")
    (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    where_am_i(
        cloud_init=tmp_path / "cloud", dmi=tmp_path / "dmi", localtime=tmp_path / "no",
        timezone=tmp_path / "timezone", zoneinfo=[tmp_path],
    )  # fmt: skip
