"""Whose a request is: the key that it shows, hashed with the ledger's salt. The key itself is never kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import unquote_plus

KEY_FIELDS = ("x-api-key", "api-key", "x-goog-api-key")
"""Anthropic's, Azure's, Google's; everybody else's stands in Authorization."""
SCHEMES = ("bearer", "basic")
"""Whose credentials stay the same from request to request; a signature would be another tenant each time."""
HASH_B = 8


def shown_key(fields: Mapping[str, str], query: str = "", named: str = "") -> str:
    """The key that a request shows; empty where it shows none.

    Parameters
    ----------
    fields : mapping
        Of the request's head, names in any case.
    query : str
        Of the request; Google's clients may show the key there.
    named : str
        A field that tells the tenant instead, where it is there.
    """
    told = {name.lower(): value.strip() for name, value in fields.items()}
    if named and (key := told.get(named.lower(), "")):
        return key
    scheme, _, key = told.get("authorization", "").partition(" ")
    if scheme.lower() in SCHEMES and key.strip():
        return key.strip()
    return next((told[name] for name in KEY_FIELDS if told.get(name)), "") or _in_query(query)


def tenant_of(key: str, salt: bytes) -> str:
    """The name that a key has in reports, empty for no key; it does not lead back to the key.

    Parameters
    ----------
    key : str
        As it was shown.
    salt : bytes
        Of the ledger: the same key has another name in another ledger.
    """
    if not key:
        return ""
    hashed = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), key=salt, digest_size=HASH_B)
    return f"t-{hashed.hexdigest()}"


def _in_query(query: str) -> str:
    for part in query.split("&") if "key=" in query else ():
        name, _, value = part.partition("=")
        if name == "key":
            return unquote_plus(value)
    return ""
