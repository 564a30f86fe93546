"""`offload tenant`, `offload user`, `offload project`."""

from datetime import timedelta
from typing import Annotated

import typer

from offload.people import tenants
from offload.people.audit import note
from offload.people.counter import Data, TenantId, app, erasing, show, transaction, who
from offload.people.principal import Scope
from offload.people.tidying import GRACE

tenant_app = app("Who uses the service; each tenant sees its own jobs and files only.")
user_app = app("People of a tenant, who come with a key of theirs or by login.")
tidy_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
project_app = app("What a tenant's jobs are sorted by.")

Scopes = Annotated[list[Scope], typer.Option("--scope", help="What may be done; can be given several times.")]
Limit = Annotated[int | None, typer.Option(min=0, help="0 takes the limit away.")]


@tenant_app.command("create")
def create_tenant(tenant: TenantId, data: Data, name: Annotated[str, typer.Option(help="For people.")] = "") -> None:
    """Make a tenant."""
    with transaction(data) as connection:
        tenants.make_tenant(connection, tenant, name or tenant)
        note(connection, who(tenant), "tenant.create", tenant)


@tenant_app.command("list")
def list_tenants(data: Data) -> None:
    """List all tenants: id, name, when made, when closed, limits."""
    with transaction(data) as connection:
        for row in tenants.all_tenants(connection):
            limits = [f"{name}={row[name]}" for name in tenants.LIMITS if row[name] is not None]
            show(row["tenant_id"], row["name"], row["created_at"], row["closed_at"], " ".join(limits) or None)


@tenant_app.command("limit")
def limit_tenant(
    tenant: TenantId,
    data: Data,
    most_bytes: Limit = None,
    most_jobs_a_day: Limit = None,
    most_jobs_waiting: Limit = None,
    most_requests_a_minute: Limit = None,
    keep_days: Limit = None,
) -> None:
    """Set what a tenant may take, and how long its finished jobs are kept."""
    wanted = {
        "most_bytes": most_bytes,
        "most_jobs_a_day": most_jobs_a_day,
        "most_jobs_waiting": most_jobs_waiting,
        "most_requests_a_minute": most_requests_a_minute,
        "keep_days": keep_days,
    }
    limits = {name: value or None for name, value in wanted.items() if value is not None}
    with transaction(data) as connection:
        tenants.limit_tenant(connection, tenant, **limits)
        note(connection, who(tenant), "tenant.limit", tenant, **limits)


@tenant_app.command("close")
def close_tenant(tenant: TenantId, data: Data) -> None:
    """Refuse all of a tenant's keys and people from now on; its data stays."""
    with transaction(data) as connection:
        tenants.close_tenant(connection, tenant)
        note(connection, who(tenant), "tenant.close", tenant)


@tenant_app.command("reopen")
def reopen_tenant(tenant: TenantId, data: Data) -> None:
    """Take them again."""
    with transaction(data) as connection:
        tenants.close_tenant(connection, tenant, closed=False)
        note(connection, who(tenant), "tenant.reopen", tenant)


@tenant_app.command("delete")
def delete_tenant(
    tenant: TenantId, data: Data, yes: Annotated[bool, typer.Option("--yes", help="Really delete.")] = False
) -> None:
    """Delete a closed tenant with all its jobs, files, keys, people and projects. Its audit trail stays."""
    if not yes:
        raise typer.BadParameter(f"this deletes everything of {tenant}; say --yes if you mean it")
    with erasing(data) as (eraser, _tidying):
        eraser.delete_tenant(who(tenant))


@tidy_app.command()
def tidy(
    data: Data,
    grace_days: Annotated[
        float, typer.Option(min=0, help="Since when no job must have wanted an upload; shorter is for tests.")
    ] = GRACE.days,
) -> None:
    """Delete what tenants keep no longer, and uploads that no job wants; the service does so once a day."""
    with erasing(data, timedelta(days=grace_days)) as (_eraser, tidying):
        done = tidying.run()
    print(f"{done.jobs} jobs, {done.files} uploads, {done.parts} parts of uploads deleted")


@user_app.command("add")
def add_user(tenant: TenantId, email: str, data: Data, scope: Scopes) -> None:
    """Let a person in, by login under this address."""
    with transaction(data) as connection:
        user_id = tenants.add_user(connection, tenant, email, scope)
        note(connection, who(tenant), "user.add", user_id, email=email, scopes=scope)


@user_app.command("list")
def list_users(tenant: TenantId, data: Data) -> None:
    """List a tenant's people: address, scopes, when added, when disabled."""
    with transaction(data) as connection:
        for row in tenants.users(connection, tenant):
            show(row["email"], ",".join(row["scopes"]), row["created_at"], row["disabled_at"])


@user_app.command("disable")
def disable_user(tenant: TenantId, email: str, data: Data) -> None:
    """Let a person in no more, by no key and no login."""
    with transaction(data) as connection:
        tenants.disable_user(connection, tenant, email)
        note(connection, who(tenant), "user.disable", email)


@project_app.command("create")
def create_project(tenant: TenantId, name: str, data: Data) -> None:
    """Make a project."""
    with transaction(data) as connection:
        note(connection, who(tenant), "project.create", tenants.make_project(connection, tenant, name), name=name)


@project_app.command("list")
def list_projects(tenant: TenantId, data: Data) -> None:
    """List a tenant's projects: name, id, when made."""
    with transaction(data) as connection:
        for row in tenants.projects(connection, tenant):
            show(row["name"], row["project_id"], row["created_at"])
