"""Ask a training to save and leave, and hear where it saved: two small files that both sides know.

The environment of the command names a folder. While a file ``leave`` lies in it, the training is asked to go;
what it saved stands in ``left`` before it ends. That costs the training one look for a file a step, and works
for any loop, in any process of the command.

The planner's side is ``Asking``; the training's side are ``asked``, ``leave`` and ``resume_from``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from wattermark.levers.guard import ASK, debt_of
from wattermark.levers.guarding import Guard

FOLDER, RESUME = "WATTERMARK_ASK", "WATTERMARK_RESUME_FROM"
"""Variables of the command: where it is asked, and the checkpoint that it goes on from."""
LEAVE, LEFT = "leave", "left"
LEFT_CODE = 75
"""The exit code of a training that saved and left: "try again later" (EX_TEMPFAIL of sysexits.h)."""


class Asking:
    """The planner's side: a command that is asked to save and leave, and is started again later.

    Parameters
    ----------
    guard : Guard
        Takes the question back and the folder away, if we die: nobody would start again what left.
    """

    def __init__(self, guard: Guard) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="wattermark-ask-"))
        self._guard, self._debt = guard, debt_of(ASK, self.folder)
        guard.owe(self._debt)
        self.checkpoint: str | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """What the command must know."""
        told = {FOLDER: str(self.folder)}
        return told if self.checkpoint is None else {**told, RESUME: self.checkpoint}

    @property
    def paused(self) -> bool:
        """Whether it saved and left."""
        return (self.folder / LEFT).exists()

    def pause(self) -> None:
        """Ask it; it goes on until it has saved."""
        (self.folder / LEAVE).touch()

    def resume(self) -> None:
        """Ask it no longer, and remember what it saved, if it did."""
        (self.folder / LEAVE).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            self.checkpoint = (self.folder / LEFT).read_text(encoding="utf-8")
            (self.folder / LEFT).unlink()

    def close(self) -> None:
        """Ask it no longer, and take the files away."""
        self.resume()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._guard.settled(self._debt)


def may_be_asked() -> bool:
    """Whether somebody may ask this program to leave."""
    return FOLDER in os.environ


def asked() -> bool:
    """Whether this program is to save and leave now. Cheap enough for each step."""
    folder = os.environ.get(FOLDER)
    return folder is not None and os.path.exists(os.path.join(folder, LEAVE))


def leave(checkpoint: str | os.PathLike[str]) -> NoReturn:
    """Say where all was saved, and end this program.

    Raises
    ------
    SystemExit
        Always, with ``LEFT_CODE``: what follows a training must not take it for done.
    """
    folder = Path(os.environ[FOLDER])
    spare = folder / f"{LEFT}.{os.getpid()}"
    place = os.fspath(checkpoint)
    with suppress(FileNotFoundError):  # whoever asked is dead; what is saved is saved
        spare.write_text(place if "://" in place else os.path.abspath(place), encoding="utf-8")
        spare.replace(folder / LEFT)
    raise SystemExit(LEFT_CODE)


def resume_from() -> str | None:
    """The checkpoint that this program goes on from; None at its first start."""
    return os.environ.get(RESUME)
