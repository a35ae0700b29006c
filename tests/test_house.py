"""The laws of the house that a machine can hold, and for each law a sin that it catches.

A check takes the text of a module and tells what is wrong in it, so that it can be tried on a
bad text: a law whose check cannot fail holds nothing.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "wattermark"

MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 400, 40, 9
MOST_MODULES = 25
ARITHMETIC = (ast.Mult, ast.Div, ast.Pow, ast.FloorDiv)
PATHS = ("folder", "ledger", "root", "path", "home", "base", "dir", "parent")
NOT_FROZEN = {
    "recorder/beat.py: _Ask": "a caller waits at its event, and the beat answers through it",
    "science/load.py: Load": "frozen; its cached property needs a place to be kept in",
}
"""Dataclasses that are not frozen and slotted, and why."""
OUTERMOST_LOOP = "recorder/beat.py"
"""The one place that may catch everything: a fault of ours must not end a training."""


def modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (SRC / room).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(SRC).as_posix()


def functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


# -- (1) floors: .importlinter ---------------------------------------------------------


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("lint-imports")
    if not tool.exists():
        pytest.skip("import-linter is not installed")
    return subprocess.run(
        [tool, "--no-cache", "--no-logo", "--config", ROOT / ".importlinter"],
        env={**os.environ, "PYTHONPATH": str(folder)},
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_floors_rooms_purity_and_lightness_hold():
    result = lint(ROOT / "src")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line", "breaks"),
    [
        pytest.param("values/range.py", "import wattermark.science.energy", "floors", id="a floor looks up"),
        pytest.param("errors.py", "import wattermark.values.range", "floors", id="errors look up"),
        pytest.param(
            "science/energy.py", "import wattermark.factors.table", "floors", id="a room looks aside"
        ),
        pytest.param("verbs/place.py", "import wattermark.cli.main", "floors", id="a verb knows its skin"),
        pytest.param("integrations/hooks.py", "import wattermark.cli.main", "floors", id="skins meet"),
        pytest.param("attic/__init__.py", "", "floors", id="a room that nobody put on a floor"),
        pytest.param("science/energy.py", "import os", "pure", id="science reads the world"),
        pytest.param("values/range.py", "import random", "pure", id="a value throws dice"),
        pytest.param("report/numbers.py", "import time", "pure", id="a report asks the time"),
        pytest.param("recorder/beat.py", "import numpy", "light", id="the recorder does sums"),
        pytest.param("readers/rapl.py", "import psutil", "light", id="a reader takes what is another's"),
        pytest.param("ledger/spool.py", "import rich", "light", id="the spool paints"),
    ],
)
def test_a_broken_contract_is_seen(tmp_path, module, line, breaks):
    """A copy of the house with one import too many."""
    shutil.copytree(SRC, tmp_path / "wattermark", ignore=shutil.ignore_patterns("*.csv", "__pycache__"))
    sinner = tmp_path / "wattermark" / module
    sinner.parent.mkdir(exist_ok=True)
    sinner.write_text((sinner.read_text() if sinner.exists() else "") + f"\n{line}\n")
    titles = {"floors": "A floor imports", "pure": "Science, values", "light": "The recording path"}
    said = " ".join(lint(tmp_path).stdout.split())
    assert re.search(rf"{titles[breaks]}[^.]*? BROKEN", said), said


# -- (2) no arithmetic above science ---------------------------------------------------


def arithmetic(source: str) -> list[str]:
    """Products, quotients and powers; texts that are repeated and paths that are joined are none."""
    found = []
    for node in ast.walk(ast.parse(source)):
        reckons = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ARITHMETIC)
        if reckons and not (isinstance(node, ast.BinOp) and _is_text_or_path(node)):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


def _is_text_or_path(node: ast.BinOp) -> bool:
    if any(_is_text(side) for side in (node.left, node.right)):
        return isinstance(node.op, ast.Mult | ast.Div)
    return isinstance(node.op, ast.Div) and _is_path(node.left)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_path(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Div) and _is_text_or_path(node)
    if isinstance(node, ast.Call):
        return _is_path(node.func)
    word = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return word.lower().endswith(PATHS)


@pytest.mark.parametrize("path", modules("verbs", "integrations", "dashboard", "cli"), ids=name_of)
def test_verbs_and_skins_hold_no_arithmetic(path):
    """A verb looks up and hands on. What changes a number stands in science, where it is tested."""
    assert arithmetic(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("energy_kwh = energy_j / 3_600_000", True),
        ("carbon_g = energy * pue * intensity", True),
        ("total *= 2", True),
        ("n = size // 2", True),
        ("x = (a / b) / c", True),
        ("x = energy_j / duration_s ** 2", True),
        ("spool = folder / run / f'{host}.jsonl'", False),
        ("spool = config.ledger / run", False),
        ("here = Path(name) / other", False),
        ("line = '-' * 20", False),
        ("many = a + b - c", False),
    ],
)
def test_arithmetic_is_seen_and_paths_are_not(source, caught):
    assert bool(arithmetic(source)) is caught


# -- (3) nothing is caught blindly -----------------------------------------------------


def blind(source: str) -> list[str]:
    """Handlers that would catch what nobody expected."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or _broad(node.type)):
            found.append(f"line {node.lineno}: except {ast.unparse(node.type) if node.type else ''}")
        if isinstance(node, ast.Call) and _is_suppress(node.func) and any(map(_broad, node.args)):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


def _is_suppress(function: ast.expr) -> bool:
    return ast.unparse(function).rpartition(".")[2] == "suppress"


def _broad(caught: ast.expr) -> bool:
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(ast.unparse(name).rpartition(".")[2] in {"Exception", "BaseException"} for name in names)


@pytest.mark.parametrize("path", modules("."), ids=name_of)
def test_nothing_is_caught_blindly(path):
    """A failed read must become a gap, never a zero; so nobody catches what he did not expect."""
    assert len(blind(path.read_text())) == (1 if name_of(path) == OUTERMOST_LOOP else 0)


@pytest.mark.parametrize(
    ("handler", "caught"),
    [
        ("except:", True),
        ("except Exception:", True),
        ("except BaseException as error:", True),
        ("except (OSError, Exception):", True),
        ("except builtins.Exception:", True),
        ("except (OSError, ValueError):", False),
        ("except OSError as error:", False),
    ],
)
def test_a_blind_handler_is_seen(handler, caught):
    assert bool(blind(f"try:\n    read()\n{handler}\n    pass")) is caught


def test_a_blind_suppression_is_seen():
    assert blind("with contextlib.suppress(Exception):\n    read()")
    assert not blind("with contextlib.suppress(RuntimeError):\n    read()")


# -- (3b) no text becomes code -----------------------------------------------------------

RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
UNPACKS_CODE = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}


def runs_text(source: str) -> list[str]:
    """Calls that make a text into code, and modules that unpack code."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).removeprefix("builtins.") in RUNS_TEXT:
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("yaml.load", "yaml.unsafe_load"):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
        if isinstance(node, ast.Import) and any(one.name in UNPACKS_CODE for one in node.names):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
        if isinstance(node, ast.ImportFrom) and node.module in UNPACKS_CODE:
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize("path", modules("."), ids=name_of)
def test_no_text_becomes_code(path):
    """What a controller, an exporter or a file says is read, and never run."""
    assert runs_text(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("place = eval(answer)", True),
        ("exec(text)", True),
        ("builtins.eval(text)", True),
        ("import pickle", True),
        ("from marshal import loads", True),
        ("yaml.load(text)", True),
        ("model.eval()", False),
        ("re.compile(text)", False),
        ("yaml.safe_load(text)", False),
        ("json.loads(text)", False),
    ],
)
def test_text_that_becomes_code_is_seen(source, caught):
    assert bool(runs_text(source)) is caught


# -- (4) sizes and shapes --------------------------------------------------------------


def oversized(source: str) -> list[str]:
    """Modules, functions and lists of parameters that are too long."""
    found = [f"{n} lines"] if (n := len(source.splitlines())) > MOST_LINES else []
    for function in functions(source):
        lines = function.end_lineno - function.lineno + 1 - _docstring_lines(function)
        if lines > MOST_FUNCTION_LINES:
            found.append(f"{function.name}: {lines} lines")
        public = function.name == "__init__" or not function.name.startswith("_")
        if public and (n := _parameters(function)) > MOST_PARAMETERS:
            found.append(f"{function.name}: {n} parameters")
    return found


def _docstring_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    return first.end_lineno - first.lineno + 1 if ast.get_docstring(function) is not None else 0


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return sum(one.arg not in ("self", "cls") for one in given)


@pytest.mark.parametrize("path", modules("."), ids=name_of)
def test_nothing_is_too_long(path):
    assert oversized(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("\n" * 401, True),
        ("def f():\n" + "    x = 1\n" * 40, True),
        ("class A:\n    async def f(self):\n" + "        x = 1\n" * 40, True),
        ("def f(" + ", ".join(f"a{i}" for i in range(10)) + "): pass", True),
        ("def f(*, " + ", ".join(f"a{i}" for i in range(10)) + "): pass", True),
        ("class A:\n    def __init__(self, " + ", ".join(f"a{i}" for i in range(10)) + "): pass", True),
        ("\n" * 400, False),
        ("def f():\n" + "    x = 1\n" * 39, False),
        ('def f():\n    """' + "Says\n" * 60 + '    """\n', False),
        ("class A:\n    def f(self, " + ", ".join(f"a{i}" for i in range(9)) + "): pass", False),
    ],
    ids=[
        "module",
        "function",
        "method",
        "arguments",
        "keywords",
        "init",
        "-module",
        "-function",
        "docs",
        "-self",
    ],
)
def test_what_is_too_long_is_seen(source, caught):
    assert bool(oversized(source)) is caught


def loose_dataclasses(source: str) -> list[str]:
    """Dataclasses that are not frozen, or have no slots."""
    found = []
    for node in ast.walk(ast.parse(source)):
        for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else ():
            call = decorator if isinstance(decorator, ast.Call) else None
            if ast.unparse(call.func if call else decorator).rpartition(".")[2] == "dataclass":
                options = {k.arg: ast.unparse(k.value) for k in call.keywords} if call else {}
                if not options.get("frozen") == options.get("slots") == "True":
                    found.append(node.name)
    return found


def test_dataclasses_are_frozen_and_slotted():
    """The exceptions are told above, each with its reason; one that is no more goes from there, too."""
    found = [
        f"{name_of(path)}: {name}" for path in modules(".") for name in loose_dataclasses(path.read_text())
    ]
    assert found == sorted(NOT_FROZEN)


@pytest.mark.parametrize(
    ("decorator", "caught"),
    [
        ("@dataclass", True),
        ("@dataclasses.dataclass", True),
        ("@dataclass(frozen=True)", True),
        ("@dataclass(slots=True)", True),
        ("@dataclass(frozen=False, slots=True)", True),
        ("@dataclass(frozen=True, slots=True, kw_only=True)", False),
        ("@total_ordering", False),
    ],
)
def test_a_loose_dataclass_is_seen(decorator, caught):
    assert bool(loose_dataclasses(f"{decorator}\nclass A: pass")) is caught


# -- (5) what an import brings along ---------------------------------------------------


def brought(code: str) -> set[str]:
    """The modules that a program loads, in a fresh interpreter, over those that Python starts with."""
    program = f"import sys; before = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(SRC.parent), "PATH": os.environ["PATH"]},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return set(done.stdout.split())


def strangers(names: set[str]) -> set[str]:
    """Packages that are neither ours nor Python's."""
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"wattermark"}


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(SRC.parent).with_suffix("").parts).removesuffix(".__init__")


RECORDING = [
    dotted(path) for path in (*modules("values", "readers", "recorder"), SRC / "ledger" / "spool.py")
]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import " + ", ".join(RECORDING), id="the recording side"),
        pytest.param("import wattermark.verbs.track", id="what one line starts"),
        pytest.param("import wattermark as wm; wm.track, wm.Run", id="the public face"),
    ],
)
def test_recording_needs_nothing_installed(code):
    assert strangers(brought(code)) == set()


def test_our_own_import_costs_next_to_nothing():
    loaded = brought("import wattermark")
    assert strangers(loaded) == set()
    assert len(loaded) < MOST_MODULES


def test_our_import_takes_less_than_a_fifth_of_a_second_and_says_nothing():
    """Processor time, as the clock on the wall belongs to others too."""
    code = "import time; t = time.process_time(); import wattermark; assert time.process_time() - t < 0.2"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env={"PYTHONPATH": str(SRC.parent)},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_stranger_is_seen():
    assert strangers(brought("import numpy, json")) == {"numpy"}
    assert len(brought("import wattermark.science.footprint")) > MOST_MODULES


# -- (6) the shelf of science is a book ------------------------------------------------


def unexplained(source: str) -> list[str]:
    """Public functions without a docstring, or with parameters that it does not tell in NumPy's form."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            text = ast.get_docstring(node) or ""
            if not text or (_parameters(node) and not re.search(r"^Parameters\n-{10}$", text, re.MULTILINE)):
                found.append(node.name)
    return found


@pytest.mark.parametrize("path", modules("science"), ids=name_of)
def test_science_explains_itself(path):
    assert unexplained(path.read_text()) == []


@pytest.mark.parametrize(
    ("docstring", "caught"),
    [
        ("", True),
        ('"""Energy."""', True),
        ('"""Energy.\n\n    Parameters\n    ---\n    x : float\n    """', True),
        ('"""Energy.\n\n    Parameters\n    ----------\n    x : float\n        [J]\n    """', False),
    ],
    ids=["none", "one line", "not NumPy's", "NumPy's"],
)
def test_an_unexplained_function_is_seen(docstring, caught):
    assert bool(unexplained(f"def f(x):\n    {docstring}\n    return x")) is caught


# -- (7) no name of the workplace ------------------------------------------------------

LOCAL = re.compile(
    r"(?<![\w.-])/wor" r"k(?![\w-])|\.\./sha" r"red|pypi\.or" r"g|python" r"hosted|anaconda\.or" r"g"
    r"|artifac" r"tory|\bjf" r"rog|npmjs\.or" r"g|--(?:extra-)?index-ur" r"l|files\.python"
)  # fmt: skip
"""Written in pieces, so that this file does not name them."""


def local_names(text: str) -> list[str]:
    return [f"line {text.count(chr(10), 0, hit.start()) + 1}: {hit[0]}" for hit in LOCAL.finditer(text)]


def project_files() -> list[Path]:
    """All files that git keeps, or would."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    told = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [ROOT / name for name in told.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_this_workplace_or_a_package_host():
    """What is published must read the same, wherever it was written."""
    found = {}
    for path in project_files():
        data = path.read_bytes()
        if b"\0" not in data and (names := local_names(data.decode(errors="replace"))):
            found[path.relative_to(ROOT).as_posix()] = names
    assert found == {}


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ("see " + "/wor" + "k/main", True),
        ("cd " + "/wor" + "k", True),
        ("../sha" + "red/data", True),
        ("https://pypi.or" + "g/simple", True),
        ("pip install --index-ur" + "l=x", True),
        ("docs/wor" + "k/plan.md", False),
        ("/workspace/data", False),
        ("a network of power", False),
        ("pip install wattermark", False),
    ],
)
def test_a_local_name_is_seen(text, caught):
    assert bool(local_names(text)) is caught


# -- (8) every system ------------------------------------------------------------------

POSIX_ONLY = {"resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog"}


def one_system(source: str) -> list[str]:
    """What another system would not import, or would read as other letters (Windows' own are not UTF-8)."""
    tree = ast.parse(source)
    found = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom) and POSIX_ONLY & _roots(node)
    ]
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return found + [f"line {call.lineno}: {ast.unparse(call)}" for call in calls if _of_no_encoding(call)]


def _roots(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return {name.partition(".")[0] for name in names}


def _of_no_encoding(call: ast.Call) -> bool:
    """Whether it reads or writes text in letters that the system chooses; ``os.open`` knows no letters."""
    function = call.func
    if isinstance(function, ast.Name):
        name, modes = function.id, call.args[1:2]
    elif isinstance(function, ast.Attribute) and ast.unparse(function.value) != "os":
        name, modes = function.attr, call.args[:1]
    else:
        return False
    if any(keyword.arg == "encoding" for keyword in call.keywords):
        return False
    binary = any("b" in str(mode.value) for mode in modes if isinstance(mode, ast.Constant))
    return name in ("read_text", "write_text") or (name == "open" and not binary)


@pytest.mark.parametrize("path", modules("."), ids=name_of)
def test_nothing_is_of_one_system_alone(path):
    assert one_system(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("import resource", True),
        ("from fcntl import flock", True),
        ("def f():\n    import resource", False),
        ("import resources", False),
        ("path.read_text()", True),
        ("path.write_text(text)", True),
        ("path.read_text(encoding='utf-8')", False),
        ("open(path)", True),
        ("open(path, 'w')", True),
        ("open(path, 'rb')", False),
        ("open(path, encoding='utf-8')", False),
        ("path.open()", True),
        ("path.open('rb')", False),
        ("os.open(path, os.O_RDONLY)", False),
    ],
)
def test_what_is_of_one_system_is_seen(source, caught):
    assert bool(one_system(source)) is caught
