"""A ledger of the test's own, and nothing of the user's."""

import os

import pytest

from wattermark.verbs.measure import _stop_all


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """Where this process's runs are kept; a run that a failing test left ends with the test."""
    for name in [name for name in os.environ if name.startswith(("WATTERMARK_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WATTERMARK_LEDGER", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "runs"
    _stop_all()
