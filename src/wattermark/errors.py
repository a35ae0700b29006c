"""Every error of ours says what is wrong, and then what to do.

WattermarkError
  UsageError           what was asked for cannot be meant (exit code 2)
  ReaderUnavailable    a meter cannot be used on this machine
    ReaderAbsent       as it has no such hardware, or nobody named it
  FactorNotFound       no table has that factor
  BadFactorTable       a table breaks its schema
  BadSpool             a file of the ledger cannot be read
  SignalUnavailable    a provider did not answer, or refused
    SignalRefused      with a status that says so
    BadSignal          or answered what makes no sense
      BadTrace         a file of the user's does (exit code 2)
  BadExport            a file of requests that others kept cannot be understood (exit code 2)
  NoPlan               nothing can be planned with what is known
  LeverStuck           a process or a scheduler does not obey
  PluginError          an installed plug-in cannot be used
  MissingExtra         an optional package is not installed
"""

from __future__ import annotations

from collections.abc import Iterable


class WattermarkError(Exception):
    """Base of all; catch this one to catch ours.

    ``problem`` says what is wrong, ``fix`` what to do about it.
    """

    exit_code = 1

    def __init__(self, problem: str, *, fix: str) -> None:
        super().__init__(f"{problem}. {fix}")
        self.problem = problem
        self.fix = fix


FOREIGN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a driver's binding or a stranger's reader may raise; it then is a gap, and stops nobody."""


def nearest(word: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Known words that were nearly said, for a sentence that offers them."""
    import difflib  # takes longer to import than to find nothing with

    return difflib.get_close_matches(word, list(known), n=most, cutoff=0.55)


class UsageError(WattermarkError, ValueError):
    """An argument, a setting or a name that cannot be meant."""

    exit_code = 2


class ReaderUnavailable(WattermarkError):
    """A meter that does not work on this machine; ``fix`` may hold a command to run."""


class ReaderAbsent(ReaderUnavailable):
    """The hardware is not here, or nobody named it: nothing is wrong."""


class NamedMeterUnavailable(ReaderUnavailable):
    """A meter that the user named, and that does not answer: runs say so, as it is missed."""


class FactorNotFound(WattermarkError):
    """No table has that factor."""


class BadFactorTable(WattermarkError):
    """A row of a factor table breaks the schema, or has no source."""


class BadSpool(WattermarkError):
    """A file of the ledger that is not a spool of ours."""


class SignalUnavailable(WattermarkError):
    """A provider of signals did not answer, or refused."""


class SignalRefused(SignalUnavailable):
    """A provider said no: ``status`` is its HTTP status, ``body`` what it said beside."""

    def __init__(self, problem: str, *, fix: str, status: int = 0, body: bytes = b"") -> None:
        super().__init__(problem, fix=fix)
        self.status = status
        self.body = body


class BadSignal(SignalUnavailable):
    """An answer of a provider that makes no sense, or holds nothing."""


class BadTrace(BadSignal):
    """A trace file that is none, or a line of it that makes no sense."""

    exit_code = 2


class BadExport(WattermarkError):
    """A file of requests that somebody else kept, and that holds none that can be understood."""

    exit_code = 2


class NoPlan(WattermarkError):
    """Nothing can be planned with what is known."""


class LeverStuck(WattermarkError):
    """A process or a scheduler that does not do what it was told."""


class PluginError(WattermarkError):
    """An installed plug-in cannot be used."""


class MissingExtra(WattermarkError):
    """A feature needs a package that is not installed."""

    exit_code = 2

    @classmethod
    def of(cls, feature: str, package: str, extra: str) -> MissingExtra:
        """Name the feature, what it needs, and the one line that installs it."""
        return cls(f"{feature} needs {package}", fix=f"Install it: pip install 'wattermark[{extra}]'")
