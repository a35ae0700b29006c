"""The keys that the docs tell are the keys that are read."""

from pathlib import Path

import pytest

from wattermark.cli.lint import EPILOG
from wattermark.values.claims import NAMES
from wattermark.verbs.lint.keys import KEYS, key_table, split_key, usual_keys

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("quantity", "key"), [(quantity, key) for quantity, keys in KEYS.items() for key in keys]
)
def test_a_key_that_is_told_is_understood(quantity, key):
    found, unit = split_key(key)
    assert found == quantity
    assert unit.base > 0


def test_every_quantity_has_a_key_or_comes_from_others():
    assert set(NAMES) <= set(KEYS)


def test_the_docs_hold_the_table_as_it_is():
    assert key_table() in (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")


def test_the_help_names_the_usual_keys():
    assert set(usual_keys().split(", ")) <= set(EPILOG.replace(",", " ").split())
