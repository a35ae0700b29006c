"""Sentences with numbers: those about one work are read, those about two are left alone, and that is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.verbs.lint.linting import read_page
from wattermark.verbs.lint.sentences import sentences

ALL = (
    "Training took 21 days on 512 A100 GPUs with a PUE of 1.1, and at 0.385 kg/kWh it emitted 43.7 tCO2eq "
    "and consumed 113 MWh."
)


def read(text):
    """What each sentence claims, and how many numbers were left."""
    page = read_page(f"# A model\n\n{text}\n", "card.md")
    found = [
        {one.quantity: one.text for one in group.claims if not one.ours}
        for group in page.groups
        if group.prose
    ]
    return found, page.unread


@pytest.mark.parametrize(
    ("text", "found", "unread"),
    [
        pytest.param(ALL, [{"duration_s": "21", "devices": "512", "pue": "1.1", "carbon_g": "43.7",
                            "intensity_g_per_kwh": "0.385", "energy_j": "113"}], 0, id="all of a training"),
        pytest.param("It consumed 433 MWh of energy,\nand emitted 25 t of CO2eq.",
                     [{"energy_j": "433", "carbon_g": "25"}], 0, id="over two lines"),
        pytest.param("It took 184,320 A100 GPU hours at 400 W.",
                     [{"device_time_s": "184,320", "power_w": "400"}], 0, id="hours of a name"),
        pytest.param("We trained on 4 nodes with 4 V100 GPUs for 100 hours, 1,600 GPU hours in all.",
                     [{"duration_s": "100", "device_time_s": "1,600", "devices": "16"}], 0, id="nodes"),
        pytest.param("5 models on 8 A100 GPUs for 24 hours, 960 GPU hours in sum.",
                     [{"duration_s": "24", "device_time_s": "960"}], 0, id="several models"),
        pytest.param("It ran 3 days on 16 A100 GPUs (400 W each), 1,152 GPU hours.",
                     [{"duration_s": "3", "power_w": "400", "device_time_s": "1,152", "devices": "16"}], 0,
                     id="a power of each"),
        pytest.param("We used 81 MWh. It emitted 31.2 tCO2eq.", [], 2, id="one number a sentence"),
        pytest.param("The small one took 10 MWh and the large one 20 MWh, or 8 tCO2eq.", [], 3,
                     id="two works: energy twice"),
        pytest.param("It used 10 MWh, while a car emits 5 t of CO2 per year.", [], 2, id="a comparison"),
        pytest.param("With that we saved 10 MWh and 4 tCO2eq.", [], 2, id="what was not used"),
        pytest.param("Data of 90 days weigh 5 kg, and 10-20 kWh is a range.", [], 1, id="no footprint"),
        pytest.param("It used 0 kWh and emitted 0 kg of CO2.", [], 0, id="zeros"),
        pytest.param("Version 2.1 has 24 layers; batch size 512, 3 epochs.", [], 0, id="no units"),
        pytest.param("```\nIt used 10 MWh and emitted 4 tCO2eq.\n```", [], 0, id="code"),
    ],
)  # fmt: skip
def test_a_sentence_about_one_work_is_read(text, found, unread):
    assert read(text) == (found, unread)


@pytest.mark.parametrize("rest", ["Energy: 5 MWh", "| a | b |\n|---|---|\n| c | d |"])
def test_lists_and_tables_are_no_sentences(rest):
    assert read(rest) == ([], 0)


@given(
    st.lists(st.sampled_from(["It is so.", "5 MWh", "", "- an item", "# T", "1. one", "<" * 9, "A. B.", ALL]))
)
def test_every_sentence_knows_its_line(lines):
    told = list(sentences(enumerate(lines, start=1)))
    for sentence in told:
        for at in range(len(sentence.text)):
            line = sentence.line_at(at)
            assert sentence.line <= line <= len(lines) and lines[line - 1].strip()
