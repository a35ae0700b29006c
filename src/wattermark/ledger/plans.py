"""Plans that were made, and what was done about them: ``<ledger>/plans/<id>.plan``, JSON Lines, appended.

The first line holds the plan; each further one what happened, told apart by ``kind``: ``plan`` (a new one),
``start``, ``pause``, ``resume``, ``submit``, ``move``, ``end``. Nothing that was written is changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wattermark.errors import BadSpool, UsageError
from wattermark.ledger.runs import new_run_id

FOLDER, ENDING, TAG = "plans", ".plan", "plan"
"""Where they lie in a ledger, how their files end, and the tag of a run that was planned."""


def new_plan_id(name: str) -> str:
    """As of a run."""
    return new_run_id(name or "job")


def note(ledger: Path, plan_id: str, kind: str, **told: Any) -> Path:
    """Append one line, on disk when this returns.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = _path(ledger, plan_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"kind": kind, **told}, separators=(",", ":"), allow_nan=False)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())
    return path


def plan_lines(ledger: Path, plan_id: str) -> list[Mapping[str, Any]]:
    """All that was written of a plan; a torn last line is passed over.

    Raises
    ------
    BadSpool
        If there is no such plan, or its first line is none.
    """
    path = _path(ledger, plan_id)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadSpool(
            f"the plan {plan_id!r} cannot be read: {error.strerror}", fix=f"See the files in {path.parent}"
        ) from error
    lines = list(_read(text))
    if not lines or lines[0].get("kind") != "plan":
        raise BadSpool(f"{path} does not begin with a plan", fix="Name another plan")
    return lines


def plan_ids(ledger: Path) -> list[str]:
    """Those that are kept in a ledger, the newest first."""
    return sorted((path.stem for path in (ledger / FOLDER).glob(f"*{ENDING}")), reverse=True)


def _path(ledger: Path, plan_id: str) -> Path:
    if not plan_id or Path(plan_id).name != plan_id:
        raise UsageError(f"{plan_id!r} is no id of a plan", fix="Copy it from: wattermark plan")
    return ledger / FOLDER / f"{plan_id}{ENDING}"


def _read(text: str) -> Iterator[Mapping[str, Any]]:
    for line in text.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            yield told
