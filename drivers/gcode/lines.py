"""Bytes of a serial line cut into lines of text."""

from dataclasses import dataclass

LONGEST_LINE = 400
"""Letters; a `$$` answer or a report of six axes has 120 at most. More is noise without line ends."""


@dataclass(frozen=True)
class Garbled:
    """A line that no controller sends: bytes were lost or changed on their way."""

    raw: bytes

    def __str__(self) -> str:
        """As one may show it."""
        return repr(self.raw[:60].decode("ascii", "backslashreplace"))


class LineCutter:
    """Collects bytes; the same lines come out however the bytes are cut into pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def take(self, data: bytes) -> list[str | Garbled]:
        """Return the lines that these bytes complete, without their ends; empty ones are left out."""
        lines: list[str | Garbled] = []
        for byte in data:
            if byte not in b"\r\n":
                self._rest.append(byte)
                if len(self._rest) < LONGEST_LINE:
                    continue
            if self._rest:
                lines.append(_text(bytes(self._rest)))
                self._rest.clear()
        return lines

    def forget(self) -> None:
        """Begin anew: what came before belongs to nothing."""
        self._rest.clear()


def _text(raw: bytes) -> str | Garbled:
    if len(raw) >= LONGEST_LINE or any(not 0x20 <= byte < 0x7F for byte in raw):
        return Garbled(raw)
    return raw.decode("ascii")
