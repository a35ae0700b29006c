"""The random numbers of a training: where they stand, to go on from there after a pause.

Tensors and plain numbers only, as checkpoints are loaded without running code.
"""

from __future__ import annotations

import random
import sys
from typing import Any


def collect() -> dict[str, Any]:
    """Of Python, NumPy and PyTorch, with all its devices."""
    import torch

    found = {"python": random.getstate(), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        found["cuda"] = torch.cuda.get_rng_state_all()
    if "numpy" in sys.modules:
        kind, keys, *rest = sys.modules["numpy"].random.get_state()
        found["numpy"] = (kind, keys.tolist(), *rest)
    return found


def restore(states: dict[str, Any]) -> None:
    """As they were."""
    import torch

    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(numbers), gauss))
    torch.set_rng_state(states["torch"].cpu())
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([one.cpu() for one in states["cuda"]])
    if "numpy" in states and "numpy" in sys.modules:
        sys.modules["numpy"].random.set_state(tuple(states["numpy"]))
