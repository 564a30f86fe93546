"""Names by which this scanner may be called: a foreign one that was made to point here is a trick (DNS rebinding)."""

import ipaddress
import socket
from functools import lru_cache

LOCAL_DOMAINS = ("local", "lan", "home.arpa", "internal", "fritz.box", "localdomain")
"""Domains of private networks, in which nobody from outside can register a name."""


def is_ours(host: str, own_names: frozenset[str]) -> bool:
    """Whether a Host header names this scanner: an IP address, localhost, anything.local, or one of its own names."""
    name = _without_port(host).lower().rstrip(".")
    if name == "localhost" or name.endswith(".local") or name in own_names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4)
def own_names(address: str, slug: str) -> frozenset[str]:
    """Return the names of this device: its host name and its name in config.toml, bare and in private domains."""
    full = socket.gethostname().lower()
    bare = {full.partition(".")[0], slug} - {""}
    return frozenset(
        {full, address.lower(), *bare, *(f"{name}.{domain}" for name in bare for domain in LOCAL_DOMAINS)}
    )


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
