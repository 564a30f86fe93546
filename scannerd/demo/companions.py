"""Service, worker and sync beside the demo: each a process of its own, all gone when the demo is."""

import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

START_LIMIT_S = 60.0
STOP_LIMIT_S = 5.0


class CompanionFailed(RuntimeError):
    """A process of the demo did not start or ended on its own. The message ends with the last of its log."""


@dataclass
class Companion:
    """One child process and where it logs to."""

    name: str
    process: subprocess.Popen[bytes]
    log_path: Path

    def check(self) -> None:
        """Raise CompanionFailed if the process has ended."""
        code = self.process.poll()
        if code is not None:
            tail = "\n".join(self.log_path.read_text(errors="replace").splitlines()[-12:])
            raise CompanionFailed(
                f"`offload {self.name}` ended with {code}; what was scanned stays, and the same command goes on with "
                f"it. The end of {self.log_path}:\n{tail}"
            )

    def stop(self) -> None:
        """Ask, wait, then kill the whole process group."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_LIMIT_S)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Companions:
    """Starts `offload serve`, `offload work` and `offload sync` on loopback with a key that only they know."""

    def __init__(self, service_dir: Path, scans_dir: Path, log_dir: Path, link: str = "", seed: int = 0) -> None:
        """`link`, of `drivers.bench.radio_link`, is between sync and service; empty: nothing is."""
        self._link, self._seed = link, seed
        self.service_dir = service_dir
        self._scans_dir = scans_dir
        self._log_dir = log_dir
        self._logs = ExitStack()
        self.running: list[Companion] = []

    def __enter__(self) -> Self:
        for folder in (self.service_dir, self._scans_dir, self._log_dir):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start_all()
        except BaseException:
            self._stop_all()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_all()

    def check(self) -> None:
        """Raise CompanionFailed if any of them has ended."""
        for companion in self.running:
            companion.check()

    def find(self, name: str) -> Companion:
        """Return the companion of this name: `serve`, `work` or `sync`."""
        return next(companion for companion in self.running if companion.name == name)

    def _start_all(self) -> None:
        key = secrets.token_urlsafe(32)
        port_file = self.service_dir / "port"
        port_file.unlink(missing_ok=True)
        data = ["--data", str(self.service_dir)]
        self._start("serve", [*data, "--host", "127.0.0.1", "--port", "0", "--port-file", str(port_file)], key)
        self._start("work", [*data, "--slot", "1"], key)
        port = self._wait_for_port(port_file)
        if self._link:
            port = self._start_link(port)
        self._start("sync", ["--scans", str(self._scans_dir), "--url", f"http://127.0.0.1:{port}"], key)

    def _start(self, name: str, arguments: list[str], key: str) -> None:
        self._run(name, ["-m", "offload", name, *arguments], {"OFFLOAD_API_KEY": key})

    def _start_link(self, port: int) -> int:
        """Put the link before the service and return its port."""
        port_file = self.service_dir / "link.port"
        port_file.unlink(missing_ok=True)
        options = ["--to", str(port), "--link", self._link, "--seed", str(self._seed), "--port-file", str(port_file)]
        self._run("link", ["-m", "drivers.bench.radio_link", *options], {})
        return self._wait_for_port(port_file)

    def _run(self, name: str, arguments: list[str], environment: dict[str, str]) -> None:
        log_path = self._log_dir / f"{name}.log"
        log: IO[bytes] = self._logs.enter_context(log_path.open("wb"))
        # setpriv: the kernel ends the child should the demo be killed without a chance to clean up.
        command = ["setpriv", "--pdeathsig", "TERM", sys.executable, *arguments]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, **environment},
        )
        self.running.append(Companion(name, process, log_path))

    def _wait_for_port(self, port_file: Path) -> int:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            self.check()
            with suppress(FileNotFoundError, ValueError):
                return int(port_file.read_text())
            time.sleep(0.02)  # bounded by the deadline above
        raise CompanionFailed(f"no port in {port_file} after {START_LIMIT_S:.0f} s; see the logs in {self._log_dir}")

    def _stop_all(self) -> None:
        for companion in reversed(self.running):
            companion.stop()
        self.running.clear()
        self._logs.close()
