"""Whose a request is: the key that it shows, and a name that does not lead back to it."""

import pytest

from wattermark.serving.tenants import shown_key, tenant_of

SALT = bytes(32)


@pytest.mark.parametrize(
    ("fields", "query", "named", "key"),
    [
        pytest.param({"Authorization": "Bearer sk-1"}, "", "", "sk-1", id="OpenAI's"),
        pytest.param({"authorization": "bearer   sk-1 "}, "", "", "sk-1", id="in small letters, with blanks"),
        pytest.param({"authorization": "Basic dTpw"}, "", "", "dTpw", id="a user and a password"),
        pytest.param({"authorization": "AWS4-HMAC-SHA256 Credential=x"}, "", "", "", id="a signature"),
        pytest.param({"authorization": "sk-1"}, "", "", "", id="no scheme"),
        pytest.param({"X-Api-Key": "sk-ant"}, "", "", "sk-ant", id="Anthropic's"),
        pytest.param({"api-key": "az"}, "", "", "az", id="Azure's"),
        pytest.param({"x-goog-api-key": "g"}, "", "", "g", id="Google's"),
        pytest.param({}, "alt=sse&key=g%2B1", "", "g+1", id="Google's in the query"),
        pytest.param({}, "monkey=1&keys=2", "", "", id="other words in the query"),
        pytest.param({"Authorization": "Bearer "}, "key=", "", "", id="an empty key"),
        pytest.param({}, "", "", "", id="none"),
        pytest.param({"X-Team": "red", "Authorization": "Bearer sk-1"}, "", "x-team", "red", id="a field"),
        pytest.param({"Authorization": "Bearer sk-1"}, "", "x-team", "sk-1", id="a field that is not there"),
        pytest.param({"X-Team": "red"}, "", "", "", id="a field that nobody named"),
    ],
)
def test_which_key_is_shown(fields, query, named, key):
    assert shown_key(fields, query, named) == key


def test_a_name_is_the_same_each_time_and_another_in_another_ledger():
    name = tenant_of("sk-1", SALT)
    assert name == tenant_of("sk-1", SALT) == "t-138242f0adb5642e"
    assert len(name) == 2 + 16
    assert name not in (tenant_of("sk-1", b"x" * 32), tenant_of("sk-2", SALT))
    assert "sk-1" not in name


def test_who_shows_no_key_has_no_name():
    assert tenant_of("", SALT) == ""


@pytest.mark.parametrize("key", ["\u00e9\u6c34", "\udce9", "k" * 100_000])
def test_any_key_has_a_name(key):
    assert len(tenant_of(key, SALT)) == 18
