"""Tenants of a ledger: the name of each, from the key that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wattermark.ledger.salt import salt_of
from wattermark.serving.tenants import shown_key, tenant_of


@dataclass(frozen=True, slots=True)
class Tenants:
    """Names tenants; ``header`` is a field that tells the tenant, where the key is not to."""

    salt: bytes = field(repr=False)
    header: str = ""

    def of(self, fields: Mapping[str, str], query: str = "") -> str:
        """Whose a request is; empty where it shows no key."""
        return tenant_of(shown_key(fields, query, self.header), self.salt)

    def named(self, key: str) -> str:
        """The name that a key has here."""
        return tenant_of(key, self.salt)


def tenants_of(ledger: Path, header: str = "", *, make: bool = True) -> Tenants:
    """The tenants of a ledger, whose salt is made where there is none yet.

    Raises
    ------
    UsageError
        If the salt cannot be used, or others may read it.
    """
    return Tenants(salt_of(ledger, make=make), header)
