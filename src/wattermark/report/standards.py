"""A footprint as a standard wants it: SCI, GHG Protocol, EU AI Act, Hugging Face model card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wattermark.values.footprint import Footprint
from wattermark.values.range import Range
from wattermark.values.units import J_PER_KWH

Document = dict[str, Any]
KWH_PER_MWH = 1000.0
NOT_TOLD = "not known: wattermark does not see it"


def sci_document(footprint: Footprint, score: Range, *, unit: str, units: float, name: str) -> Document:
    """ISO/IEC 21031:2024, or one of the two scores of SCI for AI.

    Parameters
    ----------
    footprint : Footprint
        What the score is of.
    score : Range
        [g CO2e per functional unit]
    unit : str
        The functional unit.
    units : float
        How many. [1]
    name : str
        Which score it is.
    """
    return {
        "standard": name,
        "sci_g_per_unit": _range(score),
        "functional_unit": unit,
        "units": units,
        "operational_g": _range(footprint.carbon_operational_g),
        "embodied_g": _range(footprint.carbon_embodied_g),
        "energy_kwh": _kwh(footprint.facility_energy_j),
        "method": f"location-based ({footprint.boundary.ci_basis}); market instruments are not allowed",
        "place": footprint.place.resolved,
    }


def ghg_of_owner(footprint: Footprint) -> Document:
    """GHG Protocol rows of who owns the machines and buys the electricity."""
    return _ghg(
        [
            _row("scope 2, location-based", footprint.carbon_operational_g),
            _row("scope 2, market-based", footprint.carbon_market_g, "give --market-intensity"),
            _row("scope 3, category 2: capital goods", footprint.carbon_embodied_g),
            _row("scope 3, category 3: fuel and grid losses upstream", None),
        ]
    )


def ghg_of_customer(footprint: Footprint) -> Document:
    """GHG Protocol rows of who rents: all is a purchased service."""
    return _ghg([_row("scope 3, category 1: purchased services", footprint.carbon_g)])


def ai_act_document(footprint: Footprint, told: Mapping[str, Any], *, measured: bool) -> Document:
    """Energy fields of Regulation (EU) 2024/1689, Annex XI, section 1 (2) (d) and (e).

    Parameters
    ----------
    footprint : Footprint
        Of the training.
    told : mapping
        ``flops`` [FLOP] and ``wall_time_s`` [s] where they are known.
    measured : bool
        Whether meters saw it.
    """
    energy = footprint.facility_energy_j
    mwh = energy.best / J_PER_KWH / KWH_PER_MWH if energy else None
    return {
        "standard": "Regulation (EU) 2024/1689, Annex XI, section 1, point 2 (d) and (e)",
        "training_flop": told.get("flops"),
        "training_time_s": told.get("wall_time_s"),
        "energy_consumption_mwh": None if mwh is None else float(f"{mwh:.2g}"),
        "energy_is": "known: metered" if measured else "estimated: from the compute that was used",
        "note": "two significant figures, as the model documentation form of the code of practice asks",
    }


def model_card(footprint: Footprint, *, training_type: str, hardware: str) -> str:
    """The ``co2_eq_emissions`` block of a Hugging Face model card; its emissions are in grams."""
    carbon = footprint.carbon_g
    if carbon is None:
        return "# co2_eq_emissions: not known"
    lines = (
        "co2_eq_emissions:",
        f"  emissions: {carbon.best:.6g}  # grams; 90 %: {carbon.low:.3g} to {carbon.high:.3g}",
        "  source: wattermark",
        f"  training_type: {_quoted(training_type)}",
        f"  geographical_location: {_quoted(footprint.place.name)}",
        f"  hardware_used: {_quoted(hardware)}",
    )
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _ghg(rows: list[Document]) -> Document:
    scope_1 = {"row": "scope 1", "carbon_g": None, "note": NOT_TOLD}
    return {
        "standard": "GHG Protocol, Scope 2 Guidance (2015) and Scope 3 Standard",
        "rows": [scope_1, *rows],
    }


def _row(name: str, value: Range | None, otherwise: str = NOT_TOLD) -> Document:
    return {"row": name, "carbon_g": _range(value), "note": "" if value else otherwise}


def _range(value: Range | None) -> Document | None:
    return None if value is None else {"low": value.low, "best": value.best, "high": value.high}


def _kwh(value: Range | None) -> Document | None:
    if value is None:
        return None
    return _range(Range(value.low / J_PER_KWH, value.best / J_PER_KWH, value.high / J_PER_KWH))
