"""``wattermark completion``: a script that lets a shell complete our words."""

from __future__ import annotations

import argparse

from wattermark.errors import MissingExtra

EPILOG = """examples:
  wattermark completion bash > ~/.local/share/bash-completion/completions/wattermark
  wattermark completion zsh > ~/.zfunc/_wattermark
"""

SHELLS = ("bash", "zsh", "tcsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS)


def main(args: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError as error:
        raise MissingExtra(
            "completion scripts are made by shtab, which is not installed",
            fix="Run: pip install 'wattermark[completion]'",
        ) from error
    print(shtab.complete(whole_parser(), args.shell))
    return 0


def whole_parser() -> argparse.ArgumentParser:
    """One parser with every command's options in it."""
    from wattermark.cli.main import COMMANDS, command_parser

    parser = argparse.ArgumentParser(prog="wattermark")
    commands = parser.add_subparsers()
    for name, summary in COMMANDS.items():
        _, one = command_parser(name)
        commands.add_parser(name, help=summary, parents=[one], add_help=False, conflict_handler="resolve")
    return parser
