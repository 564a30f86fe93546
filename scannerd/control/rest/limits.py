"""How often somebody may do something: buckets that fill by themselves, one an address, in bounded memory."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_ADDRESSES = 1024
"""Of so many callers is remembered how often they came; the longest silent one is forgotten first."""


def caller_of(address: str) -> str:
    """Return what counts as one caller: an IPv4 address, or the half of an IPv6 address that a network is given."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((found, 64), strict=False).network_address)
    return str(found)


@dataclass
class _Bucket:
    level: float
    at_s: float


class Buckets:
    """Lets `burst` through at once, and `per_s` each second after that."""

    def __init__(
        self,
        burst: float,
        per_s: float,
        capacity: int = MOST_ADDRESSES,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._per_s = per_s
        self._capacity = capacity
        self._monotonic_s = monotonic_s
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, caller: str) -> float:
        """Return 0 and count one more, or return the seconds until there is room again and count nothing."""
        wait_s = self.wait_s(caller)
        if wait_s == 0:
            self._buckets[caller].level -= 1
        return wait_s

    def wait_s(self, caller: str) -> float:
        """Return the seconds until there is room for one more; 0 when there is now."""
        bucket = self._filled(caller)
        return 0.0 if bucket.level >= 1 else (1 - bucket.level) / self._per_s

    def _filled(self, caller: str) -> _Bucket:
        now_s = self._monotonic_s()
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = _Bucket(self._burst, now_s)
            while len(self._buckets) > self._capacity:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(caller)
        bucket.level = min(self._burst, bucket.level + (now_s - bucket.at_s) * self._per_s)
        bucket.at_s = now_s
        return bucket
