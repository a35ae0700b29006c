"""Redfish: trees made from the data model's description, of servers, blades and racks, and junk."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.web import Page, Server, document
from wattermark.errors import ReaderUnavailable
from wattermark.readers import chassis
from wattermark.readers.chassis import Told, sources
from wattermark.readers.redfish import RedfishReader
from wattermark.values.kinds import Node

SECRET = "s3cret-of-the-bmc"
ROOT = "/redfish/v1/Chassis"


def link(path):
    return {"@odata.id": path}


def collection(*paths):
    return {"Members": [link(path) for path in paths], "Members@odata.count": len(paths)}


def one(name, kind="RackMount", *, inside="", **told):
    """A chassis and what it tells: ``environment``, ``supplies`` (one each) or ``control``."""
    path = f"{ROOT}/{name}"
    tree = {path: {"@odata.id": path, "Id": name, "ChassisType": kind, "Links": {}}}
    if inside:
        tree[path]["Links"]["ContainedBy"] = link(f"{ROOT}/{inside}")
    if "environment" in told:
        tree[path]["EnvironmentMetrics"] = link(f"{path}/EnvironmentMetrics")
        tree[f"{path}/EnvironmentMetrics"] = {
            key: {"DataSourceUri": f"{path}/Sensors/{key}", "Reading": value}
            for key, value in told["environment"].items()
        }
    if "supplies" in told:
        subsystem = f"{path}/PowerSubsystem"
        tree[path]["PowerSubsystem"] = link(subsystem)
        tree[subsystem] = {"CapacityWatts": 2000, "PowerSupplies": link(f"{subsystem}/PowerSupplies")}
        bays = [f"{subsystem}/PowerSupplies/Bay{i}" for i, _ in enumerate(told["supplies"])]
        tree[f"{subsystem}/PowerSupplies"] = collection(*bays)
        for bay, readings in zip(bays, told["supplies"], strict=True):
            tree[bay] = {"Status": {"State": "Enabled" if readings is not None else "Absent"}}
            if readings is not None:
                tree[bay]["Metrics"] = link(f"{bay}/Metrics")
                tree[f"{bay}/Metrics"] = {key: {"Reading": value} for key, value in readings.items()}
    if "control" in told:
        tree[path]["Power"] = link(f"{path}/Power")
        tree[f"{path}/Power"] = {
            "PowerControl": [
                {
                    "@odata.id": f"{path}/Power#/PowerControl/{i}",
                    "MemberId": str(i),
                    "PowerConsumedWatts": watts,
                }
                for i, watts in enumerate(told["control"])
            ]
        }
    return tree


def machine(*chassis_):
    tree = {ROOT: collection(*(next(iter(tree)) for tree in chassis_))}
    for part in chassis_:
        tree |= part
    return tree


def reader_of(tree):
    """As the reader gets it: through JSON."""

    def get(path):
        if path not in tree:
            raise OSError("answers 404")
        return chassis.document(json.dumps(tree[path]).encode())

    return get


def ask(tree, named=""):
    get = reader_of(tree)
    return chassis.added([source(get) for source in sources(get, named)])


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        pytest.param(
            machine(one("1", environment={"PowerWatts": 374.5, "EnergykWh": 7855.02}, control=[999])),
            Told(28_278_072_000_000, 374_500),
            id="the environment's metrics before all others",
        ),
        pytest.param(
            machine(one("1", environment={"TemperatureCelsius": 39}, control=[344])),
            Told(None, 344_000),
            id="an environment without power",
        ),
        pytest.param(
            machine(one("1", environment={"EnergykWh": 1}, control=[344])),
            Told(3_600_000_000, None),
            id="energy alone",
        ),
        pytest.param(
            machine(
                one(
                    "1",
                    supplies=[
                        {"InputPowerWatts": 200.25, "EnergykWh": 1},
                        {"InputPowerWatts": 150, "EnergykWh": 2},
                    ],
                    control=[999],
                )
            ),
            Told(3 * 3_600_000_000, 350_250),
            id="two power supplies, at their inputs",
        ),
        pytest.param(
            machine(one("1", supplies=[{"InputPowerWatts": 350}, {"InputPowerWatts": 0}, None])),
            Told(None, 350_000),
            id="a power supply in reserve, and an empty bay",
        ),
        pytest.param(
            machine(one("1", supplies=[{"InputPowerWatts": 350}, {"InputPowerWatts": None}], control=[600])),
            Told(None, 600_000),
            id="half of the power supplies is no machine",
        ),
        pytest.param(
            machine(one("1", supplies=[{"OutputPowerWatts": 300}], control=[344, 120, 40])),
            Told(None, 344_000),
            id="the first control is the server, the others its processors and memory",
        ),
        pytest.param(
            machine(
                one("Self", control=[500]),
                one("GPU", "Module", inside="Self", environment={"PowerWatts": 300}),
            ),
            Told(None, 500_000),
            id="a GPU's board lies in the server",
        ),
        pytest.param(
            machine(one("GPU", "Component", environment={"PowerWatts": 300}), one("Self", control=[500])),
            Told(None, 500_000),
            id="a part that does not say where it lies",
        ),
        pytest.param(
            machine(
                one("Rack", "Rack", control=[9000]),
                one("Enc", "Enclosure", inside="Rack", control=[4000]),
                one("B3", "Blade", inside="Enc", control=[500]),
            ),
            Told(None, 500_000),
            id="the only blade that this controller knows, not its enclosure",
        ),
        pytest.param(
            machine(
                one("Outer", "Other", inside="Gone", control=[700]),
                one("Mid", "Other", inside="Outer"),
                one("Inner", "Other", inside="Mid", control=[300]),
            ),
            Told(None, 700_000),
            id="inside through one that tells nothing",
        ),
        pytest.param(
            machine(one("Head", "RackMount", control=[700]), one("Box", "Expansion", control=[300])),
            Told(None, 1_000_000),
            id="a server and a box beside it add up",
        ),
        pytest.param(
            machine(
                one("A", "Other", inside="B", control=[700]),
                one("B", "Other", inside="A"),
            ),
            Told(None, 700_000),
            id="two that lie in each other",
        ),
        pytest.param(
            machine(
                one("1", "Other", environment={"TemperatureCelsius": 20}),
                one("2", "Other", inside="1", control=[5]),
            ),
            Told(None, 5_000),
            id="the outer one tells a temperature only",
        ),
    ],
)
def test_what_a_tree_tells(tree, told):
    assert ask(tree) == told


TWO_BLADES = machine(
    one("Enc", "Enclosure", control=[4000]),
    one("B1", "Blade", inside="Enc", control=[400]),
    one("B2", "Blade", inside="Enc", control=[500]),
)


def test_of_several_machines_the_user_names_one():
    with pytest.raises(ValueError, match="several machines: B1, B2"):
        ask(TWO_BLADES)
    assert ask(TWO_BLADES, "B2") == Told(None, 500_000)
    assert ask(TWO_BLADES, "Enc") == Told(None, 4_000_000)
    with pytest.raises(ValueError, match="no chassis 'B3' tells its power"):
        ask(TWO_BLADES, "B3")


def test_two_that_tell_and_lie_in_each_other_are_no_machine():
    tree = machine(one("A", inside="B", control=[700]), one("B", inside="A", control=[300]))
    with pytest.raises(ValueError, match="lie in each other"):
        ask(tree)


@pytest.mark.parametrize("supplies", [[0, 0], [-5, 300], [None, 300], []], ids=repr)
def test_power_supplies_that_tell_no_power_of_the_machine(supplies):
    tree = machine(one("1", supplies=[{"InputPowerWatts": watts} for watts in supplies]))
    with pytest.raises(ValueError, match="no chassis tells its power"):
        ask(tree)


@pytest.mark.parametrize("kwh", [-1, "7855", True, 1e12], ids=repr)
def test_an_energy_that_cannot_be_meant_is_none(kwh):
    assert ask(machine(one("1", environment={"PowerWatts": 344, "EnergykWh": kwh}))) == Told(None, 344_000)


NONSENSE = ["344", True, -1, 0, 30_000, [344], {"Reading": 344}, None, float("nan"), float("inf"), 1e30]


@pytest.mark.parametrize("watts", NONSENSE, ids=repr)
@pytest.mark.parametrize("where", ["environment", "control"])
def test_a_power_that_cannot_be_meant_is_none_and_never_zero(where, watts):
    told = {"PowerWatts": watts} if where == "environment" else [watts]
    with pytest.raises(ValueError, match="no chassis tells its power"):
        ask(machine(one("1", **{where: told})))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(ROOT),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Members",
                    "@odata.id",
                    "Links",
                    "PowerControl",
                    "PowerConsumedWatts",
                    "ContainedBy",
                    "Reading",
                    "PowerWatts",
                    "Power",
                    "PowerSubsystem",
                    "PowerSupplies",
                    "ChassisType",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries(
        {ROOT: st.just(collection(f"{ROOT}/1")), f"{ROOT}/1": JUNK, f"{ROOT}/1/Power": JUNK}
    )
)
def test_whatever_a_controller_answers_is_an_answer_or_an_error(tree):
    tree[f"{ROOT}/1"] = {"Power": link(f"{ROOT}/1/Power")} if tree[f"{ROOT}/1"] is None else tree[f"{ROOT}/1"]
    try:
        told = ask(tree)
    except (OSError, ValueError):
        return
    assert told.power_mw is None or 0 < told.power_mw <= 20_000_000


# -- over the net ----------------------------------------------------------------------

SERVER = machine(one("1", environment={"PowerWatts": 374.5, "EnergykWh": 7855.02}))


@pytest.fixture
def bmc(monkeypatch):
    """A controller behind a password; opens a reader of it."""
    opened = []
    with Server(password=SECRET) as server:

        def serve(tree=None, *, user="admin", password=SECRET, named="", pages=None):
            monkeypatch.setenv("WATTERMARK_REDFISH_URL", server.address)
            for name, value in {"USER": user, "PASSWORD": password, "CHASSIS": named}.items():
                monkeypatch.setenv(f"WATTERMARK_REDFISH_{name}", value)
            server.pages = {path: document(**told) for path, told in (tree or {}).items()} | (pages or {})
            opened.append(RedfishReader())
            return opened[-1], server

        yield serve
        for reader in opened:
            reader.close()


def test_energy_and_power_of_the_machine(bmc):
    reader, _ = bmc(SERVER)
    assert [(c.name, c.unit, c.counted, c.node) for c in reader.channels] == [
        ("platform/redfish-energy", "mJ", False, Node.INPUT),
        ("platform/redfish-power", "mW", False, Node.INPUT),
    ]
    assert reader.read() == [28_278_072_000_000, 374_500]
    assert {reader.period_s(interval_s) for interval_s in (0.01, 1.0, 600.0)} == {1.0}


def test_a_chassis_may_be_named(bmc):
    reader, _ = bmc(TWO_BLADES, named="B2")
    assert reader.read() == [None, 500_000]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param({"tree": SERVER, "password": "wrong"}, "answers 401", id="a wrong password"),
        pytest.param({"tree": SERVER, "user": ""}, "answers 401", id="no name"),
        pytest.param(
            {"pages": {ROOT: Page("<html>Login</html>")}}, "something that is not Redfish", id="HTML"
        ),
        pytest.param(
            {"pages": {ROOT: Page("[" * 100_000)}}, "something that is not Redfish", id="a bomb of brackets"
        ),
        pytest.param({"pages": {ROOT: Page('"text"')}}, "something that is not Redfish", id="a text"),
        pytest.param({"pages": {ROOT: Page("{}", 429)}}, "answers 429", id="too many questions"),
        pytest.param({"pages": {ROOT: Page("{}", 500)}}, "answers 500", id="an error"),
        pytest.param({"tree": {ROOT: {"Members": 5}}}, "has no members", id="a collection that is none"),
        pytest.param({"tree": TWO_BLADES}, "several machines", id="two machines"),
        pytest.param(
            {
                "tree": {
                    ROOT: {"Members": [link("https://evil.example/redfish/v1/x"), link("//evil.example/"), 5]}
                }
            },
            "no chassis tells its power",
            id="links to other hosts",
        ),
    ],
)
def test_what_is_no_answer_is_told_without_the_password(bmc, given, says):
    with pytest.raises(ReaderUnavailable, match=says) as told:
        bmc(**given)
    assert "WATTERMARK_REDFISH_URL" in told.value.fix
    assert SECRET not in f"{told.value} {told.value!r}"


def test_a_controller_that_hangs_is_opened_soon_and_has_gaps(bmc):
    began_s = time.monotonic()
    reader, _ = bmc(pages={ROOT: Page(hangs=True)})
    assert reader.read() == [None, None]
    reader.close()
    assert time.monotonic() - began_s < 1.5


def test_one_that_fails_later_says_why(bmc, monkeypatch):
    monkeypatch.setattr("wattermark.readers.web.PERIOD_S", 0.01)
    reader, server = bmc(SERVER)
    server.pages.clear()
    end_s = time.monotonic() + 5
    with pytest.raises(OSError, match="answers 404"):
        while time.monotonic() < end_s:
            reader.read()
            time.sleep(0.01)


def test_nothing_named_asks_nothing(monkeypatch):
    monkeypatch.delenv("WATTERMARK_REDFISH_URL", raising=False)
    with pytest.raises(ReaderUnavailable, match="no controller is named") as told:
        RedfishReader()
    assert "WATTERMARK_REDFISH_URL=" in told.value.fix and "_PASSWORD" in told.value.fix
