"""Exports in the ledger: once, as runs that no meter saw, with nobody's name or words."""

import gzip
import json
import resource
from dataclasses import replace

import pytest

from serving.imports import exports
from wattermark.errors import BadExport, UsageError
from wattermark.ledger.read import read_spool
from wattermark.ledger.requests import read_requests, request_files
from wattermark.values.kinds import Status
from wattermark.verbs.serving.importing import import_file
from wattermark.wiring.config import load_config


@pytest.fixture
def config(tmp_path):
    return load_config({"ledger": str(tmp_path / "ledger")})


def served(config, imported):
    (file,) = request_files(ledger(config) / imported.run)
    return read_requests(file).served


def ledger(config):
    from pathlib import Path

    return Path(config.ledger)


@pytest.mark.parametrize("name", exports.EXPORTS)
def test_each_export_becomes_a_run(tmp_path, config, name):
    found = import_file(exports.written(tmp_path, name), config=config)
    kept = served(config, found)
    (spool,) = (ledger(config) / found.run).glob("*.jsonl")
    run = read_spool(spool)
    assert found.rows == len(kept) >= 1
    assert found.requests == sum(one.many for one in kept)
    assert run.status is Status.OK
    assert run.header.booted_ns == 0
    assert run.header.place is None
    assert run.begin_mono_ns <= min(one.begin_ns for one in kept)


@pytest.mark.parametrize("name", exports.EXPORTS)
def test_neither_words_nor_names_are_in_the_ledger(tmp_path, config, name):
    path = exports.written(tmp_path, name)
    found = import_file(path, config=config)
    written = b"".join(f.read_bytes() for f in (ledger(config) / found.run).rglob("*") if f.is_file())
    for told in (exports.SECRET, "sk-hash", "key_1", '"prod"', "arn:aws", '"ann"', '"shop"'):
        assert told.encode() not in written


def test_one_tenant_is_one_hash_in_all_exports_of_a_ledger(tmp_path, config):
    both = [import_file(exports.written(tmp_path, "litellm"), config=config)]
    again = tmp_path / "other.json"
    again.write_text(exports.litellm() + "\n")
    both.append(import_file(again, config=config))
    assert len({one.tenant for found in both for one in served(config, found)}) == 1


def test_a_file_is_taken_once(tmp_path, config):
    path = exports.written(tmp_path, "otlp")
    import_file(path, config=config)
    with pytest.raises(UsageError, match="is in the ledger as"):
        import_file(path, config=config)
    assert import_file(path, config=config, again=True).requests == 1


def test_a_place_that_was_given_is_where_they_were_served(tmp_path, config):
    placed = load_config({"ledger": config.ledger, "place": "swe"})
    found = import_file(exports.written(tmp_path, "otlp"), config=placed)
    (spool,) = (ledger(config) / found.run).glob("*.jsonl")
    assert read_spool(spool).header.place == "swe"
    at_home = replace(placed, origin={**placed.origin, "place": "a file"})
    found = import_file(exports.written(tmp_path, "otlp"), config=at_home, again=True)
    (spool,) = (ledger(config) / found.run).glob("*.jsonl")
    assert read_spool(spool).header.place is None


def test_what_was_passed_over_is_told_by_reason(tmp_path, config):
    found = import_file(exports.written(tmp_path, "langfuse"), config=config)
    assert found.passed == {"no request to a model": 1}


def test_an_export_without_tokens_says_so(tmp_path, config):
    path = tmp_path / "log.jsonl"
    row = json.loads(exports.litellm_lines().splitlines()[0])
    path.write_text(json.dumps({**row, "prompt_tokens": None, "completion_tokens": None}))
    found = import_file(path, config=config, kept="litellm")
    assert (found.requests, found.without_tokens) == (1, 1)


@pytest.mark.parametrize(
    ("text", "kept", "refusal"),
    [
        pytest.param("", None, (BadExport, "is empty"), id="an empty file"),
        pytest.param(exports.otlp(), "otpl", (UsageError, "Did you mean otlp"), id="a format that is none"),
        pytest.param('[{"a":1}]', "litellm", (BadExport, "holds no request"), id="the wrong format"),
        pytest.param('{"resourceSpans":[]}', None, (BadExport, "is empty"), id="no spans"),
        pytest.param('{"resourceSpans":5}', None, (BadExport, "is empty"), id="spans that are a number"),
    ],
)
def test_what_cannot_be_taken_leaves_nothing_behind(tmp_path, config, text, kept, refusal):
    error, says = refusal
    path = tmp_path / "export"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=says):
        import_file(path, config=config, kept=kept)
    assert not list(ledger(config).glob("*/*.jsonl")) if ledger(config).exists() else True


DAY = "2026-11-01T10:00:00Z"


@pytest.mark.parametrize(
    "time",
    [
        pytest.param("1" * 400, id="a number without an end"),
        pytest.param(float("inf"), id="for ever"),
        pytest.param("inf", id="for ever, in letters"),
        pytest.param(10**400, id="more digits than a float has"),
        pytest.param(1e300, id="after all stars"),
        pytest.param("9999-12-31T23:59:59Z", id="never, as databases say it"),
        pytest.param("0001-01-01T00:00:00Z", id="never, as .NET says it"),
        pytest.param("1969-12-31", id="before there was time"),
        pytest.param("\u00b2" * 12, id="digits that are none"),
    ],
)
@pytest.mark.parametrize("field", ["startTime", "endTime"])
def test_a_time_that_cannot_be_costs_no_other_request(tmp_path, config, field, time):
    row = {**json.loads(exports.litellm_lines().splitlines()[0]), "startTime": DAY}
    path = tmp_path / "log.jsonl"
    path.write_text(f"{json.dumps({**row, field: time})}\n{json.dumps(row)}\n", encoding="utf-8")
    found = import_file(path, config=config)
    kept = served(config, found)
    assert len(kept) == found.rows == (1 if field == "startTime" else 2)
    assert sum(found.passed.values()) == (field == "startTime")
    (spool,) = (ledger(config) / found.run).glob("*.jsonl")
    assert read_spool(spool).header.started_ns == kept[-1].begin_ns


def test_an_export_that_breaks_off_leaves_no_half_of_it(tmp_path, config):
    """It would be counted twice once the whole one is taken."""
    rows = exports.litellm_lines().splitlines()[0]
    packed = gzip.compress("\n".join(rows.replace("}", f', "n": {n}}}') for n in range(20_000)).encode())
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(BadExport, match="damaged"):
        import_file(path, config=config)
    assert [one.name for one in ledger(config).iterdir()] == [".salt"]


def test_a_disk_that_is_full_takes_nothing_and_says_so(tmp_path, config):
    """What is let through is too small for all lines; nothing is told to be in the ledger that is not."""
    row = exports.litellm_lines().splitlines()[0]
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join([row] * 5000), encoding="utf-8")
    import_file(exports.written(tmp_path, "otlp"), config=config)
    before = sorted(ledger(config).rglob("*"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(UsageError, match="nothing was taken"):
            import_file(path, config=config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(ledger(config).rglob("*")) == before
    assert import_file(path, config=config).rows == 5000


def test_a_file_that_is_not_there(tmp_path, config):
    with pytest.raises(BadExport, match="cannot be read"):
        import_file(tmp_path / "none.csv", config=config)
