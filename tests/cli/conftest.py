"""A user who has nothing yet."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path):
    """An environment in which nothing of the user's is seen."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **keep,
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "WATTERMARK_LEDGER": str(tmp_path / "runs"),
        "TZ": "Etc/UTC",
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),  # these sources, whichever are installed
    }
