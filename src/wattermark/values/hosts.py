"""Names of this machine."""

from __future__ import annotations

import ipaddress
from typing import Final

LOCAL: Final = ("localhost", "127.0.0.1", "::1")
"""As it is mostly called."""


def is_local(host: str) -> bool:
    """Whether a name or an address means this machine, and no other gets there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == LOCAL[0]
