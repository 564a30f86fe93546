"""A real PostgreSQL for tests: on loopback and a free port, its data in a folder that is gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

PATIENCE_S = 120.0
INSTALLED = Path("/usr/lib/postgresql")


def program(name: str) -> str:
    """Return where a program of Debian's PostgreSQL is, or skip loudly."""
    folders = sorted(INSTALLED.glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ["PATH"]]))
    if found is None:
        pytest.skip(f"NO {name.upper()}: half of the service's tests need it; sudo apt install postgresql")
    return found


@dataclass
class Server:
    """One PostgreSQL; `kill` it and `start` it again on the same port."""

    folder: Path
    port: int
    unprivileged: list[str]
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://tester@127.0.0.1:{self.port}/{database}"

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="tester", dbname="postgres", autocommit=True, connect_timeout=10
        )

    def make_database(self, template: str = "template1") -> str:
        """Return the address of a new and empty database, or of a copy."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy".encode())
        return self.url(name)

    def start(self) -> "Server":
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}"]
        settings += ["fsync=off", "max_connections=60", "shared_buffers=16MB", "autovacuum=off"]
        command = [*self.unprivileged, program("postgres"), "-D", str(self.folder / "data")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *(f"--{setting}" for setting in settings)], stdout=log, stderr=log
            )
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.connect().close()
                return self
            except psycopg.OperationalError:
                over = self.process.poll() is not None or time.monotonic() > deadline_s
                assert not over, (self.folder / "log").read_text()
                time.sleep(0.05)

    def stop(self, kill: bool = False) -> None:
        """End it: at once, or like a machine that loses power in all but its disk's caches."""
        if self.process is None:
            return
        # SIGQUIT: the postmaster takes its children along, which a SIGKILL to it alone would not wait for.
        self.process.kill() if kill else self.process.send_signal(3)
        self.process.wait(timeout=PATIENCE_S)
        self.process = None


@contextmanager
def serving() -> Iterator[Server]:
    """Yield a server, whose data is gone afterwards; it ends with the tests, also when they are killed."""
    folder = Path(tempfile.mkdtemp(prefix="offload-postgresql-"))
    try:
        unprivileged = [program("setpriv"), "--pdeathsig", "QUIT"]
        if os.geteuid() == 0:  # It refuses to run as root.
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            unprivileged += [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        make = [*unprivileged, program("initdb"), "-D", str(folder / "data"), "-U", "tester", "--auth=trust"]
        make += ["--no-sync", "--locale=C", "--encoding=UTF8", "--no-instructions"]
        done = subprocess.run(make, capture_output=True, text=True, cwd=folder)
        assert done.returncode == 0, done.stderr
        server = Server(folder, free_port(), unprivileged).start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
