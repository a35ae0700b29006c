"""What was planned, and what was done about it."""

import pytest

from wattermark.errors import BadSpool, UsageError
from wattermark.ledger.plans import new_plan_id, note, plan_ids, plan_lines
from wattermark.ledger.runs import runs


def test_lines_are_added_and_a_torn_one_is_passed_over(tmp_path):
    path = note(tmp_path, "one", "plan", worth=True)
    note(tmp_path, "one", "pause", at_s=3.0)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"kind":"resu')
    assert [line["kind"] for line in plan_lines(tmp_path, "one")] == ["plan", "pause"]


def test_plans_are_no_runs(tmp_path):
    note(tmp_path, new_plan_id("x"), "plan")
    assert list(runs(tmp_path)) == []


def test_plans_are_listed_the_newest_first(tmp_path):
    assert plan_ids(tmp_path) == []
    for plan in ("b-1", "a-1", "b-2"):
        note(tmp_path, plan, "plan")
    assert plan_ids(tmp_path) == ["b-2", "b-1", "a-1"]


@pytest.mark.parametrize("name", ["../outside", "", "a/b"], ids=["above", "none", "below"])
def test_an_id_is_no_path(tmp_path, name):
    with pytest.raises(UsageError):
        note(tmp_path, name, "plan")


def test_what_does_not_begin_with_a_plan_is_none(tmp_path):
    note(tmp_path, "one", "pause")
    with pytest.raises(BadSpool, match="does not begin"):
        plan_lines(tmp_path, "one")
    with pytest.raises(BadSpool, match="cannot be read"):
        plan_lines(tmp_path, "two")
