"""Numbers of one piece of work: what agrees is left alone, what does not is told with its likely cause."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wattermark.science.lint.consistency import check, check_group
from wattermark.science.lint.printed import Unit, make_claim, read_number, read_unit
from wattermark.values.claims import Group, Page, Severity, Total
from wattermark.verbs.lint.devices import device_facts
from wattermark.verbs.lint.grouping import grams_field

RUN = {
    "devices": "512", "duration_s": "360 h", "device_time_s": "184320 GPU hours", "power_w": "400 W",
    "it_energy_j": "73.73 MWh", "pue": "1.1", "facility_energy_j": "81.1 MWh",
    "intensity_g_per_kwh": "385 g/kWh", "carbon_g": "31.22 t", "wue_l_per_kwh": "0.5 L/kWh",
    "water_onsite_l": "36860 L", "ewif_l_per_kwh": "3 L/kWh", "water_offsite_l": "243300 L",
    "water_l": "280200 L", "params": "6.738 billion parameters", "tokens": "2000 billion tokens",
    "flops": "8.086e22 FLOP", "peak_flops": "312 TFLOP/s", "tdp_w": "400 W",
}  # fmt: skip
"""Llama 2 7B, with a site's water: 512 accelerators for 15 days."""
RELATIONS = {
    "accelerator time": ("devices", "duration_s", "device_time_s"),
    "energy of accelerators": ("device_time_s", "power_w", "it_energy_j"),
    "energy by their number": ("devices", "duration_s", "power_w", "it_energy_j"),
    "PUE": ("it_energy_j", "pue", "facility_energy_j"),
    "carbon": ("facility_energy_j", "intensity_g_per_kwh", "carbon_g"),
    "carbon before PUE": ("it_energy_j", "pue", "intensity_g_per_kwh", "carbon_g"),
    "carbon of accelerator time": ("device_time_s", "power_w", "pue", "intensity_g_per_kwh", "carbon_g"),
    "water on site": ("it_energy_j", "wue_l_per_kwh", "water_onsite_l"),
    "water off site": ("facility_energy_j", "ewif_l_per_kwh", "water_offsite_l"),
    "water in all": ("water_onsite_l", "water_offsite_l", "water_l"),
    "FLOPs": ("params", "tokens", "flops"),
    "utilisation": ("flops", "peak_flops", "device_time_s"),
    "power and TDP": ("power_w", "tdp_w"),
    "everything": tuple(RUN),
}


PLAIN = Unit("", 1.0, "")


def claim(quantity, text, line=1):
    number = read_number(text)
    return make_claim(quantity, number, read_unit(text[number.end :].strip()) or PLAIN, quantity, line)


def findings(texts, grams=()):
    claims = [grams_field(claim(*one)) if one[0] in grams else claim(*one) for one in texts.items()]
    return check_group(Group("the run", tuple(claims)))


def some(names, **changed):
    return {name: changed.get(name, RUN[name]) for name in names}


# -- what agrees -----------------------------------------------------------------------


@pytest.mark.parametrize("names", RELATIONS.values(), ids=RELATIONS)
def test_numbers_that_agree_are_left_alone(names):
    assert findings(some(names)) == ()


@pytest.mark.parametrize("name", RUN)
def test_a_number_alone_contradicts_nothing(name):
    assert findings(some((name,))) == ()


UNITS = {
    "device_time_s": ("GPU hours", "GPU days"), "duration_s": ("h", "days", "s"),
    "it_energy_j": ("kWh", "MWh", "GJ", "J"), "facility_energy_j": ("kWh", "MWh", "GWh", "MJ"),
    "carbon_g": ("g", "kg", "t", "lbs"), "intensity_g_per_kwh": ("g/kWh", "kg/kWh", "kg/MWh", "t/MWh"),
    "power_w": ("W", "kW"), "water_onsite_l": ("L", "m3", "million L", "gallons"), "water_l": ("L", "kL"),
    "water_offsite_l": ("L", "m3"), "wue_l_per_kwh": ("L/kWh", "m3/MWh"), "ewif_l_per_kwh": ("L/kWh",),
    "flops": ("FLOP", "EFLOP"), "params": ("parameters", "billion parameters"),
    "tokens": ("tokens", "trillion tokens"), "pue": ("",), "devices": ("",),
}  # fmt: skip


@st.composite
def works(draw):
    """A piece of work whose numbers agree, in base units."""
    devices, hours = draw(st.integers(1, 30_000)), draw(st.floats(0.5, 5000))
    power_w, pue = draw(st.floats(50, 1500)), draw(st.floats(1.01, 1.6))
    intensity, wue, ewif = draw(st.floats(15, 1200)), draw(st.floats(0.05, 9)), draw(st.floats(0.1, 90))
    it_kwh = devices * hours * power_w / 1000
    params, tokens = draw(st.floats(1e7, 1e12)), draw(st.floats(1e9, 3e13))
    return {
        "devices": devices, "duration_s": hours * 3600, "device_time_s": devices * hours * 3600,
        "power_w": power_w, "it_energy_j": it_kwh * 3.6e6, "pue": pue,
        "facility_energy_j": it_kwh * pue * 3.6e6, "intensity_g_per_kwh": intensity,
        "carbon_g": it_kwh * pue * intensity, "wue_l_per_kwh": wue, "water_onsite_l": it_kwh * wue,
        "ewif_l_per_kwh": ewif, "water_offsite_l": it_kwh * pue * ewif,
        "water_l": it_kwh * (wue + pue * ewif), "params": params, "tokens": tokens,
        "flops": 6 * params * tokens,
    }  # fmt: skip


@st.composite
def printed_works(draw):
    """Some of a work's numbers, each in a unit of its own and with a number of digits of its own."""
    work = draw(works())
    names = draw(st.sets(st.sampled_from(sorted(work)), min_size=1))
    if "duration_s" in names and "device_time_s" not in names:
        names |= {"devices"}  # who prints wall time and not how many devices there were is asked for it
    return {name: draw(prints(name, work[name])) for name in sorted(names)}


@st.composite
def prints(draw, name, value):
    unit = draw(st.sampled_from(UNITS[name]))
    base = read_unit(unit).base if unit else 1.0
    digits = 12 if name == "devices" else draw(st.integers(3, 8))
    return f"{value / base:.{digits}g} {unit}".strip()


@given(printed_works())
def test_whatever_agrees_is_left_alone_in_whatever_units(texts):
    assert findings(texts) == ()


CHECKED = ("device_time_s", "it_energy_j", "facility_energy_j", "carbon_g", "water_offsite_l")


@settings(max_examples=50)
@given(works(), st.sampled_from(CHECKED), st.sampled_from([1e3, 1e-3]), st.data())
def test_whatever_is_off_by_a_thousand_is_told(work, name, factor, data):
    assume(work["devices"] > 1 and not 900 < work["devices"] < 1100)
    texts = {one: data.draw(prints(one, value)) for one, value in work.items()}
    texts[name] = data.draw(prints(name, work[name] * factor))
    (found,) = findings(texts)
    assert (found.where, found.severity) == (name, Severity.ERROR)
    assert found.ratio > 10 if factor > 1 else found.ratio < 0.1


# -- what does not ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("relation", "changed", "rule", "says"),
    [
        pytest.param("accelerator time", {"device_time_s": "360 GPU hours"}, "accelerator-time",
                     "it is that of one device", id="hours that are not multiplied"),
        pytest.param("accelerator time", {"device_time_s": "7680 GPU hours"}, "accelerator-time",
                     "", id="accelerator days as hours"),
        pytest.param("energy of accelerators", {"it_energy_j": "73.73 kWh"}, "energy",
                     "factor of 1000 (Wh, kWh and MWh", id="kWh for MWh"),
        pytest.param("energy of accelerators", {"it_energy_j": "265.4 MWh"}, "energy",
                     "megajoules are printed as kilowatt-hours", id="gigajoules as MWh"),
        pytest.param("energy by their number", {"it_energy_j": "144 kWh"}, "energy",
                     "it is that of one device, and there are 512", id="one device for all"),
        pytest.param("PUE", {"facility_energy_j": "67.03 MWh"}, "energy",
                     "the PUE was divided, not multiplied", id="PUE divided"),
        pytest.param("PUE", {"facility_energy_j": "89.2 MWh"}, "energy",
                     "the PUE was applied twice", id="PUE twice"),
        pytest.param("carbon before PUE", {"carbon_g": "28.38 t", "pue": "1.58"}, "carbon",
                     "the PUE was left out", id="PUE left out"),
        pytest.param("carbon of accelerator time", {"carbon_g": "70.87 t", "pue": "1.58"}, "carbon",
                     "the PUE was applied twice", id="PUE twice in the carbon"),
        pytest.param("carbon", {"carbon_g": "31.22 kg"}, "carbon",
                     "factor of 1000 (g, kg and t", id="kilograms for tonnes"),
        pytest.param("carbon", {"carbon_g": "68.8 t"}, "carbon",
                     "pounds are printed as kilograms", id="pounds"),
        pytest.param("carbon", {"carbon_g": "3.122 t"}, "carbon",
                     "off by a factor of 10", id="a shifted point"),
        pytest.param("water on site", {"water_onsite_l": "36.86 L"}, "water",
                     "factor of 1000 (L and m3", id="cubic metres as litres"),
        pytest.param("water on site", {"water_onsite_l": "9738 L"}, "water",
                     "gallons are printed as litres", id="gallons"),
        pytest.param("water off site", {"water_offsite_l": "221200 L", "ewif_l_per_kwh": "3.00 L/kWh"},
                     "water", "make 243,300 L", id="water off site without the PUE"),
        pytest.param("water in all", {"water_l": "243300 L"}, "water", "", id="a part that was not added"),
        pytest.param("FLOPs", {"flops": "8.086e19 FLOP"}, "training-flops",
                     "0.001 times 6 x parameters x tokens", id="FLOPs in thousands"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_once_with_its_likely_cause(relation, changed, rule, says):
    (found,) = findings(some(RELATIONS[relation], **changed))
    assert (found.rule, found.where, found.severity) == (rule, next(iter(changed)), Severity.ERROR)
    assert says in found.sentence
    assert found.ratio != pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("texts", "severity", "rule"),
    [
        pytest.param({"pue": "0.9"}, "error", "pue", id="a facility that makes power"),
        pytest.param({"pue": "110"}, "error", "pue", id="a PUE in percent"),
        pytest.param({"intensity_g_per_kwh": "385 kg/kWh"}, "error", "intensity", id="kilograms for grams"),
        pytest.param({"intensity_g_per_kwh": "0.385 g/kWh"}, "error", "intensity", id="grams for kilograms"),
        pytest.param({"share": "38"}, "error", "share", id="a share in percent"),
        pytest.param({"carbon_g": "-5 t"}, "error", "negative", id="less than nothing"),
        pytest.param({"power_w": "0 W"}, "warning", "zero", id="a zero for what is unknown"),
        pytest.param(
            {"flops": "8.086e22 FLOP", "peak_flops": "312 TFLOP/s", "device_time_s": "18432 GPU hours"},
            "error", "implied-mfu", id="four times the peak",
        ),
        pytest.param({"it_energy_j": "73.73 MWh", "facility_energy_j": "368 MWh"},
                     "error", "implied-pue", id="a PUE of five"),
        pytest.param({"facility_energy_j": "81.1 MWh", "carbon_g": "312.2 t"},
                     "error", "implied-intensity", id="more than burnt coal"),
        pytest.param({"power_w": "2000 W", "tdp_w": "400 W"},
                     "error", "implied-power", id="five times the TDP"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_whatever_stands_beside_it(texts, severity, rule):
    (found,) = findings(texts)
    assert (found.severity, found.rule) == (severity, rule)


@pytest.mark.parametrize(
    ("texts", "severity"),
    [
        pytest.param({"duration_s": "24 days", "device_time_s": "221184 GPU hours"}, None, id="both times"),
        pytest.param({"used_time_s": "576 h", "device_time_s": "221184 GPU hours"}, None, id="hours used"),
        pytest.param({"duration_s": "24 days", "power_w": "700 W", "it_energy_j": "154.8 MWh"},
                     "warning", id="energy of devices that nobody counted"),
        pytest.param({"device_time_s": "100 GPU hours", "duration_s": "200 h"},
                     "error", id="less than one device"),
    ],
)  # fmt: skip
def test_the_number_of_devices_may_be_told_by_two_times(texts, severity):
    assert [one.severity for one in findings(texts)] == ([severity] if severity else [])


T4 = {"tdp_w": "70 W", "devices": "1", "duration_s": "5 h"}
MIXTURE = {"params": "671 billion parameters", "active_params": "37 billion parameters",
           "tokens": "14.8 trillion tokens"}  # fmt: skip
PARTS = {"it_energy_j": "0.2 kWh", "energy_cpu_j": "0.5 kWh", "energy_ram_j": "0.3 kWh"}


@pytest.mark.parametrize(
    ("texts", "rules"),
    [
        pytest.param(MIXTURE, [], id="DeepSeek-V3: what is active counts"),
        pytest.param({**MIXTURE, "flops": "3.3e24 FLOP"}, [], id="with its FLOPs"),
        pytest.param({**MIXTURE, "flops": "3.3e25 FLOP"}, ["training-flops"], id="ten times as many"),
        pytest.param({"devices": "8", "duration_s": "10 h", "power_w": "2560 W", "energy_j": "25.6 kWh"}, [],
                     id="a power that is that of all of them"),
        pytest.param({"devices": "8", "duration_s": "10 h", "power_w": "400 W", "energy_j": "4.0 kWh"},
                     ["energy"], id="an energy that is that of one"),
        pytest.param({"devices": "64", "duration_s": "100 h", "system_power_w": "6500 W",
                      "energy_j": "5200 kWh"}, [], id="a power that is that of a machine"),
        pytest.param({**T4, "energy_j": "3.2 kWh"}, [], id="a small board in a large machine"),
        pytest.param({**T4, "energy_j": "21 kWh"}, ["implied-power"], id="and more than any machine"),
        pytest.param({**PARTS, "energy_j": "1.00 kWh"}, [], id="the parts of a machine"),
        pytest.param({**PARTS, "energy_j": "10 kWh"}, ["total"], id="parts that are no tenth of it"),
        pytest.param({**PARTS, "energy_j": "1.20 kWh", "pue": "1.2"}, [], id="parts before the PUE"),
        pytest.param({**PARTS, "energy_j": "2.40 kWh", "pue": "1.2"}, ["total"], id="and twice as much"),
        pytest.param({"it_energy_j": "10.0 kWh", "energy_cpu_j": "2 kWh", "device_time_s": "2.50 GPU hours",
                      "power_w": "400 W"}, ["energy"], id="the accelerators' part by itself"),
        pytest.param({**PARTS, "carbon_g": "400 g", "intensity_g_per_kwh": "400 g/kWh"}, [],
                     id="parts of an energy that nobody prints"),
        pytest.param({"duration_s": "14 days", "energy_j": "17.5 MWh", "tdp_w": "192 W"},
                     ["implied-devices"], id="accelerators that nobody counted"),
        pytest.param({"device_time_s": "3200 GPU hours", "devices": "8", "power_w": "400 W", "share": "0.6",
                      "energy_j": "768 kWh"}, [], id="a power at work, and how much of the time it works"),
        pytest.param({"it_energy_j": "1000 kWh", "carbon_g": "1.5 kg"}, ["implied-intensity"],
                     id="direct emissions where rivers give the electricity"),
        pytest.param({"it_energy_j": "135 MWh", "intensity_g_per_kwh": "0 g/kWh", "carbon_g": "0 t"},
                     ["intensity"], id="one zero, told once"),
        pytest.param({"device_time_s": "184320 GPU hours", "power_w": "400 W", "carbon_g": "0.0 t"}, ["zero"],
                     id="a zero of carbon alone"),
        pytest.param({"device_time_s": "184320 GPU hours", "power_w": "400 W", "pue": "1.1",
                      "facility_energy_j": "73.7 MWh"}, ["energy"], id="a PUE that its own rounding hides"),
        pytest.param({"devices": "8", "power_w": "400 W", "total_power_w": "3.2 kW"}, [], id="two powers"),
        pytest.param({"devices": "8", "power_w": "400 W", "total_power_w": "32 kW"}, ["relation"],
                     id="of which one is wrong"),
        pytest.param({"used_time_s": "72 h", "carbon_g": "200 kg", "tdp_w": "400 W"}, ["implied-intensity"],
                     id="a few of them"),
        pytest.param({"used_time_s": "72 h", "carbon_g": "16.4 t", "tdp_w": "400 W"}, ["implied-intensity"],
                     id="more than anybody forgets to count"),
    ],
)  # fmt: skip
def test_what_a_page_leaves_open_is_taken_as_it_may_be(texts, rules):
    assert [one.rule for one in findings(texts)] == rules


@pytest.mark.parametrize(
    ("where", "severity"),
    [
        pytest.param("Avg. power (W)", Severity.WARNING, id="of one or of all"),
        pytest.param("Power per GPU (W)", Severity.ERROR, id="of one"),
        pytest.param("gpu_power_w", Severity.ERROR, id="of one, in a key"),
    ],
)
def test_a_power_may_be_that_of_all_where_nobody_says_of_how_many(where, severity):
    texts = {"devices": "4", "duration_s": "10 h", "power_w": "1100 W", "energy_j": "11 kWh"}
    claims = tuple(claim(*one) for one in texts.items())
    claims = tuple(replace(one, where=where) if one.quantity == "power_w" else one for one in claims)
    (found,) = check_group(Group("a run", claims))
    assert found.severity is severity and "it is that of one device" in found.sentence


def test_a_slip_from_which_the_rest_was_made_is_told_where_it_was_made():
    texts = {"devices": "8", "duration_s": "100 h", "power_w": "400 W", "tdp_w": "400 W",
             "energy_j": "40 kWh", "intensity_g_per_kwh": "400 g/kWh", "carbon_g": "16 kg"}  # fmt: skip
    (found,) = findings(texts)
    assert (found.where, found.cause) == ("energy_j", "it is that of one device, and there are 8")


def test_kilograms_in_a_field_of_grams():
    (found,) = findings(some(RELATIONS["carbon"], carbon_g="31220 g"), grams=("carbon_g",))
    assert found.rule == "grams-field" and "kilograms stand in a field of grams" in found.sentence
    assert findings(some(RELATIONS["carbon"], carbon_g="31220000 g"), grams=("carbon_g",)) == ()


# -- likely causes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "says", "expected"),
    [
        pytest.param({"energy_j": "1000 kWh", "intensity_g_per_kwh": "393 g/kWh", "carbon_g": "39.3 kg"},
                     "make 393 kg: off by a factor of 10", 393, id="a tenth, and no PUE of a tenth"),
        pytest.param({"energy_j": "1000 kWh", "wue_l_per_kwh": "1.8 L/kWh", "water_l": "18 L"},
                     "make 1,800 L on site alone: it is probably off by a factor of 100", 1800,
                     id="less than on site alone"),
        pytest.param({"device_time_s": "1022362 GPU hours", "power_w": "400 W", "energy_j": "4490 MWh"},
                     "make 408.9 MWh with a PUE of 1: it is probably off by a factor of 10", 449,
                     id="LLaMA-65B: ten times, and no PUE of eleven"),
        pytest.param({"devices": "512", "duration_s": "360 h", "power_w": "400 W", "energy_j": "170 kWh"},
                     "it is that of one device, and there are 512", 170 * 512, id="one device of many"),
        pytest.param({"it_energy_j": "1000 kWh", "facility_energy_j": "3960 MJ", "carbon_g": "953 kg",
                      "intensity_g_per_kwh": "393 g/kWh"},
                     "pounds are printed as kilograms", 432.3, id="pounds"),
        pytest.param({"energy_j": "1000 kWh", "intensity_g_per_kwh": "393 g/kWh", "carbon_g": "1500 kg"},
                     "a PUE of", None, id="a PUE that is too high, and no slip"),
        pytest.param({"device_time_s": "7.0M GPU hours", "power_w": "700 W", "carbon_g": "12.9 t"},
                     "at 350 to 450 g/kWh and a PUE of 1.1 it would be about 1,900 to 2,400 t", None,
                     id="Llama 3.3: what would be usual; a bound is not what is right"),
        pytest.param({"device_time_s": "184320 GPU hours", "energy_j": "7400 MWh"},
                     "W for each accelerator, where 10 to 3,000 can be", None, id="40 kW an accelerator"),
        pytest.param({"device_time_s": "184320 GPU hours", "energy_j": "81.1 kWh"},
                     "0.44 W for each accelerator", None, id="half a watt an accelerator"),
        pytest.param({"devices": "64", "duration_s": "10 days", "power_w": "650 W", "pue": "1.1",
                      "intensity_g_per_kwh": "350 g/kWh", "carbon_g": "5.2 t"},
                     "make 3.844 t", 3.844, id="rounding alone makes no cause"),
        pytest.param({"facility_energy_j": "162.2 MWh", "intensity_g_per_kwh": "385.0 g/kWh",
                      "carbon_g": "26.44 t"}, "make 62.45 t", 62.45, id="digits that changed places"),
        pytest.param({"device_time_s": "184320 GPU hours", "power_w": "400 W", "carbon_g": "3122 t"},
                     "accelerator time 184320 GPU hours and power of a device 400 W that takes", None,
                     id="all claims that tell more"),
        pytest.param({"water_onsite_l": "174.7 L", "water_l": "100 L"},
                     "leave at least 174.7 L", None, id="no end is not written as inf"),
    ],
)  # fmt: skip
def test_a_slip_is_named_before_a_strange_pue(texts, says, expected):
    (found,) = findings(texts)
    assert found.severity is Severity.ERROR
    assert says in found.sentence and "inf" not in found.sentence
    assert found.expected == (expected and pytest.approx(expected, rel=0.01))


MFU = {"params": "7.00 billion parameters", "tokens": "2.00 trillion tokens"}


@pytest.mark.parametrize(
    ("texts", "rule"),
    [
        pytest.param({"device_time_s": "184320 GPU hours"}, None, id="what it took"),
        pytest.param({"device_time_s": "18432 GPU hours"}, "implied-mfu", id="four times the peak"),
        pytest.param({"device_time_s": "1843 GPU hours"}, "implied-mfu", id="forty times the peak"),
        pytest.param(
            {"device_time_s": "18432 GPU hours", "active_params": "0.7 billion parameters"},
            None,
            id="a mixture of experts",
        ),
        pytest.param(
            {"device_time_s": "18432 GPU hours", "params": "70 billion parameters"},
            None,
            id="a large one may be a mixture that does not say so",
        ),
        pytest.param({"mfu": "0.41", "device_time_s": "184320 GPU hours"}, None, id="its utilisation"),
        pytest.param({"mfu": "0.2", "device_time_s": "184320 GPU hours"}, "mfu", id="half of it"),
        pytest.param({"mfu": "0.8", "device_time_s": "184320 GPU hours"}, "mfu", id="twice its utilisation"),
        pytest.param({"mfu": "38"}, "share", id="in percent"),
    ],
)
def test_no_accelerator_computes_above_its_peak(texts, rule):
    texts = {**MFU, **texts}
    if texts["params"].startswith("70"):
        texts["tokens"] = "0.5 trillion tokens"
    claims = [claim(*one) for one in texts.items()] + list(device_facts("a100", "", 1))
    found = check_group(Group("a training", tuple(claims)))
    assert [one.rule for one in found if one.severity is Severity.ERROR] == ([rule] if rule else [])


# -- one thing, said twice -------------------------------------------------------------


def said(where, text):
    number = read_number(text)
    return make_claim("carbon_g", number, read_unit(text[number.end :].strip()), where, 1)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        pytest.param(
            {"emissions_t": "31.2 t", "emissions_lb": "31.2 lb"}, "the same number", id="one number"
        ),
        pytest.param({"emissions_t": "31.2 t", "emissions_lb": "50000 lb"}, "disagree", id="another"),
        pytest.param({"emissions_t": "31.2 t", "emissions_lb": "68780 lb"}, None, id="the same in pounds"),
        pytest.param({"emissions_t": "31.2 t", "carbon_kg": "31.2 kg"}, "factor of 1000", id="thousands"),
        pytest.param({"a.emissions_t": "10.0 t", "b.emissions_kg": "700 kg"}, None, id="two works"),
        pytest.param({"a.carbon_t": "10.00 t", "b.carbon_t": "22.05 t"}, "pounds", id="pounds"),
        pytest.param({"a.carbon_t": "10 t", "b.carbon_t": "22 t"}, None, id="pounds, or chance"),
    ],
)
def test_two_units_of_one_thing_agree(claims, says):
    found = check_group(Group("a run", tuple(said(*one) for one in claims.items())))
    assert len(found) == (says is not None)
    assert all(says in one.sentence and one.rule == "said-twice" for one in found)


def test_a_series_is_not_compared_with_itself():
    series = tuple(said(f"epoch {i}", f"{2**i} t") for i in range(30))
    assert check_group(Group("a run", series)) == ()


# -- sentences -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("carbon", "severity"),
    [
        pytest.param("43.5 t", None, id="agrees"),
        pytest.param("435 t", Severity.ERROR, id="a factor of ten is a slip"),
        pytest.param("260 t", Severity.WARNING, id="any other may be of another work"),
    ],
)
def test_a_sentence_may_speak_of_two_works(carbon, severity):
    texts = {"energy_j": "113 MWh", "intensity_g_per_kwh": "385 g/kWh", "carbon_g": carbon}
    found = check_group(Group("a sentence", tuple(claim(*one) for one in texts.items()), prose=True))
    assert [one.severity for one in found] == ([severity] if severity else [])


# -- many ------------------------------------------------------------------------------


def test_after_hundreds_of_bad_rows_no_more_are_looked_at():
    bad = Group("bad", tuple(claim(*one) for one in some(RELATIONS["carbon"], carbon_g="1 g").items()))
    found, unchecked = check(Page((bad,) * 1000))
    assert unchecked == 900 and len(found) == 1


# -- sums ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "listed", "severity", "says"),
    [
        pytest.param("60 t", True, None, "", id="the sum"),
        pytest.param("60.3 t", True, None, "", id="the sum, within rounding"),
        pytest.param("60 kg", True, "error", "factor of 1000", id="the sum in another unit"),
        pytest.param("50 t", True, "error", "add up to 60", id="one part forgotten"),
        pytest.param("70 t", True, "error", "add up to 60", id="more than all of them"),
        pytest.param("70 t", False, "warning", "a part may be left out", id="more than those that are shown"),
        pytest.param("50 t", False, "error", "add up to 60", id="less than those that are shown"),
    ],
)
def test_a_total_is_the_sum_of_its_parts(total, listed, severity, says):
    parts = tuple(
        claim("carbon_g", text, line) for line, text in enumerate(("10.0 t", "20.0 t", "30.0 t"), 2)
    )
    found, _ = check(Page((), (Total(claim("carbon_g", total, 9), parts, listed),)))
    assert [one.severity for one in found] == ([severity] if severity else [])
    assert all(one.rule == "total" and says in one.sentence for one in found)


# -- errata that the field knows -------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "device", "says"),
    [
        pytest.param({"device_time_s": "7.0M GPU hours", "power_w": "700 W", "carbon_g": "12.9 t"},
                     "H100-80GB", "intensity", id="Llama 3.3 card: 12.9 t of 7.0M hours"),
        pytest.param({"carbon_g": "75000 kg", "params": "2.5 billion parameters",
                      "carbon_g/params": "3000 kg per billion parameters"},
                     "", "make 30,000", id="SCI for AI: 75,000 kg over 2.5 billion"),
        pytest.param({"it_energy_j": "257 MWh", "pue": "1.12", "facility_energy_j": "230 MWh"},
                     "", "the PUE was divided", id="OLMo 2 13B: 230 for 288 MWh"),
    ],
)  # fmt: skip
def test_an_erratum_is_found(texts, device, says):
    claims = [claim(*one) for one in texts.items()] + list(device_facts(device, "", 1) if device else ())
    found = check_group(Group("printed", tuple(claims)))
    assert [one.severity for one in found] == [Severity.ERROR]
    assert says in found[0].sentence
