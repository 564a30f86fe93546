"""Log records to journald by its own protocol, so that a line keeps its fields.

One datagram a record: `KEY=value` lines, or for values with line breaks the key, a length of 8 bytes, and the value.
What is too large for a datagram goes as a sealed memfd. See systemd.io/JOURNAL_NATIVE_PROTOCOL.
"""

import errno
import fcntl
import logging
import os
import socket
import struct
import sys
from pathlib import Path

from offload.logs.fields import LineFormatter, fields_of

SOCKET = Path("/run/systemd/journal/socket")
PATIENCE_S = 0.2
"""A journald that reads nothing for so long loses the line: the motor does not wait for a log."""
_LENGTH = struct.Struct("<Q")
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
_TOO_LARGE = {errno.EMSGSIZE, errno.ENOBUFS}


def priority_of(level: int) -> int:
    """Return syslog's number for a level of logging: 2 critical, 3 error, 4 warning, 6 info, 7 debug."""
    steps = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
    return next((priority for least, priority in steps if level >= least), 7)


def encode_entry(entry: dict[str, str]) -> bytes:
    """Return one journal entry as journald reads it. Keys are capitals, digits and underscores."""
    parts = []
    for key, text in entry.items():
        value = text.encode("utf-8", "backslashreplace")
        if b"\n" in value:
            parts.append(key.encode() + b"\n" + _LENGTH.pack(len(value)) + value + b"\n")
        else:
            parts.append(key.encode() + b"=" + value + b"\n")
    return b"".join(parts)


def stderr_is_the_journal(journal_stream: str | None) -> bool:
    """Whether $JOURNAL_STREAM names this process's own stderr: systemd gave it to journald, nobody redirected it."""
    try:
        status = os.fstat(2)
    except OSError:
        return False
    return journal_stream == f"{status.st_dev}:{status.st_ino}"


class JournalHandler(logging.Handler):
    """Sends every record as a journal entry. Never raises and never waits long; what was lost is said later."""

    def __init__(self, identifier: str, address: Path = SOCKET) -> None:
        """Connect. Raises OSError where no journald listens."""
        super().__init__()
        # Level, time and name are fields of their own.
        self.setFormatter(logging.Formatter("%(message)s"))
        self._identifier = identifier
        self._lost = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            self._socket.connect(str(address))
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(PATIENCE_S)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        try:
            entry = encode_entry(self._entry(record))
        except Exception:  # noqa: BLE001 - what logging asks of a handler
            self.handleError(record)
            return
        try:
            if self._lost:
                self._send(encode_entry(self._loss()))
                self._lost = 0
            self._send(entry)
        except OSError:
            self._lost += 1

    def close(self) -> None:
        """Disconnect."""
        self._socket.close()
        super().close()

    def _entry(self, record: logging.LogRecord) -> dict[str, str]:
        entry = {
            "MESSAGE": self.format(record),
            "PRIORITY": str(priority_of(record.levelno)),
            "SYSLOG_IDENTIFIER": self._identifier,
            "LOGGER": record.name,
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "CODE_FUNC": record.funcName or "",
            "THREAD_NAME": record.threadName or "",
        }
        return entry | {name.upper(): value for name, value in fields_of(record).items()}

    def _loss(self) -> dict[str, str]:
        message = f"{self._lost} log lines were lost: journald did not read them in {PATIENCE_S:g} s"
        return {"MESSAGE": message, "PRIORITY": "4", "SYSLOG_IDENTIFIER": self._identifier}

    def _send(self, entry: bytes) -> None:
        try:
            self._socket.send(entry)
        except OSError as error:
            if error.errno not in _TOO_LARGE:
                raise
            self._send_as_memfd(entry)

    def _send_as_memfd(self, entry: bytes) -> None:
        descriptor = os.memfd_create("journal-entry", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with os.fdopen(descriptor, "wb") as memory:
            memory.write(entry)
            memory.flush()
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
            socket.send_fds(self._socket, [b""], [descriptor])


def log_handler(identifier: str, line: str) -> logging.Handler:
    """Return a handler to journald when stderr goes there, else one to stderr with lines formatted as `line`."""
    if stderr_is_the_journal(os.environ.get("JOURNAL_STREAM")):
        try:
            return JournalHandler(identifier)
        except OSError as error:
            print(f"{SOCKET}: {error.strerror}; log lines go to stderr without their fields", file=sys.stderr)
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(line))
    return handler


def start_logging(identifier: str, level: int = logging.INFO, line: str = "%(levelname)s %(message)s") -> None:
    """Log to journald, or to stderr in lines for people; once, at the start of a process."""
    logging.basicConfig(level=level, handlers=[log_handler(identifier, line)])
