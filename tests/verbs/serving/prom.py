"""Prometheus and its tool, where they are: beside this Python, or on the PATH."""

import shutil
import sys
from pathlib import Path

import pytest


def tool(name):
    """The path of ``prometheus`` or ``promtool``; without it the test is skipped."""
    beside = Path(sys.prefix) / "prometheus" / "usr" / "bin" / name
    hidden = Path(sys.prefix) / ".venv" / "prometheus" / "usr" / "bin" / name
    found = next((str(path) for path in (beside, hidden) if path.exists()), None) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt install prometheus)")
    return found
