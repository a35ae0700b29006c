"""The one place where a unit becomes another.

Inside the house a number is in its base unit and its name says which: ``time_s``,
``power_w``, ``energy_j``, ``carbon_g`` (g CO2e), ``water_l``. Devices speak other units;
the ledger keeps those raw, and each channel names the unit that it speaks.
"""

from typing import Final

J_PER_KWH: Final = 3_600_000.0
S_PER_NS: Final = 1e-9
NS_PER_S: Final = 1_000_000_000
NS_PER_DAY: Final = 86_400_000_000_000
S_PER_HOUR: Final = 3_600.0
HOURS_PER_YEAR: Final = 8_760.0
G_PER_KG: Final = 1_000.0
L_PER_M3: Final = 1_000.0
BYTES_PER_GB: Final = 1e9

WRAP_64: Final = 2**62
"""Where counters of 64 bits are made to start again: what is kept fits everywhere, differences stay exact."""

BASE_PER_RAW: Final = {
    "nJ": 1e-9,  # to J
    "uJ": 1e-6,
    "mJ": 1e-3,
    "J": 1.0,
    "2^-16 J": 2.0**-16,
    "pWh": 3.6e-9,
    "uW": 1e-6,  # to W
    "mW": 1e-3,
    "W": 1.0,
    "ns": 1e-9,  # to s
    "B": 1.0,
    "%": 0.01,  # to a share of 1
}
"""How much of the base unit (J, W, s, B, 1) one raw count of a channel is."""
