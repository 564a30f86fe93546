"""`offload serve`: the HTTP service in a process of its own."""

import errno
import logging
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
import uvicorn

from offload.apikey import KeyProblem, read_key
from offload.depot.database import DatabaseUnusable, prepare_database, read_database_url
from offload.depot.folder import DataFolder, FolderUnusable, make_folder
from offload.depot.storage import StorageRefused
from offload.depot.storage_setting import StorageProblem, open_storage
from offload.durable import replace_file
from offload.fetch.addresses import AddressesProblem
from offload.logs.journal import start_logging
from offload.people.keys import are_there_keys
from offload.people.logins import Logins
from offload.people.oidc import Issuer
from offload.people.oidc_setting import OidcProblem, read_oidc_setting
from offload.people.token_key import TokenKeyProblem, read_token_key
from offload.people.tokens import Tokens
from offload.service.app import create_app
from offload.service.auth import Doorkeeper, is_loopback, require_key_unless_loopback
from offload.service.outside import OutsideProblem, read_outside

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
RECEIVE_BUFFER_BYTES = 128 << 10
"""What is in a socket's buffer when the service dies must be sent again: keep it small."""


class CannotListen(RuntimeError):
    """The address is not to be had; the message says why."""


class PortTaken(CannotListen):
    """Another process listens there."""


PROBLEMS = (
    KeyProblem,
    FolderUnusable,
    StorageProblem,
    StorageRefused,
    CannotListen,
    DatabaseUnusable,
    OidcProblem,
    TokenKeyProblem,
    OutsideProblem,
    AddressesProblem,
)
"""That a person must mend before the service can start."""


@app.command()
def serve(
    data: Annotated[Path, typer.Option(help="Folder for uploads, jobs and results; made if absent.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8750,
    port_file: Annotated[Path | None, typer.Option(help="Write the port there once the service listens.")] = None,
) -> None:
    """Take uploads and bundles over HTTP and tell of their jobs."""
    start_logging("offload-api", line="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    folder = DataFolder(data.resolve())
    try:
        key = read_key(os.environ)
        outside = read_outside(os.environ)
        folder.create()
        if port_file is not None:
            make_folder(port_file.parent)
        storage = open_storage(os.environ, folder)
        database = prepare_database(folder, read_database_url(os.environ))
        token_key = read_token_key(os.environ, folder)
        logins = read_logins(os.environ, folder, database)
        with database.connect() as connection:
            can_come = logins is not None or are_there_keys(connection)
        require_key_unless_loopback(host, key, has_keys=can_come)
        listening = listen(host, port)
    except PROBLEMS as problem:
        print(f"offload serve: {problem}", file=sys.stderr)
        raise typer.Exit(1) from problem
    doorkeeper = Doorkeeper(database, key, logins.tokens if logins else None, is_loopback=is_loopback(host))
    application = create_app(folder, storage, database, doorkeeper, logins, outside, token_key)
    config = uvicorn.Config(
        application, log_config=None, access_log=False, timeout_graceful_shutdown=1, timeout_keep_alive=30
    )
    AnnouncingServer(config, port_file).run(sockets=[listening])


def read_logins(environment: Mapping[str, str], folder: DataFolder, database: sa.Engine) -> Logins | None:
    """Return how people log in, None where they cannot. Raises OidcProblem, TokenKeyProblem."""
    setting = read_oidc_setting(environment)
    return Logins(database, Issuer(setting), Tokens(read_token_key(environment, folder))) if setting else None


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there. Raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches the 40 ms of Nagle's algorithm off only where it sees the protocol named.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as problem:
        listening.close()
        if problem.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"port {port} on {host} is taken by another process; stop it, or choose another with --port "
                "(--port 0 takes a free one)"
            ) from problem
        raise CannotListen(
            f"cannot listen on {host} port {port}: {problem.strerror}; --host takes an address of this machine, such "
            "as 127.0.0.1 or 0.0.0.0, and ports below 1024 take special rights"
        ) from problem
    return listening


class AnnouncingServer(uvicorn.Server):
    """Says where it listens once it really answers."""

    def __init__(self, config: uvicorn.Config, port_file: Path | None) -> None:
        super().__init__(config)
        self._port_file = port_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the address and write the port file."""
        await super().startup(sockets)
        if not self.started or not sockets:
            return
        host, port = sockets[0].getsockname()[:2]
        if self._port_file is not None:
            replace_file(self._port_file, f"{port}\n".encode())
        shown = f"[{host}]" if ":" in host else host
        print(f"listening on http://{shown}:{port}", flush=True)


if __name__ == "__main__":
    app()
