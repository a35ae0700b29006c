"""An environment for each tool that is compared, from the registry, made at first use and kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from telling import Row

CHECKOUT = Path(__file__).resolve().parents[1]
OURS = "wattermark"
MORE: Mapping[str, tuple[str, ...]] = {
    "litellm": ("litellm[proxy]",),
    "eco2ai": ("pandas<3",),  # with pandas 3 its stop() raises, and every result is lost
    "perun": ("nvidia-ml-py",),
    "pyJoules": ("nvidia-ml-py",),
}
"""What a tool needs besides itself, to give a figure at all or to see GPUs."""
NOT_COUNTED = {"pip", "setuptools", "wheel"}
_LEFT_OUT = {*NOT_COUNTED, "distutils", "pkg"}  # with setuptools come _distutils_hack and pkg_resources


class Failed(RuntimeError):
    """A tool that could not be installed, or a child that gave no answer."""


def cache() -> Path:
    """Where environments are kept by default: they take minutes to make."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wattermark-bench"


@dataclass(frozen=True)
class Environment:
    """A tool in an environment of its own; ``extra`` is one of ours that it has."""

    tool: str
    folder: Path
    extra: str = ""

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def command(self) -> Path:
        return self.folder / "bin" / self.tool

    @cached_property
    def version(self) -> str:
        return next(d["version"] for d in self._listed() if d["name"].lower() == self.tool.lower())

    def ready(self) -> Environment:
        """Install what is missing; our own checkout again whenever its sources changed.

        Raises
        ------
        Failed
            If it cannot be installed.
        """
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=True)
        stamp, wanted = self.folder / "installed", self._wanted()
        if not stamp.exists() or stamp.read_text() != wanted:
            again = ["--force-reinstall", "--no-deps"] if stamp.exists() and self.tool == OURS else []
            self._pip("install", "--quiet", *again, *self._requirements())
            stamp.write_text(wanted)
        return self

    def size(self) -> Row:
        """Packages and megabytes that the tool brings, without pip and without compiled bytecode."""
        site = next(self.folder.glob("lib/python*/site-packages"))
        files = (p for p in site.rglob("*") if p.is_file() and not p.is_symlink() and p.suffix != ".pyc")
        counted = (p for p in files if re.split(r"[-_.]", p.relative_to(site).parts[0])[0] not in _LEFT_OUT)
        packages = [d["name"] for d in self._listed() if d["name"] not in NOT_COUNTED]
        return {"packages": len(packages), "site_mb": sum(p.stat().st_size for p in counted) / 1e6}

    def _requirements(self) -> tuple[str, ...]:
        ours = f"{CHECKOUT}[{self.extra}]" if self.extra else str(CHECKOUT)
        return (ours if self.tool == OURS else self.tool, *MORE.get(self.tool, ()))

    def _listed(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self._pip("list", "--format=json"))
        return found

    def _pip(self, *words: str) -> str:
        command = [str(self.python), "-m", "pip", "--disable-pip-version-check", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"pip {' '.join(words)}: {done.stderr[-1000:]}")
        return done.stdout

    def _wanted(self) -> str:
        """What tells that the installed thing is not the one that is wanted now."""
        if self.tool != OURS:
            return " ".join(self._requirements())
        sources = [CHECKOUT / "pyproject.toml", *sorted((CHECKOUT / "src").rglob("*"))]
        kept = [p for p in sources if p.is_file() and "__pycache__" not in p.parts]
        return hashlib.sha256(b"".join(str(p).encode() + p.read_bytes() for p in kept)).hexdigest()


def environments(tools: Iterable[str], folder: Path) -> tuple[dict[str, Environment], dict[str, str]]:
    """An environment for each tool, and why there is none for the others."""
    places: dict[str, Environment] = {}
    missing: dict[str, str] = {}
    for tool in tools:
        try:
            places[tool] = Environment(tool, folder / tool).ready()
        except (Failed, OSError, subprocess.SubprocessError) as error:
            missing[tool] = f"not installed: {str(error).strip().splitlines()[-1]}"
    return places, missing
