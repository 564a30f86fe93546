"""Tenants, and the users and projects that each has."""

import re
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.new_job import insert_if_absent
from offload.depot.tables import LOCAL_TENANT, PROJECTS, TENANTS, USERS
from offload.people.principal import Scope

_TENANT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
LIMITS = ("most_bytes", "most_jobs_a_day", "most_jobs_waiting", "most_requests_a_minute", "keep_days")


class PeopleProblem(RuntimeError):
    """What is wanted of tenants, users, projects or keys cannot be; the message says why."""


def make_tenant(connection: sa.Connection, tenant_id: str, name: str) -> None:
    """Insert a tenant. Raises PeopleProblem."""
    if _TENANT_ID.fullmatch(tenant_id) is None:
        raise PeopleProblem(f"{tenant_id!r} is no tenant's id: at most 40 lower-case letters, digits and hyphens")
    row = {"tenant_id": tenant_id, "name": name, "created_at": now()}
    if not insert_if_absent(connection, TENANTS, row):
        raise PeopleProblem(f"there is a tenant {tenant_id} already")


def tenant(connection: sa.Connection, tenant_id: str) -> sa.RowMapping:
    """Return a tenant. Raises PeopleProblem."""
    query = sa.select(TENANTS).where(TENANTS.c.tenant_id == tenant_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise PeopleProblem(f"there is no tenant {tenant_id}; `offload tenant list` names all")
    return row


def all_tenants(connection: sa.Connection) -> Sequence[sa.RowMapping]:
    """Return every tenant, the oldest first."""
    return connection.execute(sa.select(TENANTS).order_by(TENANTS.c.created_at)).mappings().all()


def limit_tenant(connection: sa.Connection, tenant_id: str, **limits: int | None) -> None:
    """Set some of `LIMITS`; None takes one away. Raises PeopleProblem."""
    tenant(connection, tenant_id)
    if limits:
        connection.execute(sa.update(TENANTS).where(TENANTS.c.tenant_id == tenant_id).values(**limits))


def close_tenant(connection: sa.Connection, tenant_id: str, *, closed: bool = True) -> None:
    """Refuse all its keys and people from now on, or take them again. Raises PeopleProblem."""
    tenant(connection, tenant_id)
    if tenant_id == LOCAL_TENANT:
        raise PeopleProblem(f"{LOCAL_TENANT} is this service's own tenant and stays open")
    values = {"closed_at": now() if closed else None}
    connection.execute(sa.update(TENANTS).where(TENANTS.c.tenant_id == tenant_id).values(values))


def add_user(connection: sa.Connection, tenant_id: str, email: str, scopes: Sequence[Scope]) -> str:
    """Insert a user and return the id. Raises PeopleProblem."""
    tenant(connection, tenant_id)
    if _EMAIL.fullmatch(email) is None:
        raise PeopleProblem(f"{email!r} is no address of a person")
    row: dict[str, Any] = {"user_id": uuid.uuid4().hex, "tenant_id": tenant_id, "email": email.lower()}
    row |= {"scopes": [str(scope) for scope in scopes], "created_at": now()}
    if not insert_if_absent(connection, USERS, row):
        raise PeopleProblem(f"tenant {tenant_id} has {email} already")
    return str(row["user_id"])


def disable_user(connection: sa.Connection, tenant_id: str, email: str) -> None:
    """Let a user in no more, by no key and no token. Raises PeopleProblem."""
    user_id = find_user(connection, tenant_id, email)
    connection.execute(sa.update(USERS).where(USERS.c.user_id == user_id).values(disabled_at=now()))


def find_user(connection: sa.Connection, tenant_id: str, email: str) -> str:
    """Return a user's id. Raises PeopleProblem."""
    query = sa.select(USERS.c.user_id).where(USERS.c.tenant_id == tenant_id, USERS.c.email == email.lower())
    if (user_id := connection.scalar(query)) is None:
        raise PeopleProblem(f"tenant {tenant_id} has no user {email}")
    return str(user_id)


def users(connection: sa.Connection, tenant_id: str) -> Sequence[sa.RowMapping]:
    """Return a tenant's users."""
    query = sa.select(USERS).where(USERS.c.tenant_id == tenant_id).order_by(USERS.c.email)
    return connection.execute(query).mappings().all()


def make_project(connection: sa.Connection, tenant_id: str, name: str) -> str:
    """Insert a project and return its id. Raises PeopleProblem."""
    tenant(connection, tenant_id)
    row = {"project_id": uuid.uuid4().hex, "tenant_id": tenant_id, "name": name, "created_at": now()}
    if not insert_if_absent(connection, PROJECTS, row):
        raise PeopleProblem(f"tenant {tenant_id} has a project {name} already")
    return str(row["project_id"])


def find_project(connection: sa.Connection, tenant_id: str, name: str) -> str:
    """Return a project's id. Raises PeopleProblem."""
    query = sa.select(PROJECTS.c.project_id).where(PROJECTS.c.tenant_id == tenant_id, PROJECTS.c.name == name)
    if (project_id := connection.scalar(query)) is None:
        raise PeopleProblem(f"tenant {tenant_id} has no project {name}")
    return str(project_id)


def projects(connection: sa.Connection, tenant_id: str) -> Sequence[sa.RowMapping]:
    """Return a tenant's projects."""
    query = sa.select(PROJECTS).where(PROJECTS.c.tenant_id == tenant_id).order_by(PROJECTS.c.name)
    return connection.execute(query).mappings().all()
