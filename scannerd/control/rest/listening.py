"""Sockets that listen: one for the network, one for this device's own users."""

import socket
from pathlib import Path

BACKLOG = 128
SOCKET_MODE = 0o660
SEND_BUFFER_BYTES = 128 * 1024
"""Of each connection, in the kernel, which doubles it. Left alone it grows to megabytes for a reader that sleeps."""


class CannotListen(RuntimeError):
    """A port or socket file cannot be had. The message says why and what to do."""


def listen_on_network(address: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises CannotListen."""
    try:
        if ":" in address:
            both = address == "::" and socket.has_dualstack_ipv6()
            return _ready(
                socket.create_server((address, port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=both)
            )
        return _ready(socket.create_server((address, port), backlog=BACKLOG))
    except OSError as error:
        raise CannotListen(
            f"the page and REST are not to be had: {address} port {port}: {error.strerror or error}; set [web] "
            "address and port to what is free"
        ) from error


def listen_on_file(path: Path) -> socket.socket:
    """Return a socket that listens, its file for this user and group only. Raises CannotListen."""
    if _somebody_answers(path):
        raise CannotListen(f"{path}: another daemon answers there; set [web] socket to another file")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        listening.bind(str(path))
        path.chmod(SOCKET_MODE)
        # Nobody gets in before this, and by now the mode stands.
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotListen(f"{path}: no commands by this device's own users: {error.strerror or error}") from error
    return _ready(listening)


def _ready(listening: socket.socket) -> socket.socket:
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if listening.family != socket.AF_UNIX:
        # Connections inherit it. asyncio sets it only on sockets that say which protocol they are, and these do not;
        # without it an answer's body waits 40 ms for the reader to acknowledge its head.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setblocking(False)
    return listening


def _somebody_answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
