"""The commands as a person types them: real processes, a ledger of their own, no network."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from wattermark.cli.main import COMMANDS

QUANTITIES = [
    *("it_energy_j", "facility_energy_j"),
    *("carbon_operational_g", "carbon_embodied_g", "carbon_g", "carbon_market_g"),
    *("water_onsite_l", "water_offsite_thermal_l", "water_offsite_hydro_l", "water_embodied_l"),
    *("water_l", "water_scarcity_m3eq"),
]
BURN = "import time\nend = time.process_time() + {seconds}\nwhile time.process_time() < end: pass"


def wm(home, *words, **more):
    return subprocess.run(
        [sys.executable, "-m", "wattermark", *words],
        capture_output=True, text=True, timeout=60, check=False, cwd=home["HOME"], env=home, **more,
    )  # fmt: skip


def run(home, *options, command=("true",)):
    return wm(home, "run", *options, "--", *command)


def shown(home, *words):
    done = wm(home, "show", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_streams_and_the_exit_code_are_the_commands_own(home):
    done = wm(home, "run", "--", "sh", "-c", "cat; echo told >&2; exit 7", input="given")
    assert done.stdout == "given"
    assert done.stderr.startswith("told\n\nwattermark  sh  failed")
    assert "failed (exit code 7)" in done.stderr
    assert done.returncode == 7


def test_quiet_says_nothing(home):
    done = run(home, "--quiet", command=("echo", "hi"))
    assert (done.stdout, done.stderr, done.returncode) == ("hi\n", "", 0)


def test_the_command_sees_no_setting_of_ours(home):
    """A child of ours asks NumPy for one thread when it estimates, and for nothing when it runs a job."""
    ask = "import os; print(os.environ.get('OPENBLAS_NUM_THREADS'))"
    assert run(home, "--quiet", command=(sys.executable, "-c", ask)).stdout == "None\n"
    asked = f"from wattermark.cli.main import script; script(); {ask}"
    told = subprocess.run(
        [sys.executable, "-c", asked, "places", "nowhere"],
        capture_output=True, text=True, check=True, env=home,
    )  # fmt: skip
    assert told.stdout == "1\n"


def test_a_summary_fits_80_columns_and_has_no_colour(home):
    done = run(home, "--name", "a-rather-long-name-for-a-run-of-a-model", "--place", "aws:us-east-1")
    assert max(map(len, done.stderr.splitlines())) <= 80
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
def test_a_signal_reaches_the_command_and_the_summary_still_appears(home, name):
    number = getattr(signal, name)
    child = (
        f"import signal, sys\nsignal.signal({int(number)}, lambda *a: sys.exit(9))\n"
        "print('up', flush=True)\nsignal.pause()"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "wattermark", "run", "--", sys.executable, "-c", child],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=home,
    )  # fmt: skip
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 9
    assert "failed (exit code 9)" in said


def test_a_command_that_a_signal_kills_ends_us_by_the_same_signal(home):
    assert run(home, command=("sh", "-c", "kill -9 $$")).returncode == -signal.SIGKILL


def at_a_terminal(home, words, keys=b"", after=""):
    """Run at a pseudo terminal; press keys once some text was seen. What was shown, and the exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-m", "wattermark", *words], {**home, "TERM": "xterm"})
    seen, pressed, end = b"", False, time.monotonic() + 30
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            if not data:
                break
            seen += data
        if keys and not pressed and re.search(after.encode(), seen):
            pressed = bool(os.write(terminal, keys))
    return seen.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.slow
def test_at_a_terminal_a_line_tells_the_cost_and_ctrl_c_comes_once(home):
    child = """import time, sys
try:
    time.sleep(30)
except KeyboardInterrupt:
    print("stopped")
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        print("twice")
    sys.exit(5)
"""
    seen, code = at_a_terminal(
        home, ("run", "--", sys.executable, "-c", child), keys=b"\x03", after=r"CO2e .* water"
    )
    assert re.search(r"\d s  .*W  .*J  .*g CO2e  .*L water", seen)
    assert "stopped" in seen and "twice" not in seen
    assert "failed (exit code 5)" in seen
    assert code == 5


# fmt: off
BAD_INPUT = [
    pytest.param(("run", "--place", "deux", "--", "true"), "Did you mean DEU", id="an unknown place"),
    pytest.param(("run", "--place", "eu-west-9", "--", "true"), "not known", id="an unknown region"),
    pytest.param(("run", "--pue", "-1", "--", "true"), "between 1 and 5", id="a negative PUE"),
    pytest.param(("run", "--pue", "0.5", "--", "true"), "between 1 and 5", id="a PUE below 1"),
    pytest.param(("run", "--pue", "nan", "--", "true"), "between 1 and 5", id="a PUE that is no number"),
    pytest.param(("run", "--wue", "-3", "--", "true"), "not negative", id="a negative WUE"),
    pytest.param(("run", "--interval", "0", "--", "true"), "0.01", id="a beat without end"),
    pytest.param(("run", "--scope", "world", "--", "true"), "process, machine", id="a scope that is none"),
    pytest.param(("run", "--tag", "lr", "--", "true"), "KEY=VALUE", id="a tag without a value"),
    pytest.param(("run", "--", "no-such-program"), "no program 'no-such", id="an unknown program"),
    pytest.param(("run",), "no command is given", id="no command"),
    pytest.param(("show", "last"), "no runs in", id="an empty ledger"),
    pytest.param(("show", "last", "--pue", "x"), "between 1 and 5", id="a PUE that is a letter, in show"),
    pytest.param(("rnu",), "Did you mean 'run'", id="a misspelt command"),
    pytest.param(("config", "set", "plaec", "deu"), "Did you mean place", id="a misspelt setting"),
    pytest.param(("config", "set", "place", "nowhere-at-all"), "not known", id="a place that cannot be kept"),
    pytest.param(("config", "set", "place"), "needs a setting and a value", id="a setting without a value"),
    pytest.param(("factors", "--at", "July"), "no moment", id="a moment that is none"),
]
# fmt: on


@pytest.mark.parametrize(("words", "says"), BAD_INPUT)
def test_bad_input_gets_one_sentence_and_exit_code_2(home, words, says):
    done = wm(home, *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_two_runs_of_one_name_are_told_apart(home):
    for _ in range(2):
        run(home, "--name", "same")
    done = wm(home, "show", "same")
    assert done.returncode == 2
    assert "2 runs fit 'same'" in done.stderr


NO_NETWORK = """
import sys
def refuse(event, args):
    if event.startswith(("socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.sendto")):
        raise SystemExit(f"network: {event} {args}")
sys.addaudithook(refuse)
from wattermark.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--", "true"),
        ("show", "last"),
        ("runs",),
        ("doctor",),
        ("places", "usa"),
        ("models", "llama"),
        ("accelerators",),
        ("factors",),
        ("config",),
    ],
    ids=lambda words: words[0],
)
def test_no_packet_leaves_the_machine(home, words):
    run(home)
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK, *words],
        capture_output=True, text=True, check=False, env=home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "network:" not in done.stderr


def test_a_broken_config_file_is_named(home, tmp_path):
    path = tmp_path / "config" / "wattermark" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("place = ")
    done = run(home)
    assert done.returncode == 2
    assert str(path) in done.stderr


def test_a_ledger_that_cannot_be_written_costs_the_command_nothing(home, tmp_path):
    (tmp_path / "file").write_text("")
    done = run(home, "--ledger", str(tmp_path / "file" / "runs"), command=("echo", "trained"))
    assert (done.stdout, done.returncode) == ("trained\n", 0)
    assert "cannot be written" in done.stderr
    assert "energy" in done.stderr


def test_a_broken_line_is_told_and_the_rest_is_shown(home, tmp_path):
    run(home)
    (spool,) = (tmp_path / "runs").glob("*/*.jsonl")
    lines = spool.read_text().splitlines(keepends=True)
    spool.write_text("".join([*lines[:2], "{broken\n", *lines[2:]]))
    assert any(flag.startswith("spool-damaged: 1 unreadable") for flag in shown(home, "last")["flags"])


def test_the_words_of_the_outside(home):
    run(
        home,
        "--place",
        "aws:us-east-1",
        "--tag",
        "lr=1",
        command=(sys.executable, "-c", BURN.format(seconds=0.2)),
    )
    document = shown(home, "last")
    assert set(document["footprint"]) == set(QUANTITIES)
    known = {name: value for name, value in document["footprint"].items() if value is not None}
    assert set(QUANTITIES) - set(known) == {"carbon_market_g"}
    assert all(value["low"] <= value["best"] <= value["high"] for value in known.values())
    assert document["place"]["resolved"] == "aws:us-east-1"
    assert {c["quality"] for c in document["components"]} <= {"measured", "modelled", "missing"}
    assert all(factor["source"] and factor["unit"] for factor in document["factors"])
    assert document["run"]["tags"] == {"lr": "1"}
    assert document["schema"] == 1


def test_market_based_carbon_is_told_where_the_contract_is_known(home):
    run(home, "--market-intensity", "0", "--place", "deu")
    assert shown(home, "last")["footprint"]["carbon_market_g"]["high"] == 0


def test_what_if_it_had_run_elsewhere(home):
    run(home, "--place", "pol", command=(sys.executable, "-c", BURN.format(seconds=0.2)))
    here, there = shown(home, "last"), shown(home, "last", "--place", "gcp:europe-north1")
    assert here["footprint"]["it_energy_j"] == there["footprint"]["it_energy_j"]
    assert (
        here["footprint"]["carbon_operational_g"]["best"]
        > 4 * there["footprint"]["carbon_operational_g"]["best"]
    )
    then = shown(home, "last", "--at", "2019-07")
    assert {f["year"] for f in then["factors"] if f["name"] == "carbon_intensity"} == {2019}


@pytest.mark.parametrize("topic", ["energy", "carbon", "water"])
def test_explain_puts_the_numbers_into_the_formula(home, topic):
    run(home, "--place", "deu", command=(sys.executable, "-c", BURN.format(seconds=0.1)))
    done = wm(home, "show", "last", "--explain", topic)
    assert done.returncode == 0
    assert re.search(r"= .*kWh x .* = ", done.stdout)


def test_everyday_things_are_off_by_default(home):
    run(home, "--place", "deu")
    assert "lamp" not in wm(home, "show", "last").stdout
    assert "lamp" in wm(home, "show", "last", "--equivalents").stdout


def test_a_kept_place_is_used_and_told(home):
    assert wm(home, "config", "set", "place", "deu").returncode == 0
    run(home)
    assert shown(home, "last")["place"]["grid"] == "DEU"
    settings = json.loads(wm(home, "config", "--json").stdout)["settings"]
    assert settings["place"]["value"] == "deu"
    assert settings["place"]["origin"].endswith("config.toml")
    assert settings["interval"]["origin"] == "default"
    wm(home, "config", "unset", "place")
    assert json.loads(wm(home, "config", "--json").stdout)["settings"]["place"]["value"] is None


def test_a_place_that_nobody_told_is_the_world_and_flagged(home):
    run(home)
    document = shown(home, "last")
    assert document["place"]["resolved"] in {"WORLD", *(p["place"] for p in places(home))}
    if document["place"]["unknown"]:
        assert any(flag.startswith("place-unknown") for flag in document["flags"])


def places(home, *words):
    return json.loads(wm(home, "places", *words, "--json").stdout)["places"]


def test_places_are_found_by_a_word(home):
    assert {"US-VA", "aws:us-east-1"} <= {place["place"] for place in places(home, "virginia")}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        pytest.param(("models", "llama-3.1"), {"llama-3.1-8b", "llama-3.1-70b"}, id="a part of a name"),
        pytest.param(("models", "video"), {"wan2.1-t2v-14b", "mochi-1"}, id="a kind"),
        pytest.param(("models", "openai"), {"gpt-4o", "gpt-oss-120b"}, id="who made it"),
        pytest.param(("models", "nothing-of-ours"), set(), id="none"),
        pytest.param(("accelerators", "h100"), {"h100-sxm", "h100-pcie"}, id="accelerators of a name"),
        pytest.param(("accelerators", "google"), {"tpu-v4", "tpu-v5e"}, id="accelerators of a maker"),
    ],
)
def test_names_that_an_estimate_takes_are_found_by_a_word(home, words, names):
    done = wm(home, *words, "--json")
    entries = json.loads(done.stdout)[words[0]]
    assert names <= {one[words[0][:-1]] for one in entries}
    assert bool(entries) is bool(names)
    told = wm(home, *words)
    assert told.returncode == 0
    assert all(name in told.stdout for name in names) and bool(told.stderr) is not bool(names)


def test_an_accelerator_says_whether_inference_was_measured_on_it(home):
    entries = json.loads(wm(home, "accelerators", "--json").stdout)["accelerators"]
    known = {one["accelerator"]: one["inference"] for one in entries}
    assert (known["h100-sxm"], known["b200"], known["a100-sxm-80"]) == ("measured", "measured", "data sheet")


def test_a_run_inside_a_run_is_told(home):
    inner = "import wattermark as wm\nwith wm.track(name='inner'): pass"
    run(home, "--name", "outer", command=(sys.executable, "-c", inner))
    runs = json.loads(wm(home, "runs", "--json").stdout)["runs"]
    inside = {one["run"]["name"]: one["run"]["lies_inside"] for one in runs}
    assert inside["outer"] is None
    assert "outer" in inside["inner"]
    assert any(flag.startswith("holds") for flag in shown(home, "outer")["flags"])


def test_an_unreadable_run_hides_no_other(home, tmp_path):
    run(home, "--name", "good")
    broken = tmp_path / "runs" / "99999999-000000-broken-0000"
    broken.mkdir()
    (broken / "x.jsonl").write_text("nonsense\n")
    done = wm(home, "runs")
    assert "good" in done.stdout and "unreadable" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_by_example(home, name):
    done = wm(home, name, "--help")
    assert done.returncode == 0
    assert "examples:" in done.stdout


def test_doctor_names_a_mend_for_each_meter_that_does_not_work(home):
    done = wm(home, "doctor", "--json")
    findings = json.loads(done.stdout)["findings"]
    assert {"meter rapl", "meter nvml", "meter load"} <= {finding["name"] for finding in findings}
    assert all(finding["fix"] for finding in findings if not finding["works"])
    absent = [finding["name"] for finding in findings if finding["absent"]]
    assert {"meter redfish", "meter prometheus"} <= set(absent)
    told = wm(home, "doctor").stdout
    assert "not on this machine" in told and "redfish: no controller is named. If this machine has" in told
    assert not any(f"{name}: does not work" in told for name in absent)


def test_no_argument_of_a_command_is_kept(home, tmp_path):
    run(home, command=("sh", "-c", "true", "--api-key=s3cret"))
    assert "s3cret" not in "".join(path.read_text() for path in (tmp_path / "runs").glob("*/*.jsonl"))


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_completion_script_is_made(home, shell):
    pytest.importorskip("shtab", reason="the extra 'completion' is not installed")
    done = wm(home, "completion", shell)
    assert done.returncode == 0
    assert "--market-intensity" in done.stdout


def test_output_that_nobody_reads_any_more_is_no_error(home):
    done = subprocess.run(
        f"{sys.executable} -m wattermark places | head -1",
        shell=True, capture_output=True, text=True, check=False, env=home,
    )  # fmt: skip
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


def test_the_version_is_one_line(home):
    assert re.fullmatch(r"wattermark \d+\.\d+\.\d+\n", wm(home, "--version").stdout)


def test_nothing_is_written_where_we_stand(home, tmp_path):
    before = set(os.listdir(tmp_path))
    wm(home, "doctor")
    wm(home, "factors")
    assert set(os.listdir(tmp_path)) == before


STEPS = """
import time
import wattermark as wm
with wm.track(place="deu", interval=0.05) as run:
    for epoch in range(40):
        with run.span("epoch", epoch, of=40):
            time.sleep(0.1)
"""


@pytest.mark.slow
def test_at_a_terminal_the_line_tells_the_end_of_a_training_that_says_its_steps(home):
    seen, code = at_a_terminal(home, ("run", "--", sys.executable, "-c", STEPS), after="never")
    assert code == 0
    told = re.search(r"\| epoch (\d+)/40  \d.* left", seen)
    assert told is not None, seen
    assert 1 <= int(told[1]) < 40
