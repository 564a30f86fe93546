"""A URL that somebody gave us: what is wrong with it at first sight, and which allowed address it leads to."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

import httpx

from offload.fetch.addresses import Address, AddressPolicy

LONGEST_URL = 2048
_PORTS = {"http": 80, "https": 443}
_RESOLVE_TIMEOUT_S = 10.0


class UrlRefused(RuntimeError):
    """This URL is never called; the message says why, and what is expected."""


class NameUnknown(RuntimeError):
    """A name has no address now; another time it may."""


@dataclass(frozen=True)
class Target:
    """A URL and the one address that it is called at, so that nothing is asked of the name's server again."""

    url: httpx.URL
    address: Address

    @property
    def numeric_url(self) -> httpx.URL:
        """The URL with the address in place of the name."""
        return self.url.copy_with(host=str(self.address))

    @property
    def host_header(self) -> str:
        """The name, and the port unless it is the scheme's own."""
        return self.url.netloc.decode()


def read_url(text: str) -> httpx.URL:
    """Return a URL that may be called as far as one can see. Raises UrlRefused."""
    if len(text) > LONGEST_URL:
        raise UrlRefused(f"{text[:80]}…: {len(text)} characters, at most {LONGEST_URL} are taken")
    try:
        url = httpx.URL(text)
        port = url.port
    except (httpx.InvalidURL, ValueError, UnicodeError) as problem:
        raise UrlRefused(f"{text[:80]}: no URL ({problem})") from problem
    if url.scheme not in _PORTS or not url.host:
        raise UrlRefused(f"{text[:80]}: expected http:// or https:// and a host")
    if url.userinfo:
        raise UrlRefused(f"{url.scheme}://…@{url.host}: a name or password before the @ is not taken")
    if port is not None and not 0 < port < 1 << 16:
        raise UrlRefused(f"{text[:80]}: there is no port {port}")
    return url


async def resolve(url: httpx.URL, policy: AddressPolicy) -> Target:
    """Return where a URL is called. Raises UrlRefused where only forbidden addresses answer to it, NameUnknown.

    Numbers are taken as the system takes them: 2130706433 and 0x7f.1 are 127.0.0.1.
    """
    port = url.port or _PORTS[url.scheme]
    try:
        async with asyncio.timeout(_RESOLVE_TIMEOUT_S):
            found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:  # TimeoutError is an OSError.
        raise NameUnknown(f"{url.host} has no address: {problem}") from problem
    addresses = [ipaddress.ip_address(str(where[0]).partition("%")[0]) for *_, where in found]
    for address in addresses:
        if policy.permits(address):
            return Target(url, address)
    raise UrlRefused(
        f"{url.scheme}://{url.host} leads to {addresses[0]}, which is not a public address; only the service's "
        "operator can allow it"
    )
