"""The salt of a ledger, ``<ledger>/.salt``: keys are hashed with it, so that no table leads back to them.

It is made once, by whoever comes first, and never changed: another one would rename every tenant.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from wattermark.errors import UsageError

NAME, SALT_B = ".salt", 32
HALF_WRITTEN_S, LOOK_AGAIN_S = 1.0, 0.01
"""Where files have no second name, another process may see a salt before it is whole."""


def salt_of(ledger: Path, *, make: bool = True) -> bytes:
    """The salt of a ledger; made now where there is none.

    Parameters
    ----------
    ledger : Path
        The folder that keeps the runs.
    make : bool
        False: a ledger without one is refused, as it has no tenants.

    Raises
    ------
    UsageError
        If it cannot be read or made, if it is none, or if others may read it: whoever has it can
        try which key a name in a report is of.
    """
    path = ledger / NAME
    try:
        if make and not path.exists():
            _make(path)
        return _read(path)
    except FileNotFoundError as error:
        raise UsageError(
            f"{ledger} holds no requests of tenants", fix="Name another with --ledger"
        ) from error
    except OSError as error:
        raise UsageError(
            f"the salt {path} cannot be used: {error.strerror}",
            fix="Let its owner run this, or name another ledger with --ledger",
        ) from error


def _make(path: Path) -> None:
    """Written whole under another name first: whoever sees it sees all of it, and the first one stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{NAME}.{os.getpid()}-{os.urandom(4).hex()}")
    _write(draft, os.urandom(SALT_B))
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    except OSError:  # a file system without second names
        with suppress(FileExistsError):
            _write(path, draft.read_bytes())
    finally:
        draft.unlink()


def _write(path: Path, salt: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        os.write(fd, salt)
        os.fsync(fd)
    finally:
        os.close(fd)


def _read(path: Path) -> bytes:
    until_s = time.monotonic() + HALF_WRITTEN_S
    while True:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            salt = file.read(SALT_B + 1)
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UsageError(f"others may read the salt {path}", fix=f"Run: chmod 600 {path}")
        if len(salt) == SALT_B:
            return salt
        if len(salt) > SALT_B or time.monotonic() > until_s:
            raise UsageError(
                f"{path} is no salt of ours", fix="Put it back from a copy; a new one renames every tenant"
            )
        time.sleep(LOOK_AGAIN_S)
