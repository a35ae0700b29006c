"""A footprint as a standard wants it: SCI, GHG Protocol, EU AI Act, Hugging Face model card."""

from __future__ import annotations

from typing import Any

from wattermark.report.numbers import CARBON, UNKNOWN, say, say_interval
from wattermark.report.sheet import Line, Section
from wattermark.values.range import Range
from wattermark.values.subject import Subject
from wattermark.values.units import J_PER_KWH

Document = dict[str, Any]
KWH_PER_MWH = 1000.0
NOT_TOLD = "no meter tells it"


def sci_document(subject: Subject, score: Range, *, unit: str, units: float, name: str) -> Document:
    """ISO/IEC 21031:2024, or one of the two scores of SCI for AI.

    Parameters
    ----------
    subject : Subject
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
    footprint = subject.footprint
    return {
        "standard": name,
        "sci_g_per_unit": _range(score),
        "functional_unit": unit,
        "units": units,
        "operational_g": _range(footprint.carbon_operational_g),
        "embodied_g": _range(footprint.carbon_embodied_g),
        "energy_kwh": _kwh(footprint.facility_energy_j),
        "method": f"location-based ({footprint.boundary.ci_basis}); market instruments are not allowed",
        "figures_are": _made(subject),
        "place": footprint.place.resolved,
    }


def ghg_of_owner(subject: Subject, generation_g: Range | None, upstream_g: Range | None) -> Document:
    """GHG Protocol rows of who owns the machines and buys the electricity.

    Parameters
    ----------
    subject : Subject
        What the rows are of.
    generation_g, upstream_g : Range, optional
        Its operational carbon: of the power plants themselves, and of fuels and plants before; None where
        the intensity of the grid was not of the life cycle. [g CO2e]
    """
    footprint = subject.footprint
    whole = footprint.carbon_operational_g
    basis = footprint.boundary.ci_basis
    rows = [
        _row(
            "scope 2, location-based", generation_g or whole, note="" if generation_g else f"basis: {basis}"
        ),
        _row("scope 2, market-based", footprint.carbon_market_g, missing="estimate with --market-intensity"),
        _row(
            "scope 3, category 2: capital goods", footprint.carbon_embodied_g, note="its share of a lifetime"
        ),
        _row("scope 3, category 3: fuel upstream", upstream_g),
    ]
    return _ghg(subject, rows)


def ghg_of_customer(subject: Subject) -> Document:
    """GHG Protocol rows of who rents: all is a purchased service.

    Parameters
    ----------
    subject : Subject
        What the rows are of.
    """
    return _ghg(subject, [_row("scope 3, category 1: purchased services", subject.footprint.carbon_g)])


def ai_act_document(subject: Subject) -> Document:
    """Energy fields of Regulation (EU) 2024/1689, Annex XI, section 1 (2) (d) and (e).

    Parameters
    ----------
    subject : Subject
        A training.
    """
    energy = subject.footprint.facility_energy_j
    return {
        "standard": "Regulation (EU) 2024/1689, Annex XI, section 1, point 2 (d) and (e)",
        "training_flop": subject.flops,
        "training_time_s": subject.wall_time_s,
        "hardware": subject.hardware or NOT_TOLD,
        "energy_consumption_mwh": None if energy is None else _two_figures(_mwh(energy.best)),
        "energy_consumption_mwh_90": None
        if energy is None
        else [_two_figures(_mwh(end)) for end in (energy.low, energy.high)],
        "energy_is": f"{'known' if subject.is_measured else 'estimated'}: {_made(subject)}",
        "energy_holds": "experiments as well; FLOP and time are of the final run"
        if subject.holds_experiments
        else "the training",
        "note": "two significant figures, as the model documentation form of the code of practice asks",
    }


def model_card(subject: Subject, *, training_type: str) -> str:
    """The ``co2_eq_emissions`` block of a Hugging Face model card; its emissions are in grams.

    Parameters
    ----------
    subject : Subject
        A training.
    training_type : str
        Pre-training, fine-tuning ...
    """
    carbon = subject.footprint.carbon_g
    if carbon is None:
        return "# co2_eq_emissions: not known"
    lines = (
        "co2_eq_emissions:",
        f"  emissions: {_grams(carbon.best)}  # grams; 90 %: {_grams(carbon.low)} to {_grams(carbon.high)}",
        f"  source: {_quoted(f'wattermark, {_made(subject)}')}",
        f"  training_type: {_quoted(training_type)}",
        f"  geographical_location: {_quoted(subject.footprint.place.name)}",
        f"  hardware_used: {_quoted(subject.hardware or 'not told by any meter')}",
    )
    return "\n".join(lines)


def sections_of(document: Document) -> list[Section]:
    """A document of this module for whoever paints it.

    Parameters
    ----------
    document : dict
        Of one of the functions above.
    """
    rows = [
        Line(row["row"], *_best_and_interval(row["carbon_g"]), row["note"])
        for row in document.get("rows", ())
    ]
    told = [(name, value) for name, value in document.items() if name not in ("standard", "rows")]
    figures = [
        Line(name.replace("_", " "), _short(value)) for name, value in told if not isinstance(value, str)
    ]
    words = tuple(f"{name.replace('_', ' ')}: {value}" for name, value in told if isinstance(value, str))
    return [Section("", (*rows, *figures), words)]


def _best_and_interval(told: Document | None) -> tuple[str, str]:
    if told is None:
        return UNKNOWN, ""
    value = Range(told["low"], told["best"], told["high"])
    return say(value.best, CARBON), say_interval(value, CARBON)


def _short(value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, dict):
        return f"{value['best']:.4g}  ({value['low']:.3g} - {value['high']:.3g})"
    if isinstance(value, list):
        return " - ".join(f"{one:g}" for one in value)
    return f"{value:.6g}"


def _made(subject: Subject) -> str:
    if not subject.is_run:
        return "estimated before it ran"
    return "measured" if subject.is_measured else "modelled from a recorded run"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _ghg(subject: Subject, rows: list[Document]) -> Document:
    scope_1 = {"row": "scope 1", "carbon_g": None, "note": NOT_TOLD}
    return {
        "standard": "GHG Protocol, Scope 2 Guidance (2015) and Scope 3 Standard",
        "figures_are": _made(subject),
        "place": subject.footprint.place.resolved,
        "grid": _grid(subject),
        "rows": [scope_1, *rows],
    }


def _grid(subject: Subject) -> str:
    """The factor that the carbon of electricity is from."""
    one = next((f for f in subject.footprint.factors if f.name == "carbon_intensity"), None)
    if one is None:
        return NOT_TOLD
    return f"{one.value.best:.4g} {one.unit}, {one.year}, {one.basis}, {one.source.replace('+', ' + ')}"


def _row(name: str, value: Range | None, *, note: str = "", missing: str = NOT_TOLD) -> Document:
    return {"row": name, "carbon_g": _range(value), "note": note if value else missing}


def _range(value: Range | None) -> Document | None:
    return None if value is None else {"low": value.low, "best": value.best, "high": value.high}


def _kwh(value: Range | None) -> Document | None:
    if value is None:
        return None
    return _range(Range(value.low / J_PER_KWH, value.best / J_PER_KWH, value.high / J_PER_KWH))


def _mwh(energy_j: float) -> float:
    return energy_j / J_PER_KWH / KWH_PER_MWH


def _grams(value: float) -> str:
    """Three figures, and no exponent."""
    return f"{float(f'{value:.3g}'):.0f}" if value >= 100 else f"{value:.3g}"


def _two_figures(value: float) -> float:
    return float(f"{value:.2g}")
