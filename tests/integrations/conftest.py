"""Hooks of programs: what all their tests begin with."""

import pytest


@pytest.fixture(autouse=True)
def no_desk_of_others():
    """A process has one desk of each kind; each test begins without."""
    from wattermark.verbs.serving.ambient_desk import close_ambient_desk

    for metered in (True, False):
        close_ambient_desk(metered=metered)
    yield
    for metered in (True, False):
        close_ambient_desk(metered=metered)
