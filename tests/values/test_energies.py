"""Energies as people write them."""

import pytest

from wattermark.values.energies import joules_of


@pytest.mark.parametrize(
    ("text", "energy_j"),
    [
        ("120kWh", 432e6),
        ("1.5 MWh", 5.4e9),
        ("800wh", 2.88e6),
        ("3e6 J", 3e6),
        (".5MJ", 5e5),
        ("2 GWh", 7.2e12),
    ],
)
def test_an_energy(text, energy_j):
    assert joules_of(text) == pytest.approx(energy_j)


@pytest.mark.parametrize(
    "text", ["", "12", "kWh", "-3 kWh", "0 kWh", "1,5 kWh", "12 kW", "1e999 J", "nan J", "\u0661 J"]
)
def test_no_energy(text):
    with pytest.raises(ValueError, match="no energy above zero"):
        joules_of(text)
