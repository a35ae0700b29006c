"""The board's controller behind the kernel's device, by the kernel's own header."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.errors import ReaderUnavailable
from wattermark.readers.ipmi import IpmiReader, power_of

LOOK = """
import sys, time
from wattermark.errors import ReaderUnavailable
from wattermark.readers.ipmi import IpmiReader
began_s = time.monotonic()
device, spec = sys.argv[1:]
try:
    reader = IpmiReader(device)
except ReaderUnavailable as error:
    print(error.problem)
    raise SystemExit
seen = [reader.read()]
for told in sys.stdin.read().splitlines():
    open(spec, "w").write(told)
    reader.read()
    began_look_s = time.monotonic()
    seen.append(reader.read())
    assert time.monotonic() - began_look_s < 0.1
assert time.monotonic() - began_s < 3
print(seen)
"""


@pytest.fixture
def look(libs, home, program, tmp_path):
    """What is read, at first and after each further thing that the controller tells."""

    def run(first, *later, code=LOOK):
        spec, device = tmp_path / "ipmi.spec", tmp_path / "ipmi0"
        spec.write_text(first)
        device.touch()
        env = {**home, "LD_PRELOAD": str(libs / "libfakeipmi.so"), "FAKE_IPMI_SPEC": str(spec)}
        done = program(code, device, spec, env=env, input="\n".join(later))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        pytest.param(["374"], "[[374]]", id="watts"),
        pytest.param(["374", "1250", "380"], "[[374], [1250], [380]]", id="as they change"),
        pytest.param(["374", "0 40"], "[[374], [374]]", id="nothing at all is no answer: the last one holds"),
        pytest.param(["0 40 0 1", "374"], "[[None], [None]]", id="one that hangs is not asked again at once"),
        pytest.param(["374 40 0 2"], "[[None]]", id="an answer to a question that was given up"),
        pytest.param(["374 bf"], "the board's controller tells no power (DCMI)", id="all but measuring"),
        pytest.param(["374 0"], "the board's controller tells no power (DCMI)", id="it is not measuring"),
        pytest.param(["0 40 c1"], "the board's controller tells no power (DCMI)", id="no such command"),
        pytest.param(["0 40"], "the board's controller tells no power (DCMI)", id="zero"),
    ],
)
def test_what_the_controller_tells(look, told, seen):
    assert look(*told) == seen


def test_an_answer_that_is_too_old_is_a_gap(look):
    late = "import wattermark.readers.ipmi as ipmi\nipmi.FRESH_S = 0.1\n" + LOOK.replace(
        "    reader.read()\n", "    reader.read(); time.sleep(0.2)\n"
    )
    assert look("374", "0 40 0 1", code=late) == "[[374], [None]]"


def test_no_device_and_a_locked_one_are_told(tmp_path):
    with pytest.raises(ReaderUnavailable, match="no controller of the board"):
        IpmiReader(str(tmp_path / "none"))
    locked = tmp_path / "ipmi0"
    locked.touch(mode=0)
    if not _is_root(locked):
        with pytest.raises(ReaderUnavailable, match="root only"):
            IpmiReader(str(locked))


def _is_root(path):
    try:
        path.open().close()
    except PermissionError:
        return False
    return True


def test_a_device_that_is_no_controller_has_gaps(tmp_path):
    """Its ioctl fails: there is no fake in this process."""
    (tmp_path / "ipmi0").touch()
    reader = IpmiReader(str(tmp_path / "ipmi0"))
    assert reader.read() == [None]
    reader.close()
    assert reader.read() == [None]


@given(st.binary(max_size=40))
def test_no_answer_is_taken_for_power_that_is_none(answer):
    watts = power_of(answer)
    assert watts is None or (len(answer) >= 19 and answer[0] == 0 and 0 < watts < 2**16)


def test_the_contract_holds_for_what_is_read(look):
    said = json.loads(look("374", code="import sys; from readers import audit; audit.ipmi(sys.argv[1])"))
    assert said["looks"] == [[374]] * 3
