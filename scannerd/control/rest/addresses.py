"""Under which addresses a tablet finds this device."""

import fcntl
import socket
import struct

SIOCGIFADDR = 0x8915
"""Linux: the IPv4 address of an interface (netdevice(7))."""
EVERYWHERE = ("0.0.0.0", "::")


def page_addresses(listens_on: str, port: int) -> tuple[str, ...]:
    """Return where the page is, what works best first."""
    if listens_on not in EVERYWHERE:
        host = f"[{listens_on}]" if ":" in listens_on else listens_on
        return (f"http://{host}:{port}",)
    hosts = [*_own_addresses(), f"{socket.gethostname().partition('.')[0]}.local"]
    return tuple(f"http://{host}:{port}" for host in hosts)


def _own_addresses() -> list[str]:
    """Return the IPv4 addresses of all interfaces that others can reach."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(asking, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue
            address = socket.inet_ntoa(answer[20:24])
            if not address.startswith("127."):
                found.append(address)
    return found
