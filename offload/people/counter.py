"""What the commands of people share: the data folder, one transaction, problems in one line."""

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from offload.depot.database import DatabaseUnusable, prepare_database, read_database_url
from offload.depot.folder import DataFolder, FolderUnusable
from offload.people.principal import Principal, local_operator
from offload.people.tenants import PeopleProblem

Data = Annotated[Path, typer.Option(help="The service's data folder.")]
TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")]


def app(purpose: str) -> typer.Typer:
    """Return an application for some commands."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=purpose)


@contextmanager
def transaction(data: Path) -> Iterator[sa.Connection]:
    """Yield a connection to the service's database, all of whose changes are one; a problem ends the program."""
    try:
        engine = prepare_database(DataFolder(data.resolve()), read_database_url(os.environ))
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()
    except (PeopleProblem, DatabaseUnusable, FolderUnusable) as problem:
        print(f"offload: {problem}", file=sys.stderr)
        raise typer.Exit(1) from problem


def who(tenant_id: str | None = None) -> Principal:
    """Return who runs this command, for the audit trail."""
    me = local_operator(f"cli:{getpass.getuser()}")
    return me if tenant_id is None else Principal(tenant_id, me.actor, me.scopes)


def show(*columns: object) -> None:
    """Print a line of a list; tabs between columns, for people and programs alike."""
    print("\t".join("-" if column is None else str(column) for column in columns))
