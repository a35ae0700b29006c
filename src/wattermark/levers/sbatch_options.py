"""What a batch script asks of SLURM: its ``#SBATCH`` lines, and the options given besides.

Reference: sbatch(1) 22.05: lines that begin with #SBATCH count until the first line that is neither
empty nor a comment; what follows an unquoted # on them is a comment; options given on the command line win,
then those of the environment.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wattermark.errors import UsageError
from wattermark.levers.slurm_times import limit_s

MARK = "#SBATCH"
LONG = {
    "time", "job-name", "nodes", "ntasks", "cpus-per-task", "ntasks-per-node", "gres", "gpus",
    "gpus-per-node", "gpus-per-task", "gpus-per-socket", "begin", "array", "mem", "signal",
    "partition", "account", "output", "error", "chdir", "dependency", "constraint", "qos",
    "mail-type", "mail-user", "licenses", "comment", "export", "deadline", "time-min", "nodelist",
    "exclude", "mem-per-cpu", "mem-per-gpu", "reservation", "input",
}  # fmt: skip
"""Options that take the next word where no = is in them."""
SHORT = {
    "t": "time", "J": "job-name", "N": "nodes", "n": "ntasks", "c": "cpus-per-task", "G": "gpus",
    "b": "begin", "a": "array", "H": "hold", "p": "partition", "A": "account", "o": "output",
    "e": "error", "D": "chdir", "d": "dependency", "C": "constraint", "q": "qos", "L": "licenses",
    "w": "nodelist", "x": "exclude", "i": "input", "m": "distribution", "F": "nodefile",
    "B": "extra-node-info", "S": "core-spec", "M": "clusters",
}  # fmt: skip
FLAGS = "HQOsvVWhIkK"
"""Short options that take no argument (k and K may have one, joined to them)."""
FROM_ENVIRONMENT = {
    "SBATCH_TIMELIMIT": "time",
    "SBATCH_JOB_NAME": "job-name",
    "SBATCH_ARRAY_INX": "array",
    "SBATCH_GPUS": "gpus",
    "SBATCH_GPUS_PER_NODE": "gpus-per-node",
    "SBATCH_GPUS_PER_TASK": "gpus-per-task",
    "SBATCH_REQUEUE": "requeue",
}
MOST_TASKS = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a script asks for. ``limit_s`` is None where it asks for none: the partition's holds then."""

    name: str = ""
    limit_s: float | None = None
    nodes: int = 1
    cpus: int = 1
    gpus: int = 0
    gpu: str = ""
    tasks: int = 1
    begin: str = ""
    hold: bool = False
    requeue: bool = False


def asked(script: str, options: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> Asked:
    """What a script asks of SLURM, with what the environment and the command line ask instead.

    Raises
    ------
    UsageError
        If a time or a number cannot be read, or it is a heterogeneous job.
    """
    given = dict(_options(words_of(script)))
    environment = environ or {}
    given |= {name: environment[key] for key, name in FROM_ENVIRONMENT.items() if key in environment}
    given |= dict(_options(options))
    nodes = _number(given, "nodes") or 1
    tasks = _number(given, "ntasks") or nodes * (_number(given, "ntasks-per-node") or 1)
    gpu, gpus = _gpus(given, nodes, tasks)
    return Asked(
        name=given.get("job-name", ""),
        limit_s=_limit(given.get("time")),
        nodes=nodes,
        cpus=tasks * (_number(given, "cpus-per-task") or 1),
        gpus=gpus,
        gpu=gpu,
        tasks=array_size(given["array"]) if "array" in given else 1,
        begin=given.get("begin", ""),
        hold="hold" in given,
        requeue="requeue" in given and "no-requeue" not in given,
    )


def words_of(script: str) -> list[str]:
    """The words of all its ``#SBATCH`` lines."""
    words: list[str] = []
    for line in header_of(script):
        if line.startswith(MARK) and line[len(MARK) : len(MARK) + 1] in ("", " ", "\t"):
            words += _words(line[len(MARK) :])
    if words[:1] == ["hetjob"] or "packjob" in words or "hetjob" in words:
        raise UsageError(
            "the script asks for a heterogeneous job, which is not planned here", fix="Submit it with sbatch"
        )
    return words


def header_of(script: str) -> Iterator[str]:
    """The lines before its first command."""
    for line in script.split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            return
        yield line


def array_size(spec: str) -> int:
    """How many jobs an array has: ``0-15:4``, ``1,3,7``, ``1-100%8``.

    Raises
    ------
    UsageError
        If it is no list of numbers.
    """
    size = 0
    for part in spec.partition("%")[0].strip("[]").split(","):
        found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?", part.strip(), re.ASCII)
        if found is None or int(found[3] or 1) == 0 or int(found[2] or found[1]) < int(found[1]):
            raise UsageError(
                f"the array {spec!r} cannot be read", fix="Write it as sbatch takes it: 0-15 or 1,3,7"
            )
        size += (int(found[2] or found[1]) - int(found[1])) // int(found[3] or 1) + 1
    return min(size, MOST_TASKS)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError as error:
        raise UsageError(f"the line {MARK}{text} cannot be read: {error}", fix="Close its quotes") from error


def _options(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names and values, as getopt_long(3) tells them apart; a later one of a name wins."""
    rest = iter(words)
    for word in rest:
        if word.startswith("--") and word != "--":
            name, equals, value = word[2:].partition("=")
            yield name, value if equals or name not in LONG else next(rest, "")
        elif word.startswith("-") and word != "-":
            yield from _short(word[1:], rest)


def _short(cluster: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    while cluster:
        letter, cluster = cluster[0], cluster[1:]
        name = SHORT.get(letter, letter)
        if letter in FLAGS:
            yield name, ""
            if letter in "kK":
                return
            continue
        yield name, cluster or next(rest, "")
        return


def _limit(text: str | None) -> float | None:
    if text is None:
        return None
    read_s = limit_s(text)
    if read_s is None:
        raise UsageError(
            f"the time limit {text!r} cannot be read", fix="Write it as sbatch takes it: 1-12:00:00"
        )
    return read_s


def _number(given: Mapping[str, str], name: str) -> int | None:
    """The first number of a value: the least of a range of nodes."""
    if name not in given:
        return None
    found = re.match(r"(\d{1,9})([kKmM]?)(?:\D|$)", given[name], re.ASCII)
    if found is None or int(found[1]) == 0:
        raise UsageError(f"--{name}={given[name]} cannot be read", fix="Give a whole number, at least 1")
    return int(found[1]) * {"": 1, "k": 1024, "m": 1024**2}[found[2].lower()]


def _gpus(given: Mapping[str, str], nodes: int, tasks: int) -> tuple[str, int]:
    """The kind, where it is named, and the number of all GPUs."""
    gres = next((one for one in given.get("gres", "").split(",") if one.partition(":")[0] == "gpu"), None)
    several = (
        ("gpus", given.get("gpus"), 1),
        ("gpus-per-node", given.get("gpus-per-node"), nodes),
        ("gpus-per-task", given.get("gpus-per-task"), tasks),
        ("gres", gres and (gres.partition(":")[2] or "1"), nodes),
    )
    for name, text, times in several:
        if text:
            kind, number = _typed(name, text)
            return kind, number * times
    return "", 0


def _typed(name: str, text: str) -> tuple[str, int]:
    """``4``, ``a100:4`` or ``a100``; of several kinds the first. What stands in brackets is passed over."""
    words = text.split(",", maxsplit=1)[0].partition("(")[0].split(":")
    number = words.pop() if words[-1].isdecimal() and words[-1].isascii() else "1"
    if len(words) > 1 or len(number) > 6:
        raise UsageError(f"--{name}={text} cannot be read", fix="Write it as sbatch takes it: a100:4")
    return (words[0] if words else ""), int(number)
