"""The salt of a ledger: one, whole, and nobody else's."""

import os
import subprocess
import sys

import pytest

from wattermark.errors import UsageError
from wattermark.ledger.salt import NAME, SALT_B, salt_of

posix = pytest.mark.skipif(os.name != "posix", reason="the rights of files are told otherwise")


def test_it_is_made_once(tmp_path):
    ledger = tmp_path / "new" / "runs"
    salt = salt_of(ledger)
    assert len(salt) == SALT_B
    assert salt_of(ledger) == salt
    assert os.listdir(ledger) == [NAME]


@posix
def test_nobody_else_may_read_it(tmp_path):
    before = os.umask(0)
    try:
        salt_of(tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_salt_that_others_may_read_is_refused(tmp_path, mode):
    salt_of(tmp_path)
    (tmp_path / NAME).chmod(mode)
    with pytest.raises(UsageError, match=r"others may read the salt .*chmod 600"):
        salt_of(tmp_path)


@pytest.mark.parametrize("data", [b"", b"short", bytes(SALT_B + 1)])
def test_what_is_no_salt_is_refused_and_left_as_it_is(tmp_path, data, monkeypatch):
    monkeypatch.setattr("wattermark.ledger.salt.HALF_WRITTEN_S", 0.05)
    (tmp_path / NAME).write_bytes(data)
    (tmp_path / NAME).chmod(0o600)
    with pytest.raises(UsageError, match="no salt of ours"):
        salt_of(tmp_path)
    assert (tmp_path / NAME).read_bytes() == data


def test_a_ledger_without_one_has_no_tenants(tmp_path):
    with pytest.raises(UsageError, match="no requests of tenants"):
        salt_of(tmp_path, make=False)
    assert os.listdir(tmp_path) == []


def test_a_ledger_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used"):
        salt_of(tmp_path / "file")


RACE = """
import sys, time
from pathlib import Path
from wattermark.ledger import salt
if sys.argv[2] == "no links":
    def link(*_): raise PermissionError(1, "this file system has no second names")
    salt.os.link = link
print("ready", flush=True)
sys.stdin.readline()
print(salt.salt_of(Path(sys.argv[1])).hex())
"""


@pytest.mark.parametrize("system", ["links", "no links"])
def test_eight_processes_at_once_have_the_same(tmp_path, home, system):
    pipe = subprocess.PIPE
    begun = [
        subprocess.Popen(
            [sys.executable, "-S", "-c", RACE, str(tmp_path / "runs"), system],
            env=home, stdin=pipe, stdout=pipe, stderr=pipe, text=True,
        )
        for _ in range(8)
    ]  # fmt: skip
    for child in begun:
        assert child.stdout.readline() == "ready\n", child.communicate()[1]
    for child in begun:
        child.stdin.write("\n")
        child.stdin.flush()
    told = [child.communicate()[0].strip() for child in begun]
    assert len(set(told)) == 1 and len(bytes.fromhex(told[0])) == SALT_B
    assert os.listdir(tmp_path / "runs") == [NAME]
