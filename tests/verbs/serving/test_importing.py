"""Exports in the ledger: once, as runs that no meter saw, with nobody's name or words."""

import json
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
    ],
)
def test_what_cannot_be_taken_leaves_nothing_behind(tmp_path, config, text, kept, refusal):
    error, says = refusal
    path = tmp_path / "export"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=says):
        import_file(path, config=config, kept=kept)
    assert not list(ledger(config).glob("*/*.jsonl")) if ledger(config).exists() else True


def test_a_file_that_is_not_there(tmp_path, config):
    with pytest.raises(BadExport, match="cannot be read"):
        import_file(tmp_path / "none.csv", config=config)
