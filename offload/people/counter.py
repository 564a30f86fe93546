"""What the commands of people share: the data folder, one transaction, problems in one line."""

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from offload.depot.database import DatabaseUnusable, prepare_database, read_database_url
from offload.depot.folder import DataFolder, FolderUnusable
from offload.depot.storage import StorageTrouble
from offload.depot.storage_setting import StorageProblem, open_storage
from offload.people.deletion import Eraser, JobLives
from offload.people.principal import Principal, local_operator
from offload.people.tenants import PeopleProblem
from offload.people.tidying import GRACE, Tidying

Data = Annotated[Path, typer.Option(help="The service's data folder.")]
TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")]


def app(purpose: str) -> typer.Typer:
    """Return an application for some commands."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=purpose)


@contextmanager
def opened(data: Path) -> Iterator[sa.Engine]:
    """Yield the service's database; a problem ends the program, with one line."""
    try:
        engine = prepare_database(DataFolder(data.resolve()), read_database_url(os.environ))
        try:
            yield engine
        finally:
            engine.dispose()
    except (PeopleProblem, JobLives, DatabaseUnusable, FolderUnusable, StorageProblem, StorageTrouble) as problem:
        print(f"offload: {problem}", file=sys.stderr)
        raise typer.Exit(1) from problem


@contextmanager
def transaction(data: Path) -> Iterator[sa.Connection]:
    """Yield a connection to the service's database, all of whose changes are one; a problem ends the program."""
    with opened(data) as engine, engine.begin() as connection:
        yield connection


@contextmanager
def erasing(data: Path, grace: timedelta = GRACE) -> Iterator[tuple[Eraser, Tidying]]:
    """Yield what deletes in database and storage; a problem ends the program."""
    with opened(data) as engine:
        folder = DataFolder(data.resolve())
        storage = open_storage(os.environ, folder)
        eraser = Eraser(engine, storage, folder)
        try:
            yield eraser, Tidying(engine, storage, folder, eraser, grace)
        finally:
            eraser.close()


def who(tenant_id: str | None = None) -> Principal:
    """Return who runs this command, for the audit trail."""
    me = local_operator(f"cli:{getpass.getuser()}")
    return me if tenant_id is None else Principal(tenant_id, me.actor, me.scopes)


def show(*columns: object) -> None:
    """Print a line of a list; tabs between columns, for people and programs alike."""
    print("\t".join("-" if column is None else str(column) for column in columns))
