"""The raw source files: what they are, where to get them, and how to read them."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]

from .common import BuildError, Row, read_csv


@dataclass(frozen=True)
class RawFile:
    """One file of the raw folder; it is never committed to the project."""

    name: str
    publisher: str
    sha256: str
    where: str


_CODECARBON = "codecarbon 3.3.2 wheel on PyPI (MIT), codecarbon/data/"
_GOOGLE = "https://github.com/GoogleCloudPlatform/region-carbon-info (Apache-2.0), data/yearly/"

OWID = RawFile(
    "owid_processed-energy-data_2026-04.csv",
    "Ember and Energy Institute, processed by Our World in Data (CC BY 4.0)",
    "d0e09dc10092588b7c2447ebe38d2085bd066c315780225ff0f6af7892fd6ffe",
    "https://github.com/owid/energy-data (subset of columns of owid-energy-data.csv)",
)
AWARE = RawFile(
    "AWARE20_Countries_and_Regions.xlsx",
    "Seitfudem et al., AWARE 2.0 (CC BY 4.0 as believed)",
    "e81a43690eac8423733aa0aedae5477e16e4ecdda38e307c692bc0df08f7d328",
    "https://doi.org/10.5281/zenodo.8215864",
)
US_STATES = RawFile(
    "codecarbon_3.3.2_usa_emissions_egrid2023rev2.json",
    "US EPA eGRID2023 rev2 (public domain), transcribed by codecarbon (MIT)",
    "cb17a01fb1e5571fb9cf79edff093a69ad5ca32a01ef01e4db67de1fbed34318",
    f"{_CODECARBON}private_infra (USA, state emissions 2023) or https://www.epa.gov/egrid",
)
CANADA = RawFile(
    "codecarbon_3.3.2_canada_energy_mix_2023.json",
    "Canada Energy Regulator (OGL-Canada), transcribed by codecarbon (MIT)",
    "68da5904f17ab4805c6bfe703a05210fbdd6451a0f152493733a206fe5bb8ca5",
    f"{_CODECARBON}private_infra/2023/canada_energy_mix.json or https://www.cer-rec.gc.ca",
)
CHINA = RawFile(
    "codecarbon_3.3.2_china_provincial_2023.json",
    "MEE and NBS of China, Announcement 2025 No. 47, transcribed by codecarbon (MIT)",
    "2e1153208ec484bdbe4066dc9f5debc28bce7c30d5f5a313908243039a1b594c",
    f"{_CODECARBON}private_infra (China, provincial factors 2023)",
)
CPU_POWER = RawFile(
    "codecarbon_3.3.2_cpu_power.csv",
    "codecarbon contributors (MIT)",
    "0fad5224a6c4037311a86f7a2baf578ccd08787a7ba31a930b2e857c74c91b9d",
    f"{_CODECARBON}hardware/cpu_power.csv",
)
GOOGLE = {
    year: RawFile(
        f"google_region_carbon_{year}.csv", "Google LLC (Apache-2.0)", digest, f"{_GOOGLE}{year}.csv"
    )
    for year, digest in {
        2019: "8a69e0d92fc4839a629a0adf7bf412ed738f0f7935c09fab8c2c607c8089b94b",
        2020: "1b45648c0b8c51e9ab60232795deb7148483c150752adbc413e578c0fa72983f",
        2021: "67fe75fcabc665913edbe8e0d2d792b6384b60d4943391855e1f777a9e10768f",
        2022: "b8298eab07497f1565dddcbd06052544adca64a1d8beb94ea8b3f50a966de9ba",
        2023: "3332f81bf6db43f31a263788319aeb9305820b2b198a04702c2b4ae646e5ac8a",
        2024: "7c2d3fb7169063c6c59ef317f0188f54b85c83c3a65f4e2a571aaf58dace8a82",
    }.items()
}
ALL = (OWID, AWARE, US_STATES, CANADA, CHINA, CPU_POWER, *GOOGLE.values())


class RawFolder:
    """Reads the raw files from one folder and tells of those that are missing or different."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self) -> None:
        """Stop if a file is missing; warn if one is not the file the tables were built from."""
        missing = [item for item in ALL if not (self.folder / item.name).is_file()]
        if missing:
            lines = [f"  {item.name}: {item.publisher}; get it from {item.where}" for item in missing]
            raise BuildError("raw files are missing:\n" + "\n".join(lines))
        for item in ALL:
            digest = hashlib.sha256((self.folder / item.name).read_bytes()).hexdigest()
            if digest != item.sha256:
                print(f"warning: {item.name} has sha256 {digest}, expected {item.sha256}", file=sys.stderr)

    def csv(self, item: RawFile) -> list[Row]:
        """Read a CSV file with a header line."""
        return read_csv(self.folder / item.name)

    def csv_lines(self, item: RawFile) -> list[list[str]]:
        """Read a CSV file by position, without its header line (for headers that change by year)."""
        with (self.folder / item.name).open(encoding="utf-8-sig", newline="") as handle:
            return [line for line in csv.reader(handle) if line][1:]

    def json(self, item: RawFile) -> Any:
        """Read a JSON file."""
        return json.loads((self.folder / item.name).read_text(encoding="utf-8"))

    def sheet(self, item: RawFile, name: str) -> list[dict[str, Any]]:
        """Read one sheet of a workbook as rows by header."""
        book = openpyxl.load_workbook(self.folder / item.name, read_only=True)
        try:
            lines = list(book[name].iter_rows(values_only=True))
        finally:
            book.close()
        header = [str(value) for value in lines[0]]
        return [dict(zip(header, line, strict=False)) for line in lines[1:]]
