"""A driver whose first GPU answers anything: any code, any number, any text. Runs under the fake library.

The true energies come from the fake's own clock, so looks are taken at the real one.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

from fakes.meters import Gpu, Signal
from fuzzing.holds import Broken, energy_of
from fuzzing.looks import looked
from fuzzing.mutate import Case
from wattermark.readers.nvml import NvmlReader

STEADY_W = 150.0
SPEC = "FAKE_NVML_SPEC"
FIRST = "chaos {chaos} seed {seed} energy {energy} visible {visible}"
VISIBLE = ("", "0,1", "1,0", "GPU-00000000-0000-0000-0000-000000000001,0", "1")


class Nvml:
    """Two GPUs: one that answers anything, and one whose counter stands still, and must be told so."""

    def __init__(self, folder: Path) -> None:
        self._spec = Path(os.environ[SPEC])

    def case(self, chance: Random) -> Case:
        told = {
            "chaos": chance.choice((0.05, 0.3, 0.9)),
            "seed": chance.randrange(2**32),
            "energy": chance.randrange(2),
            "visible": chance.choice(VISIBLE),
        }
        return tuple((name, str(value).encode()) for name, value in told.items())

    def check(self, case: Case) -> None:
        told = {name: data.decode() for name, data in case}
        chaos, seed = float(told.get("chaos") or 0.3), int(told.get("seed") or 0)
        wild = Gpu(Signal.const(300), energy=told.get("energy") != "0", chaos=chaos, seed=seed)
        gpus = [wild, Gpu(Signal.const(STEADY_W), energy=False)]
        self._spec.write_text("".join(gpu.line(i) + "\n" for i, gpu in enumerate(gpus)))
        _shut_down()
        visible = told.get("visible") or None
        footprint, kept = looked({"nvml": lambda: NvmlReader(visible=visible)}, lambda _: None)
        name = "gpu/1"
        if f'"name":"{name}"' not in kept.text:
            if visible is None and '"kind":"reader"' in kept.text:
                raise Broken("the steady GPU was not found")
            return
        found_j = energy_of(footprint, name)
        if found_j is None or abs(found_j / (STEADY_W * footprint.duration_s) - 1) > 1e-6:
            raise Broken(f"the steady GPU told {found_j} J in {footprint.duration_s} s at {STEADY_W} W")


def _shut_down() -> None:
    """So that the library reads its file again."""
    import pynvml

    try:
        while True:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return
