"""What is understood of each export: times, tokens in one meaning, and nothing that was said."""

import gzip
import json
from dataclasses import asdict

import pytest

from serving.imports import exports
from wattermark.errors import BadExport
from wattermark.serving.imports.events import Passed, event_of
from wattermark.serving.imports.formats import FORMATS, format_of
from wattermark.serving.imports.records import records
from wattermark.signals.traces.moments import moment
from wattermark.values.served import Outcome, Route, Served


def when(cell):
    told = moment(float(cell) if isinstance(cell, int) else cell) if cell is not None else None
    return told[0] if told else None


def events(path, kept=None):
    found = list(records(path))
    known = FORMATS[kept] if kept else format_of(found[0].fields, found[0].at)
    return [event_of(record.fields, known, when, lambda word: f"t-{len(word)}") for record in found]


def requests(path):
    return [event for event in events(path) if isinstance(event, Served)]


@pytest.mark.parametrize("name", exports.EXPORTS)
def test_each_export_is_known_by_its_fields(tmp_path, name):
    first = next(records(exports.written(tmp_path, name)))
    assert format_of(first.fields, first.at).name == name


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        pytest.param("litellm", (120, 30, 100, None), id="a gateway counts cached tokens among the input"),
        pytest.param("otlp", (40, 200, 16, None), id="so do spans"),
        pytest.param("langfuse", (120, 40, 100, 30), id="a tracer counts each kind apart"),
        pytest.param("helicone", (450, 70, 400, None), id="cache reads are no prompt tokens"),
        pytest.param("openai-usage", (1000, 500, 800, None), id="a bucket of five requests"),
        pytest.param(
            "anthropic-usage", (420, 40, 300, None), id="reads and writes of the cache beside the input"
        ),
        pytest.param("bedrock", (16, 22, 5, None), id="as the model's own provider counts"),
        pytest.param("vertex", (30, 62, None, 50), id="thoughts are no candidates"),
    ],
)
def test_tokens_mean_the_same_whoever_counted_them(tmp_path, name, tokens):
    told = requests(exports.written(tmp_path, name))[0].usage
    assert (told.input_tokens, told.output_tokens, told.cached_tokens, told.reasoning_tokens) == tokens


@pytest.mark.parametrize(
    ("name", "lasted_s", "first_s"),
    [
        pytest.param("litellm", 2.5, 0.4, id="moments of begin, first token and end"),
        pytest.param("otlp", 3.0, None, id="nanoseconds as text"),
        pytest.param("langfuse", 4.0, 1.0, id="times without an offset are UTC"),
        pytest.param("helicone", 3.0, 0.5, id="a delay of the first token in ms"),
        pytest.param("openai-usage", 86_400, None, id="a day"),
        pytest.param("bedrock", 1.5, None, id="a latency in ms"),
        pytest.param("vertex", 0.0, None, id="only when it was logged"),
    ],
)
def test_times(tmp_path, name, lasted_s, first_s):
    one = requests(exports.written(tmp_path, name))[0]
    assert (one.end_ns - one.begin_ns) / 1e9 == pytest.approx(lasted_s)
    assert first_s is None or (one.first_ns - one.begin_ns) / 1e9 == pytest.approx(first_s)
    assert 1_793_000_000 < one.begin_ns / 1e9 < 1_794_000_000


def test_a_gateways_cache_takes_no_tokens_and_says_so(tmp_path):
    _, hit, failed = requests(exports.written(tmp_path, "litellm"))
    assert (hit.usage.input_tokens, hit.usage.output_tokens) == (0, 0)
    assert hit.unknown == ("cache hit: the gateway answered, and no model ran",)
    assert failed.outcome is Outcome.FAILED


def test_what_failed_stands_apart(tmp_path):
    good, bad = requests(exports.written(tmp_path, "helicone"))
    assert (good.outcome, bad.outcome, bad.status) == (Outcome.OK, Outcome.FAILED, 529)


def test_a_row_may_stand_for_many(tmp_path):
    (bucket,) = requests(exports.written(tmp_path, "openai-usage"))
    assert bucket.many == 5


def test_spans_of_other_things_are_passed_over(tmp_path):
    for name in ("otlp", "langfuse"):
        _, other = events(exports.written(tmp_path, name))
        assert other == Passed("no request to a model")


def test_lines_are_read_one_by_one(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(exports.litellm_lines(), encoding="utf-8")
    found = requests(path)
    assert len(found) == 3
    assert {one.route for one in found} == {Route.EMBEDDINGS}


def test_a_packed_export_is_the_same(tmp_path):
    plain = exports.written(tmp_path, "bedrock")
    packed = tmp_path / "bedrock.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert requests(packed) == requests(plain)


@pytest.mark.parametrize("name", exports.EXPORTS)
def test_nothing_that_was_said_is_kept(tmp_path, name):
    path = exports.written(tmp_path, name)
    assert all(exports.SECRET not in json.dumps(asdict(one)) for one in requests(path))


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        pytest.param("12", 12, id="text"),
        pytest.param(12.0, 12, id="a float that is whole"),
        pytest.param("1e3", 1000, id="as a spreadsheet writes it"),
        pytest.param(-1, None, id="fewer than none"),
        pytest.param(True, None, id="a yes"),
        pytest.param(2.5, None, id="half a token"),
        pytest.param("many", None, id="a word"),
        pytest.param(float("nan"), None, id="no number"),
        pytest.param(10**30, None, id="more than there are"),
        pytest.param(10**400, None, id="more than a float holds"),
    ],
)
def test_a_count_that_cannot_be_is_unknown(cell, kept):
    fields = {"requestcreatedat": "2026-11-01T10:00:00Z", "prompttokens": cell, "model": "m"}
    one = event_of(fields, FORMATS["helicone"], when, str)
    assert one.usage.input_tokens == kept
    assert bool(one.unknown) is (kept is None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("<html><body>no</body></html>", "neither CSV", id="a page of HTML"),
        pytest.param("{not json", "begins like JSON", id="JSON that breaks off"),
        pytest.param("a,b\n1,2\n", "no export that is known", id="some other table"),
        pytest.param('[{"a": 1}]', "no export that is known", id="some other JSON"),
        pytest.param("\x00\xff\xfe,\x01", "no text", id="bytes of something"),
    ],
)
def test_what_is_no_export_is_told_in_one_sentence(tmp_path, text, says):
    path = tmp_path / "file"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(BadExport, match=says):
        events(path)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"a,b\r1,2\r", "no CSV", id="lines that end with a return alone"),
        pytest.param(
            gzip.compress(b"x" * 99)[:12] + b"\xff" * 200, "damaged", id="packed, and broken inside"
        ),
        pytest.param(
            b'{"resourceSpans":[{"resource":{"attributes":7},"scopeSpans":[{"spans":[{"attributes":1}]}]}]}',
            "no export that is known",
            id="attributes that are a number",
        ),
    ],
)
def test_what_is_broken_is_told_in_one_sentence(tmp_path, data, says):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(BadExport, match=says):
        events(path)


def test_one_document_has_to_fit_into_memory_and_lines_do_not(tmp_path, monkeypatch):
    """A few packed megabytes may hold a terabyte."""
    monkeypatch.setattr("wattermark.serving.imports.records.MOST_DOCUMENT_B", 5000)
    monkeypatch.setattr("wattermark.serving.imports.records.MOST_LINE_B", 4000)
    rows = exports.litellm_lines().splitlines() * 40
    lines, document = tmp_path / "lines.gz", tmp_path / "document.gz"
    lines.write_bytes(gzip.compress("\n".join(rows).encode()))
    document.write_bytes(gzip.compress(f"[{','.join(rows)}]".encode()))
    assert len(requests(lines)) == len(rows)
    with pytest.raises(BadExport, match="more than 5,000 bytes"):
        list(records(document))


def test_a_name_moves_no_cursor(tmp_path):
    path = tmp_path / "log.jsonl"
    row = {**json.loads(exports.litellm_lines().splitlines()[0]), "model": "\x1b[31mred\ud800\x00"}
    path.write_text(json.dumps(row), encoding="utf-8")
    assert [one.model for one in requests(path)] == ["[31mred"]


def test_a_bad_line_costs_no_other(tmp_path):
    path = tmp_path / "log.jsonl"
    lines = exports.litellm_lines().splitlines()
    path.write_text("\n".join([lines[0], '{"broken', "7", lines[1]]), encoding="utf-8")
    found = events(path)
    assert [isinstance(one, Served) for one in found] == [True, False, False, True]
