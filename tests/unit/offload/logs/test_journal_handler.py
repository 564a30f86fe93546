"""The handler against a socket that reads as journald does: datagrams, or a sealed memfd."""

import array
import fcntl
import logging
import mmap
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offload.logs.fields import about
from offload.logs.journal import JournalHandler, encode_entry, priority_of, stderr_is_the_journal

SEALED = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def decode(data: bytes) -> dict[str, str]:
    """Read an entry as the protocol's document says."""
    entry = {}
    while data:
        line, _, rest = data.partition(b"\n")
        if b"=" in line:
            key, _, value = line.partition(b"=")
            data = rest
        else:
            key, (length,) = line, struct.unpack("<Q", rest[:8])
            value, end, data = rest[8 : 8 + length], rest[8 + length : 9 + length], rest[9 + length :]
            assert end == b"\n"
        entry[key.decode()] = value.decode()
    return entry


class Journald:
    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(60)
        self.memfds = 0

    def entry(self) -> dict[str, str]:
        data, ancillary, _, _ = self._socket.recvmsg(1 << 20, socket.CMSG_LEN(4))
        if not ancillary:
            return decode(data)
        assert data == b"", "payload or memfd, never both"
        (_, _, packed), (descriptor,) = ancillary[0], array.array("i", ancillary[0][2])
        assert len(packed) == 4
        self.memfds += 1
        try:
            assert fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & SEALED == SEALED
            with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as memory:
                return decode(memory[:])
        finally:
            os.close(descriptor)

    def drain(self) -> None:
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recv(1 << 20)
        except BlockingIOError:
            self._socket.settimeout(60)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journald]:
    listener = Journald(tmp_path / "socket")
    yield listener
    listener.close()


@pytest.fixture
def log(journald: Journald, tmp_path: Path) -> Iterator[logging.Logger]:
    handler = JournalHandler("scannerd", tmp_path / "socket")
    assert handler.formatter is not None, "or logging.basicConfig gives it one that repeats level and name"
    log = logging.getLogger("test-journal")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(handler)
    yield log
    log.removeHandler(handler)
    handler.close()


def test_an_entry_carries_its_fields_and_where_it_comes_from(journald: Journald, log: logging.Logger) -> None:
    log.warning("attempt %d", 2, extra=about(scan="cup", frame=17, command_id="c-1"))
    entry = journald.entry()
    assert entry["MESSAGE"] == "attempt 2"
    assert (entry["SCAN"], entry["FRAME"], entry["COMMAND_ID"]) == ("cup", "17", "c-1")
    assert (entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"], entry["LOGGER"]) == ("4", "scannerd", "test-journal")
    assert entry["CODE_FILE"] == __file__
    assert entry["CODE_FUNC"] == "test_an_entry_carries_its_fields_and_where_it_comes_from"
    assert "JOB" not in entry


def test_a_traceback_stays_in_one_entry(journald: Journald, log: logging.Logger) -> None:
    try:
        raise ValueError("torn")
    except ValueError:
        log.exception("broken", extra=about(job="a1"))
    entry = journald.entry()
    assert entry["MESSAGE"].startswith("broken\nTraceback")
    assert entry["MESSAGE"].endswith("ValueError: torn")
    assert (entry["PRIORITY"], entry["JOB"]) == ("3", "a1")


def test_what_is_too_large_for_a_datagram_goes_as_a_sealed_memfd(journald: Journald, log: logging.Logger) -> None:
    log.info("x" * 500_000)
    assert journald.entry()["MESSAGE"] == "x" * 500_000
    assert journald.memfds == 1


def test_a_journald_that_reads_nothing_costs_lines_and_says_how_many(
    journald: Journald, log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.handlers[0]._socket.settimeout(0.001)
    for number in range(2000):
        log.info("line %d", number)
        if log.handlers[0]._lost == 3:
            break
    journald.drain()
    log.info("again")
    assert journald.entry()["MESSAGE"].startswith("3 log lines were lost")
    assert journald.entry()["MESSAGE"] == "again"


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True), st.text()))
def test_what_is_encoded_can_be_decoded(entry: dict[str, str]) -> None:
    told = {key: value.encode("utf-8", "backslashreplace").decode() for key, value in entry.items()}
    assert decode(encode_entry(entry)) == told


def test_levels_have_syslogs_numbers() -> None:
    levels = (logging.DEBUG, logging.INFO, 25, logging.WARNING, logging.ERROR, logging.CRITICAL)
    assert [priority_of(level) for level in levels] == [7, 6, 6, 4, 3, 2]


def test_only_an_stderr_that_is_the_journals_counts() -> None:
    status = os.fstat(2)
    assert stderr_is_the_journal(f"{status.st_dev}:{status.st_ino}")
    assert not stderr_is_the_journal(f"{status.st_dev}:{status.st_ino + 1}")
    assert not stderr_is_the_journal(None)
    assert not stderr_is_the_journal("")


def test_without_the_journal_lines_go_to_stderr_for_people() -> None:
    program = (
        "import logging; from offload.logs.journal import start_logging; from offload.logs.fields import about;"
        "start_logging('scannerd'); logging.getLogger('a').info('moved', extra=about(scan='cup', frame=3))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "JOURNAL_STREAM"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.stderr == "INFO moved scan=cup frame=3\n"
