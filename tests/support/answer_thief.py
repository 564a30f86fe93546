"""A proxy that lets every request through and loses some answers: the service has done it, and nobody knows."""

import random
import socket
import threading
from contextlib import suppress

CHUNK_BYTES = 1 << 16


class AnswerThief:
    """Listens on a port of its own; every so often the connection is reset in place of an answer."""

    def __init__(self, target_port: int, seed: int, share: float) -> None:
        self._target_port, self._chance, self._share = target_port, random.Random(seed), share
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.stolen = 0
        self._ends: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """End every connection and thread."""
        for end in [self._listening, *self._ends]:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in list(self._threads):
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._target_port))
                except OSError:
                    near.close()
                    continue
                self._ends |= {near, far}
                for way in ((near, far, False), (far, near, True)):
                    self._threads.append(threading.Thread(target=self._carry, args=way))
                    self._threads[-1].start()

    def _carry(self, source: socket.socket, target: socket.socket, may_steal: bool) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK_BYTES):
                if may_steal and self._chance.random() < self._share:
                    self.stolen += 1
                    break
                target.sendall(chunk)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
