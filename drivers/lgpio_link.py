"""What the daemon and the process that plays its lgpio waves say to each other, over a pair of stream sockets.

The daemon: a move (its ramp, its steps, and the waits before them), or that it shall slow down and end. The process:
that it is ready, how many steps of the move are out, that the move is over, or why it cannot go on.
"""

import socket
import struct
from array import array
from collections.abc import Sequence

MOVE, STOP = b"M", b"S"
READY, PLAYED, OVER, FAILED = b"R", b"P", b"O", b"F"

_ORDER = struct.Struct("<cII")
_WORD = struct.Struct("<cI")


def send_move(link: socket.socket, delays_us: bytes, ramp_steps: int) -> None:
    """Order a move; `delays_us` are uint32, as this machine orders their bytes. Raises OSError."""
    link.sendall(_ORDER.pack(MOVE, ramp_steps, len(delays_us)) + delays_us)


def send_stop(link: socket.socket) -> None:
    """Order the move under way to slow down and end. Raises OSError."""
    link.sendall(_ORDER.pack(STOP, 0, 0))


def read_order(link: socket.socket) -> tuple[bytes, int, Sequence[int]] | None:
    """Wait for an order: which, its ramp in steps, its waits in µs; None: nobody is there any more."""
    head = _read(link, _ORDER.size)
    if head is None:
        return None
    kind, ramp_steps, size_bytes = _ORDER.unpack(head)
    packed = _read(link, size_bytes)
    return None if packed is None else (kind, ramp_steps, array("I", packed))


def send_word(link: socket.socket, kind: bytes, number: int = 0, text: str = "") -> None:
    """Say READY, PLAYED or OVER with how many steps, or FAILED with why. Raises OSError."""
    said = text.encode()
    link.sendall(_WORD.pack(kind, len(said) if kind == FAILED else number) + said)


def read_word(link: socket.socket) -> tuple[bytes, int, str] | None:
    """Wait for what the process says; None: it is gone."""
    head = _read(link, _WORD.size)
    if head is None:
        return None
    kind, number = _WORD.unpack(head)
    if kind != FAILED:
        return kind, number, ""
    said = _read(link, number)
    return kind, 0, (said or b"").decode(errors="replace")


def _read(link: socket.socket, count: int) -> bytes | None:
    found = b""
    while len(found) < count:
        try:
            part = link.recv(min(count - len(found), 1 << 16))
        except ConnectionError:
            return None
        if not part:
            return None
        found += part
    return found
