"""A spool read back, whatever happened to it."""

import json
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.errors import BadSpool
from wattermark.ledger.read import SpoolReader, process_started, read_header, read_spool
from wattermark.ledger.spool import SCHEMA, line, reader_line, run_line
from wattermark.values.kinds import Kind, Node, Part, Scope, Status
from wattermark.values.records import Channel, RunHeader
from wattermark.values.units import BASE_PER_RAW

from .made import CHANNEL, HEAD, HEADER, WHOLE, beat, stop


@pytest.fixture
def read(tmp_path):
    def read_back(text):
        (tmp_path / "a.jsonl").write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_spool(tmp_path / "a.jsonl")

    return read_back


def test_what_was_written_comes_back(read):
    run = read(WHOLE)
    assert run.header == HEADER
    assert (run.logs["rapl"].channels, run.logs["rapl"].values) == ((CHANNEL,), [[5], [None], [9]])
    assert run.logs["rapl"].mono_ns == [10**9, 2 * 10**9, 3 * 10**9]
    assert (run.status, run.begin_mono_ns, run.end_mono_ns) == (Status.OK, 10**9, 3 * 10**9)
    assert (run.torn_bytes, run.bad_lines, run.lost_beats, run.faults, run.wall_step_s) == (0, 0, 0, (), 0)


NUMBER = st.integers(0, 2**62)


@given(
    st.builds(
        Channel,
        name=st.text(), kind=st.sampled_from(Kind), part=st.sampled_from(Part),
        unit=st.sampled_from([*BASE_PER_RAW]),
        wrap=st.none() | st.integers(1, 2**62), power_max_w=st.floats(1, 1e6), counted=st.booleans(),
        share=st.floats(0.01, 1), device=st.text(), note=st.text(),
        node=st.sampled_from(Node), hidden=st.integers(0, 100),
        slices=st.dictionaries(st.text(max_size=8), st.floats(0.01, 1), max_size=3),
    ),
    st.builds(
        RunHeader,
        run=st.text(), name=st.text(), host=st.just("elsewhere"), pid=NUMBER, started_ns=NUMBER,
        mono_ns=NUMBER, interval_s=st.floats(0.01, 3600), scope=st.sampled_from(Scope),
        tags=st.dictionaries(st.text(), st.text()), inside=st.lists(st.text()).map(tuple),
        ancestors=st.lists(st.text()).map(tuple), place=st.none() | st.text(),
        pue=st.none() | st.floats(1, 5), sockets=st.integers(0, 2**20), virtual=st.booleans(),
        cpu_limit=st.none() | st.floats(0.001, 1e6), memory_limit_b=st.none() | st.integers(1, 2**62),
    ),
)  # fmt: skip
def test_every_header_and_channel_comes_back_as_it_was(channel, header):
    reader = SpoolReader(Path(os.devnull))
    assert reader.feed((run_line(header) + reader_line("r", [channel])).encode()) == 0
    run = reader.recorded()
    assert run.header == header
    assert run.logs["r"].channels == (channel,)


def test_every_cut_gives_back_its_whole_lines(read):
    data = WHOLE.encode()
    for cut in range(len(HEAD), len(data)):
        run = read(data[:cut])
        assert len(run.logs["rapl"].values) == data[:cut].count(b'"beat"', 0, data[:cut].rfind(b"\n"))
        assert run.torn_bytes == cut - data[:cut].rfind(b"\n") - 1
        assert run.bad_lines == 0
        assert run.status is not Status.OK


@pytest.mark.parametrize(
    "bad",
    [
        "{broken", "[]", "1", '"beat"', "null", "", "{}", '{"kind":"martian"}', '{"kind":[]}',
        '{"kind":"beat"}', '{"kind":"beat","mono_ns":"x","time_ns":1,"rapl":[7]}',
        '{"kind":"beat","mono_ns":2000000000,"time_ns":1,"rapl":[7,8]}',
        '{"kind":"beat","mono_ns":2000000000,"time_ns":1,"rapl":["x"]}',
        '{"kind":"beat","mono_ns":2000000000,"time_ns":1,"rapl":7}',
        '{"kind":"begin","span":1,"name":"a","label":"","parent":Infinity,"mono_ns":1}',
        '{"kind":"end","span":9,"mono_ns":1}', '{"kind":"stop","mono_ns":1,"status":"splendid"}',
        '{"kind":"reader","name":"rapl","channels":[{"name":"x"}]}', "\x00\x00\x00\x00",
        reader_line("rapl", [CHANNEL]).strip().replace(f'"{CHANNEL.name}"', "7"),
        f'{{"kind":"stop","mono_ns":{10**30},"status":"failed"}}', f'{{"kind":"late","mono_ns":{-10**30}}}',
        f'{{"kind":"begin","span":1,"name":"a","label":"","parent":null,"mono_ns":{10**30}}}',
    ],
)  # fmt: skip
def test_a_bad_line_is_passed_over_and_counted(read, bad):
    run = read(HEAD + beat(1, 5) + bad + "\n" + beat(3, 9) + stop(3))
    assert run.logs["rapl"].values == [[5], [9]]
    assert (run.bad_lines, run.status) == (1, Status.OK)


def test_a_run_begins_once_and_a_second_first_line_moves_nothing(read):
    run = read(HEAD + beat(1, 5) + run_line(replace(HEADER, mono_ns=3 * 10**9, name="other")) + beat(2, 9))
    assert (run.header, run.bad_lines) == (HEADER, 1)
    assert (run.begin_mono_ns, run.end_mono_ns) == (10**9, 2 * 10**9)


@pytest.mark.parametrize("absurd", [2**62 + 1, -(2**63), 10**30])
def test_a_number_that_no_meter_can_mean_is_a_gap_and_spoils_no_other(read, absurd):
    head = run_line(HEADER) + reader_line("rapl", [CHANNEL, replace(CHANNEL, name="cpu/package-1")])
    run = read(head + beat(1, 5, 6) + beat(2, absurd, 7))
    assert (run.logs["rapl"].values, run.bad_lines) == ([[5, 6], [None, 7]], 0)


def test_a_beat_that_is_bad_for_one_reader_is_bad_for_all(read):
    """Else one meter would have looks outside the run's window, whose end no bad line moves."""
    text = HEAD + reader_line("other", [CHANNEL]) + beat(1, 5).replace("}", ',"other":[1,2]}')
    run = read(text + beat(2, 9))
    assert (run.logs["rapl"].mono_ns, run.bad_lines) == ([2 * 10**9], 1)


def test_bytes_that_are_no_text_are_a_bad_line(read):
    assert read(HEAD.encode() + b"\xff\xfe\n" + stop(3).encode()).bad_lines == 1


@pytest.mark.parametrize(
    "field",
    [
        '"cpu_limit":0.0', '"cpu_limit":-1', '"cpu_limit":NaN', '"cpu_limit":"x"', '"memory_limit_b":0',
        '"memory_limit_b":-5', '"sockets":-1', '"sockets":1e9',
    ],
)  # fmt: skip
def test_a_header_whose_machine_cannot_be_is_no_header(read, field):
    name = field.partition(":")[0]
    old = next(one for one in HEAD.partition("\n")[0].split(",") if one.startswith(name))
    with pytest.raises(BadSpool):
        read(HEAD.replace(old, field) + beat(1, 5))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "does not begin with a run", id="empty"),
        pytest.param(beat(1, 5) + stop(1), "does not begin with a run", id="the first line is missing"),
        pytest.param("#!/bin/sh\necho hello\n", "does not begin with a run", id="something else"),
        pytest.param(HEAD.replace('"host":"elsewhere",', ""), "does not begin with a run", id="no host"),
        pytest.param(
            HEAD.replace(f'"schema":{SCHEMA}', f'"schema":{SCHEMA + 1}'), "newer wattermark", id="newer"
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_no_spool_of_ours_is_refused(read, text, says):
    with pytest.raises(BadSpool, match=says):
        read(text)


def test_a_newer_one_says_what_to_do(read):
    with pytest.raises(BadSpool, match="pip install --upgrade wattermark"):
        read(HEAD.replace('"schema":1', '"schema":99'))


def test_what_a_newer_version_adds_is_no_harm(read):
    text = WHOLE.replace('"name":"train"', '"name":"train","colour":"red"').replace(
        '"unit":', '"hue":1,"unit":'
    )
    assert read(text).header == HEADER


def test_a_file_that_cannot_be_read_says_so(tmp_path):
    with pytest.raises(BadSpool, match="cannot be read"):
        read_spool(tmp_path)


def test_the_header_alone_is_read_from_the_first_line(tmp_path):
    (tmp_path / "a.jsonl").write_text(WHOLE)
    assert read_header(tmp_path / "a.jsonl") == HEADER


# -- how it ended -----------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "pid", "started", "silent_s", "status"),
    [
        pytest.param(None, None, None, 0, Status.RUNNING, id="this very process"),
        pytest.param(None, None, "1", 0, Status.INTERRUPTED, id="a later process with its number"),
        pytest.param(None, 2**22 + 1, "7", 0, Status.INTERRUPTED, id="a number that nobody has"),
        pytest.param(None, None, "", 0, Status.INTERRUPTED, id="nobody knows when it started"),
        pytest.param("elsewhere", 1, "7", 5, Status.RUNNING, id="another host, a moment ago"),
        pytest.param("elsewhere", 1, "7", 500, Status.INTERRUPTED, id="another host, silent for long"),
    ],
)
def test_a_run_without_a_last_line_is_running_or_interrupted(  # noqa: PLR0917
    tmp_path, host, pid, started, silent_s, status
):
    header = {
        **json.loads(run_line(HEADER)),
        "host": host or socket.gethostname(),
        "pid": pid or os.getpid(),
        "pid_started": process_started(os.getpid()) if started is None else started,
    }
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(header) + "\n" + beat(1))
    silent_since = path.stat().st_mtime - silent_s
    os.utime(path, (silent_since, silent_since))
    assert read_spool(path).status is status


@pytest.mark.parametrize("status", ["ok", "failed", "interrupted"])
def test_the_last_line_says_how_it_ended(read, status):
    assert read(HEAD + beat(1, 5) + stop(1, status)).status == status


def test_spans_lost_lines_faults_and_late_meters_are_told(read):
    marks = [
        line("begin", span=1, name="epoch", label="3", parent=None, mono_ns=10**9),
        line("begin", span=2, name="step", label="", parent=1, mono_ns=2 * 10**9),
        line("end", span=1, mono_ns=3 * 10**9),
        line("fault", error="oops"),
        line("lost", lines=7),
        line("late", mono_ns=500_000_000),
        line("skipped", name="nvml", problem="no driver", fix="Install it"),
    ]
    run = read(HEAD + beat(1, 5) + "".join(marks) + beat(4, 9))
    assert [(s.number, s.name, s.label, s.parent, s.end_ns) for s in run.spans] == [
        (1, "epoch", "3", None, 3 * 10**9),
        (2, "step", "", 1, None),
    ]
    assert (run.faults, run.lost_beats, run.begin_mono_ns) == (("oops",), 7, 500_000_000)
    assert run.skipped == {"nvml": ("no driver", "Install it")}


@pytest.mark.parametrize(("jump_s", "told_s"), [(0, 0), (1, 0), (-3600, -3600), (86400, 86400)])
def test_a_jump_of_the_wall_clock_is_told(read, jump_s, told_s):
    later = line("beat", mono_ns=2 * 10**9, time_ns=(2 + jump_s) * 10**9, rapl=[6])
    assert read(HEAD + beat(1, 5) + later + stop(3)).wall_step_s == told_s


# -- anything at all --------------------------------------------------------

KINDS = ["run", "reader", "skipped", "beat", "begin", "end", "stop", "fault", "lost", "late"]
KEYS = [
    "schema", "name", "channels", "problem", "fix", "mono_ns", "time_ns", "rapl", "span", "label", "parent",
    "status", "detail", "error", "lines", "pid", "host", "scope", "inside", "interval_s", "started_ns",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
LINES = st.fixed_dictionaries({"kind": st.sampled_from(KINDS)}).flatmap(
    lambda kind: st.dictionaries(st.sampled_from(KEYS), JSON).map(lambda more: more | kind)
)


def reads(data):
    """Feeds it, and asks what it tells; only a BadSpool may come of that."""
    reader = SpoolReader(Path(os.devnull))
    try:
        reader.feed(data)
        reader.recorded()
    except BadSpool:
        pass


@given(st.binary())
def test_no_bytes_break_the_reader(data):
    reads(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"[" * 20_000 + b"\n", id="brackets without end"),
        pytest.param(b'{"kind":"beat","mono_ns":1e999,"time_ns":1}\n', id="an endless number"),
        pytest.param(b'{"kind":"beat","mono_ns":' + b"9" * 5000 + b',"time_ns":1}\n', id="very many digits"),
    ],
)
def test_no_clever_bytes_break_it_either(data):
    reads(data)


@pytest.mark.parametrize(
    ("field", "value"),
    [("pue", 1e7), ("wue_l_per_kwh", 1e308), ("market_intensity_g_per_kwh", 1e7), ("interval_s", 1e10)],
)
def test_a_header_with_a_number_that_cannot_be_is_refused(tmp_path, field, value):
    (tmp_path / "a.jsonl").write_text(run_line(replace(HEADER, **{field: value})))
    with pytest.raises(BadSpool):
        read_spool(tmp_path / "a.jsonl")


@pytest.mark.parametrize(("written", "read"), [("\ud800", "?"), ("\U0001f600", "\U0001f600")], ids=ascii)
def test_half_a_character_is_no_text_and_a_whole_one_stays(tmp_path, written, read):
    (tmp_path / "a.jsonl").write_text(run_line(replace(HEADER, name=f"a{written}b")))
    assert read_spool(tmp_path / "a.jsonl").header.name == f"a{read}b"


@given(st.lists(LINES, max_size=5))
def test_no_lines_break_the_reader(lines):
    reads((HEAD + "".join(json.dumps(one) + "\n" for one in lines)).encode())


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_no_header_breaks_the_reader(wrong):
    reads((json.dumps(json.loads(run_line(HEADER)) | wrong) + "\n" + beat(1)).encode())


@given(st.data())
def test_a_spool_in_two_pieces_is_the_same_spool(data):
    """What a follower does: it feeds what is new, and the torn end again with more."""
    whole = WHOLE.encode()
    cut = data.draw(st.integers(0, len(whole)))
    reader = SpoolReader(Path(os.devnull))
    rest = reader.feed(whole[:cut])
    assert reader.feed(whole[cut - rest :]) == 0
    assert reader.recorded().logs["rapl"].values == [[5], [None], [9]]
