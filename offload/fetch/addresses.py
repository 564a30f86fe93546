"""Which IP addresses may be called on somebody's behalf: public ones, and what the operator lists."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

ALLOW_VARIABLE = "OFFLOAD_ALLOW_ADDRESSES"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_IPV4_COMPATIBLE = ipaddress.IPv6Network("::/96")
_METADATA = (
    ipaddress.ip_address("168.63.129.16"),  # Azure's; it counts as public.
    ipaddress.ip_address("192.0.0.192"),  # Oracle's older one.
)


class AddressesProblem(RuntimeError):
    """The operator's list cannot be read; the message says what to do."""


@dataclass(frozen=True)
class AddressPolicy:
    """What may be called. An address that carries another one, as IPv6 can, must be allowed with it."""

    allowed: tuple[Network, ...] = ()
    """Though they are not public."""

    def permits(self, address: Address) -> bool:
        """Whether this address may be called."""
        return all(self._is_listed(one) or _is_public(one) for one in _meant(address))

    def _is_listed(self, address: Address) -> bool:
        return any(address in network for network in self.allowed)


PUBLIC_ONLY = AddressPolicy()


def _meant(address: Address) -> Iterator[Address]:
    """Yield what a packet to this address would reach, on whatever way."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped  # No IPv6 at all.
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in (*_NAT64, _IPV4_COMPATIBLE)) and int(address) > 1:
        yield ipaddress.IPv4Address(address.packed[-4:])


def _is_public(address: Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and address not in _METADATA
    )


def read_address_policy(environment: Mapping[str, str]) -> AddressPolicy:
    """Return the policy with what the operator lists. Raises AddressesProblem."""
    words = environment.get(ALLOW_VARIABLE, "").replace(",", " ").split()
    try:
        return AddressPolicy(tuple(ipaddress.ip_network(word) for word in words))
    except ValueError as problem:
        raise AddressesProblem(
            f"{ALLOW_VARIABLE}: {problem}; expected networks such as 10.1.0.0/16, with commas between them"
        ) from problem
