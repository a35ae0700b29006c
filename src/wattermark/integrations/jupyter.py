"""Notebooks: ``%load_ext wattermark``, then ``%%wattermark`` over a cell records it as a run.

The line is taken for ``%wattermark``, the first statement of the cell, so that the cell stays what it is: its
last value is shown, its ``await`` works, its exception comes from its own lines. IPython tells when it ended.

References
----------
.. [1] IPython 8 and 9, "IPython Events" (``pre_run_cell``, ``post_run_cell``) and "Custom input
   transformation" (``input_transformers_cleanup``), ``InteractiveShell.run_cell_async``.
"""

from __future__ import annotations

import argparse
import shlex
from contextlib import ExitStack
from typing import Any, NoReturn

from wattermark.errors import UsageError
from wattermark.report.notebook import Shown
from wattermark.report.sheet import summary, title
from wattermark.verbs.look import seen
from wattermark.verbs.measure import Run
from wattermark.verbs.tell import harmless, tell
from wattermark.verbs.track import track
from wattermark.wiring.config import SETTINGS

MAGIC = "wattermark"
SHOWN_ELSEWHERE = ("equivalents",)
EPILOG = """examples:
  %%wattermark                                    the cell is a run, called by its number
  %%wattermark --name baseline --place deu
  %%wattermark --place aws:eu-west-1 --quiet      recorded, and nothing shown
  %wattermark --name baseline                     from this line to the end of the cell

Afterwards: wattermark.account("last"), or in a shell: wattermark show last
"""


class _BadLine(Exception):
    """What argparse has against a line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _BadLine(message)


class Notebook:
    """The run of the cell that is running, if it is recorded."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.run: Run | None = None
        self._quiet = False
        self._depth = self._began_at = 0

    def magic(self, line: str, cell: str | None = None) -> None:
        """Record the cell from here on: a line magic, or one over a cell that holds another cell magic."""
        args = _parsed(line)
        if args.help:
            print(_parser().format_help(), end="")
            return
        self._begin(args)
        if cell is not None:
            self._run_here(cell)

    def before_cell(self, _info: object = None) -> None:
        """A cell may run others, as ``%%capture`` does."""
        self._depth += 1

    @harmless
    def after_cell(self, result: Any = None) -> None:
        """The cell has ended: close its run, and show what it took."""
        ended_at, self._depth = self._depth, max(0, self._depth - 1)
        if self.run is None or ended_at > self._began_at:
            return
        self._end(getattr(result, "error_in_exec", None) or getattr(result, "error_before_exec", None))

    @harmless
    def _end(self, error: BaseException | None) -> None:
        if self.run is None:
            return
        run, self.run = self.run, None
        run.__exit__(type(error) if error is not None else None, error, None)
        if run.spool is not None and not self._quiet:
            _show(run)

    def _run_here(self, cell: str) -> None:
        with ExitStack() as stack:
            stack.push(lambda _kind, error, _trace: self._end(error))
            self.shell.ex(self.shell.transform_cell(cell))

    def _begin(self, args: argparse.Namespace) -> None:
        if self.run is not None:
            tell("the run %s of this cell ends here, as another begins", self.run.id)
            self.run.stop()
        options = {name: value for name, value in vars(args).items() if name in SETTINGS}
        try:
            run = track(name=args.name or f"cell {self.shell.displayhook.prompt_count}", **options)
        except UsageError as error:
            raise _refusal(str(error)) from None
        self._quiet, self._began_at = args.quiet, self._depth
        self.run = run.start()


def load_ipython_extension(shell: Any) -> None:
    """What ``%load_ext wattermark`` calls."""
    unload_ipython_extension(shell)
    notebook = shell.wattermark_notebook = Notebook(shell)
    shell.register_magic_function(notebook.magic, magic_kind="line_cell", magic_name=MAGIC)
    shell.input_transformers_cleanup.append(first_line)
    shell.events.register("pre_run_cell", notebook.before_cell)
    shell.events.register("post_run_cell", notebook.after_cell)


def unload_ipython_extension(shell: Any) -> None:
    """What ``%unload_ext wattermark`` calls."""
    notebook = getattr(shell, "wattermark_notebook", None)
    if notebook is None:
        return
    notebook.after_cell()
    shell.events.unregister("pre_run_cell", notebook.before_cell)
    shell.events.unregister("post_run_cell", notebook.after_cell)
    shell.input_transformers_cleanup.remove(first_line)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop(MAGIC, None)
    shell.wattermark_notebook = None


def first_line(lines: list[str]) -> list[str]:
    """The magic over a cell as the cell's first statement; not where another cell magic follows.

    >>> first_line(["%%wattermark --name a", "await train()"])
    ['%wattermark --name a', 'await train()']
    """
    head, body = (lines[0], lines[1:]) if lines else ("", [])
    words = head.split()
    if not words or words[0] != f"%%{MAGIC}":
        return lines
    if any(word in ("-h", "--help") for word in words):
        return [head.removeprefix("%")]
    following = next((line for line in body if line.strip()), "")
    return lines if following.startswith("%%") else [head.removeprefix("%"), *body]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"%%{MAGIC}", description="Record this cell as a run: energy, carbon, water.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, add_help=False, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("-h", "--help", action="store_true", help="this text; the cell is not run")
    parser.add_argument("--name", help="what to call the run (default: the cell's number)")
    for setting in SETTINGS.values():
        if setting.of_runs and setting.name not in SHOWN_ELSEWHERE:
            parser.add_argument(f"--{setting.name.replace('_', '-')}", metavar="X", help=setting.help)
    parser.add_argument("--quiet", action="store_true", help="record, and show nothing")
    return parser


def _parsed(line: str) -> argparse.Namespace:
    try:
        return _parser().parse_args(shlex.split(line))
    except (_BadLine, ValueError) as error:
        raise _refusal(f"{error}. See: %{MAGIC} --help") from None


def _refusal(sentence: str) -> Exception:
    """IPython shows this one without a traceback; what follows in the cell is not run."""
    from IPython.core.error import UsageError as OneSentence

    refusal: Exception = OneSentence(f"%{MAGIC}: {sentence}")
    return refusal


def _show(run: Run) -> None:
    from IPython.display import display

    assert run.spool is not None
    found = seen(run.spool)
    more = f"more: wattermark show {run.id}"
    display(Shown(title(found.recorded, found.footprint), summary(found.footprint), more))
