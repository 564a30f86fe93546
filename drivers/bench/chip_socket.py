"""The bench's chip as another process has it: calls over a socket, and what it claimed is free once it is gone."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

SLOTS = 10
"""Waves that one line takes in advance, the one being played included."""
CALLS = ("open", "claim_output", "free", "write", "wave", "waves_left")
"""What is asked of the chip from afar."""


class LineBusy(Exception):
    """Said as lgpio says it."""


class Chip(Protocol):
    """What has `CALLS`, and gives back what a handle holds."""

    def close(self, handle: int) -> None:
        """Give it back."""


class FarChip:
    """The chip, in the other process."""

    def __init__(self, path: str) -> None:
        """Connect. Raises OSError."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._answers = self._socket.makefile("rb")

    def __getattr__(self, name: str) -> Any:
        """Return what asks for this call."""
        if name not in CALLS:
            raise AttributeError(f"the bench's chip is not asked for {name} from another process")
        return lambda *arguments: self._ask(name, arguments)

    def _ask(self, name: str, arguments: tuple[Any, ...]) -> Any:
        self._socket.sendall(json.dumps([name, *arguments]).encode() + b"\n")
        line = self._answers.readline()
        if not line:
            raise ConnectionError("the bench is gone")
        answer, refusal = json.loads(line)
        if refusal is not None:
            raise LineBusy(refusal)
        return answer


@contextmanager
def chip_socket(chip: Chip) -> Iterator[str]:
    """Yield the path at which other processes find the chip until the block ends."""
    with TemporaryDirectory(prefix="bench-chip-") as folder, socket.socket(socket.AF_UNIX) as door:
        path = Path(folder) / "chip"
        door.bind(str(path))
        door.listen()
        guests: list[threading.Thread] = []
        doorman = threading.Thread(target=_let_in, args=(door, chip, guests), name="bench chip")
        doorman.start()
        try:
            yield str(path)
        finally:
            door.shutdown(socket.SHUT_RDWR)
            doorman.join()
            for guest in guests:
                guest.join()


def _let_in(door: socket.socket, chip: Chip, guests: list[threading.Thread]) -> None:
    while True:
        try:
            line, _ = door.accept()
        except OSError:
            return
        guests.append(threading.Thread(target=_serve, args=(line, chip), name="bench chip's guest"))
        guests[-1].start()


def _serve(line: socket.socket, chip: Chip) -> None:
    handles: list[int] = []
    with line, line.makefile("rb") as questions:
        try:
            for question in questions:
                name, *arguments = json.loads(question)
                answer: Any = None
                refusal = None
                try:
                    answer = getattr(chip, name)(*arguments)
                except LineBusy as busy:
                    refusal = str(busy)
                if name == "open":
                    handles.append(answer)
                line.sendall(json.dumps([answer, refusal]).encode() + b"\n")
        except ConnectionError:
            pass
        finally:
            for handle in handles:
                chip.close(handle)
