"""``wattermark``: one command, one module, imported only when it is called."""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn, Protocol

from wattermark._version import __version__

COMMANDS = {
    "run": "measure any command",
    "runs": "list what was recorded",
    "watch": "a run while it lasts, from another terminal or for Prometheus",
    "show": "one run: energy, carbon, water, and how sure they are",
    "estimate": "what a training or a service would cost, before it runs",
    "plan": "when and where to run a job, and what that saves",
    "slurm": "submit a job to SLURM for its best time, and follow it",
    "saved": "what a planned run really saved, by the signals as they became final",
    "backtest": "what a better time would have saved on a history",
    "proxy": "stand before an engine or a provider, and note what each request took",
    "serving": "requests to models: what each took, adding up to what the meter saw",
    "import": "requests that a gateway, a tracer or a provider kept, into the ledger",
    "calibrate": "fit the serving model to your own measurements",
    "report": "as a standard wants it: SCI, GHG Protocol, AI Act, model card",
    "doctor": "which meters work here, and what mends the others",
    "places": "find the name of a place",
    "models": "find the name of a model",
    "accelerators": "find the name of an accelerator",
    "factors": "the numbers behind the numbers, with their sources",
    "lint": "say where the numbers of a model card contradict each other",
    "signals": "what changes by the hour at a place, who tells it, and how well",
    "config": "settings, and where each one came from",
    "completion": "let a shell complete our words",
}

SECOND_WORDS = {
    "plan fleet": "when and where to run many jobs, where capacity is limited",
    "serving tenant": "the name that a key has in reports",
    "serving watch": "an engine's own counters beside the meters, with no proxy in the path",
    "serving report": "what requests took, by model, tenant, hour or route",
    "serving dashboard": "a Grafana dashboard of what requests take",
}
"""Commands of two words; the module of each has an underscore between them."""

MODULES = {"import": "importing"}
"""Where Python keeps the word for itself."""
LASTING = (["run"], ["watch"], ["proxy"], ["serving", "watch"])
"""Those that live long: they collect their garbage."""

MODULES = {"import": "importing"}
"""Where Python keeps the word for itself."""

EPILOG = """examples:
  wattermark run -- python train.py         measure it, read the summary
  wattermark run --place aws:eu-west-1 -- torchrun train.py
  wattermark show last                      all of it, with intervals and sources
  wattermark show last --place nor          what if it had run in Norway?
  wattermark doctor                         why is something modelled and not measured?

Nothing leaves this machine, but to providers of signals that you set.
Learn more with: wattermark COMMAND --help
"""


if TYPE_CHECKING:

    class Command(Protocol):
        """What each command's module holds."""

        EPILOG: str

        def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

        def main(self, args: argparse.Namespace) -> int: ...


def script() -> int:
    """``main`` in a process of its own, most of whose time is to begin and to end.

    One that only answers needs no threads of NumPy's and collects no garbage; the settings of a process
    that runs a job are the job's.
    """
    if sys.argv[1:2] not in LASTING and sys.argv[1:3] not in LASTING:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        gc.disable()
    code = main()
    gc.freeze()  # or the interpreter looks at everything once more before it ends
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Find the command, run it, and turn an error of ours into one sentence."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        top_parser().print_help()
        return 0 if words else 2
    if words[0].startswith("-"):
        top_parser().parse_args(words)  # says the version, or what is wrong
        return 2
    if words[0] not in COMMANDS:
        return _unknown(words[0])
    if " ".join(words[:2]) in SECOND_WORDS:
        return _guarded(" ".join(words[:2]), words[2:])
    return _guarded(words[0], words[1:])


def top_parser() -> argparse.ArgumentParser:
    """The parser that knows the commands by name only."""
    parser = argparse.ArgumentParser(
        prog="wattermark",
        description="Energy, carbon and water of ML work: measured, with intervals and sources.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"wattermark {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands", dest="command")
    for name, summary in COMMANDS.items():
        commands.add_parser(name, help=summary)
    return parser


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence, as everything here does."""

    def error(self, message: str) -> NoReturn:
        from wattermark.errors import UsageError

        raise UsageError(message[0].lower() + message[1:], fix=f"See: {self.prog} --help")


def command_parser(name: str) -> tuple[Command, argparse.ArgumentParser]:
    """One command's module and its parser."""
    summary = COMMANDS.get(name) or SECOND_WORDS[name]
    module: Command = import_module(f"wattermark.cli.{MODULES.get(name, name.replace(' ', '_'))}")
    parser = Parser(
        prog=f"wattermark {name}",
        description=summary[0].upper() + summary[1:] + ".",
        epilog=module.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    return module, parser


def _unknown(word: str) -> int:
    from wattermark.errors import nearest

    near = nearest(word, COMMANDS, most=1)
    fix = f"Did you mean '{near[0]}'?" if near else f"Commands are: {', '.join(COMMANDS)}"
    print(f"wattermark: there is no command {word!r}. {fix}", file=sys.stderr)
    return 2


def _with_negatives(words: Sequence[str]) -> list[str]:
    """``--params -7B`` as ``--params=-7B``: argparse takes only plain numbers for values."""
    joined: list[str] = []
    for word in words:
        if re.match(r"-[.\d]", word) and joined and re.fullmatch(r"--[a-z-]+", joined[-1]):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _guarded(name: str, words: Sequence[str]) -> int:
    from wattermark.cli.terminal import say
    from wattermark.errors import WattermarkError

    try:
        module, parser = command_parser(name)
        return module.main(parser.parse_args(words if name == "run" else _with_negatives(words)))
    except WattermarkError as error:
        if os.environ.get("WATTERMARK_DEBUG"):
            raise
        say(f"wattermark: {error}")
        return error.exit_code
    except BrokenPipeError:  # the reader of our output left, as head does
        _write_nowhere()
        return 0
    except OSError as error:
        _write_nowhere()
        say(f"wattermark: {error.strerror or error}. Check the disk, and where the output goes")
        return 1
    except KeyboardInterrupt:
        return 130


def _write_nowhere() -> None:
    """What is left in stdout cannot be written; Python would try again at its end, and fail."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
