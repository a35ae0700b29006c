"""Docs that cannot rot: links lead somewhere, commands and their options exist, settings are all told."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from wattermark.cli.main import COMMANDS, SECOND_WORDS, command_parser
from wattermark.wiring.config import SETTINGS

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)\)")
COMMAND = re.compile(r"(?:^|[`$|(] ?)wattermark ([a-z]+)((?: [^`\n|#]*)?)", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]+)")


def pages() -> list[Path]:
    """Every page that git knows, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines()]


def dead_links(page: Path) -> Iterator[str]:
    for target in LINK.findall(page.read_text()):
        if "://" not in target and not (page.parent / target).exists():
            yield f"{page.relative_to(ROOT)}: the link {target} leads nowhere"


def wrong_commands(page: Path) -> Iterator[str]:
    for name, rest in COMMAND.findall(page.read_text()):
        if name not in COMMANDS:
            yield f"{page.relative_to(ROOT)}: there is no command 'wattermark {name}'"
            continue
        two = " ".join([name, *rest.split()[:1]])
        known = options_of(command_parser(two if two in SECOND_WORDS else name)[1])
        for option in OPTION.findall(rest.partition(" -- ")[0]):
            if option not in known:
                yield f"{page.relative_to(ROOT)}: 'wattermark {name}' has no {option}"


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """Options of a command and of all that stands below it."""
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= {option for below in action.choices.values() for option in options_of(below)}
    return found


def untold_settings() -> Iterator[str]:
    told = " ".join(page.read_text() for page in pages()) + "".join(
        command_parser(name)[1].format_help() for name in COMMANDS
    )
    for name in SETTINGS:
        if name.replace("_", "-") not in told and name not in told:
            yield f"the setting {name} is told nowhere"


def main() -> int:
    faults = [fault for page in pages() for fault in (*dead_links(page), *wrong_commands(page))]
    faults += untold_settings()
    print("\n".join(faults) or f"docs check: {len(pages())} pages, no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
