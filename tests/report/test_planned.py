"""A plan as a document, as lines, and as a picture."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from science.schedule.made import HOUR, job, outlook, rates
from wattermark.report.plan_picture import plan_picture
from wattermark.report.planned import plan_document, plan_of, plan_sections
from wattermark.science.schedule.choice import choose
from wattermark.science.schedule.verdict import Known, judged
from wattermark.values.plan import Heard, Saving, Spread
from wattermark.values.series import Signal

DRY = {"wue": [0, 0, 0], "water_hydro": [0, 0, 0]}
PLACES = [
    outlook("home", carbon=[30, 20, 10], water_thermal=[1, 2, 3], **DRY),
    outlook("<away & far>", carbon=[5, None, 20], water_thermal=[9, 2, 3], **DRY),
]


@pytest.fixture
def plan():
    weights = {"carbon": 1.0}
    planned = job(within=3)
    known = [rates("home", carbon=[30, 20, 10])]
    made = judged(
        planned,
        choose(known, planned, weights),
        [Known(one, {}) for one in known],
        PLACES,
        weights=weights,
        made_s=0.0,
    )
    heard = Heard(
        signal=Signal.CARBON,
        place="home",
        source="s",
        basis="direct",
        begin_s=0,
        end_s=HOUR,
        age_s=60,
        error=0.1,
    )
    saving = Saving(quantity="carbon", planned=0.5, spread=Spread(0.1, 0.4, 0.6), worse_chance=0.05)
    return replace(made, heard=(heard,), savings=(saving,), flags=("stale: x",))


def test_a_document_reads_back_as_the_same_plan(plan):
    document = json.loads(json.dumps(plan_document(plan, str)))
    assert plan_of(document) == plan


def test_a_person_reads_the_verdict_first_and_the_chance_to_lose(plan):
    first, *others = plan_sections(plan, str)
    assert first.sentences == (plan.verdict,)
    text = repr(others)
    assert all(
        word in text for word in ("10.0 % to 60.0 %", "P50 40.0 %, worse: 5%", "off by 10%", "stale: x")
    )


@pytest.mark.parametrize("gone", [False, True], ids=["with curves", "of a place that nobody tells of"])
def test_a_picture_is_xml_and_names_escape(plan, gone):
    outlooks = [replace(PLACES[0], series={})] if gone else PLACES
    root = ElementTree.fromstring(plan_picture(plan, outlooks, str))
    words = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert " ".join(words).startswith(plan.verdict)
    assert gone or "<away & far>" in words
    paths = list(root.iter("{http://www.w3.org/2000/svg}path"))
    assert len(paths) == (0 if gone else 2)
    assert gone or paths[1].get("d").count("M") == 2  # the gap is one


def test_a_picture_holds_all_its_words(plan):
    many = [replace(PLACES[0], asked=f"azure:germanywestcentral{i}") for i in range(8)]
    long = replace(plan, verdict="Worth waiting: " + "it takes more water. " * 20)
    root = ElementTree.fromstring(plan_picture(long, [PLACES[0], *many], str))
    words = list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert " ".join(one.text for one in words if one.get("font-size") == "15") == long.verdict.strip()
    assert "and 3 more, not drawn" in [one.text for one in words]
    wide = {
        one.text: float(one.get("x")) + 7 * len(one.text) for one in words if one.get("font-size") == "12"
    }
    assert max(wide.values()) <= 840
    key = [(float(one.get("x")), one.get("y")) for one in words if "azure" in one.text]
    assert len(set(key)) == len(key) == 5
