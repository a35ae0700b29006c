"""Where the numbers of a model card, or of a list of claims, contradict each other."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from wattermark.errors import UsageError
from wattermark.factors.hardware import accelerator
from wattermark.factors.table import Row, table
from wattermark.science.lint.consistency import check
from wattermark.science.lint.printed import known_range
from wattermark.values.claims import Claim, Finding, Page, Severity
from wattermark.verbs.lint.claims_json import read_json
from wattermark.verbs.lint.claims_markdown import read_markdown

MOST_BYTES = 4_000_000
_PEAKS = ("peak_16bit_tflops", "peak_8bit_tflops")


@dataclass(frozen=True, slots=True)
class Linted:
    """What was found in a file, and how much of it was understood."""

    file: str
    claims: int
    findings: tuple[Finding, ...]
    not_understood: tuple[str, ...]

    @property
    def contradicts(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def lint(file: str) -> Linted:
    """Read a card (Markdown) or claims (JSON), and check them."""
    text = _text(file)
    page = read_page(text, file)
    printed = {(claim.line, claim.where, claim.text) for group in page.groups for claim in group.claims}
    printed |= {(part.line, part.where, part.text) for total in page.totals for part in total.parts}
    return Linted(file, len(printed), check(page), page.not_understood)


def read_page(text: str, name: str) -> Page:
    """The claims of a text; JSON by its ending, or by how it begins."""
    is_json = name.lower().endswith(".json") or text.lstrip()[:1] in ("{", "[")
    is_card = name.lower().endswith((".md", ".markdown"))
    return (read_json if is_json and not is_card else read_markdown)(text, name, device_facts)


def _text(file: str) -> str:
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}", fix="Check its name") from error
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"{file} is larger than {MOST_BYTES} bytes", fix="Give the page with the claims, not the data"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not text in UTF-8", fix="Give Markdown or JSON in UTF-8") from error


def device_facts(name: str, where: str, line: int) -> tuple[Claim, ...]:
    """TDP and peak of a device; of all that a short name (A100) may mean.

    The peak reaches from 16 to 8 bits, as a page seldom says which it used.
    """
    row = accelerator(name)
    rows = [row] if row else _family(name)
    if not rows:
        return ()
    peaks = [float(one[column]) for one in rows for column in _PEAKS if one[column]]
    watts = [float(one["tdp_w"]) for one in rows]
    found = [_between("tdp_w", watts, "W", name)]
    found += [_between("peak_flops", peaks, "TFLOP/s", name)] if peaks else []
    return tuple(replace(claim, where=where, line=line) for claim in found)


def _between(quantity: str, values: list[float], unit: str, name: str) -> Claim:
    low, high = min(values), max(values)
    said = f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"
    return known_range(quantity, low, high, unit=unit, text=f"{said} {unit} ({name.strip()})")


def _family(name: str) -> list[Row]:
    """Rows whose id begins with a word of the name."""
    words = re.findall(r"[a-z0-9]+", name.lower().replace("tpuv", "tpu v"))
    if "tpu" in words:
        versions = [word for word in words if re.fullmatch(r"v\d\w?", word)]
        return [row for row in table("accelerators") if versions and row["id"] == f"tpu-{versions[0]}"]
    return [row for row in table("accelerators") if row["id"].partition("-")[0] in words]
