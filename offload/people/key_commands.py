"""`offload key` and `offload audit`."""

import json
from datetime import timedelta
from typing import Annotated

import typer

from offload.depot.instant import now
from offload.people import keys, tenants
from offload.people.audit import note, trail
from offload.people.counter import Data, TenantId, app, show, transaction, who
from offload.people.principal import Scope

key_app = app("Keys that open the service to a tenant.")
audit_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@key_app.command("create")
def create_key(
    tenant: TenantId,
    data: Data,
    name: Annotated[str, typer.Option(help="For people: what it is used for.")],
    scope: Annotated[list[Scope], typer.Option("--scope", help="What it may do; can be given several times.")],
    days: Annotated[int, typer.Option(min=0, help="How long it is good for; 0 is for ever.")] = 365,
    user: Annotated[str, typer.Option(help="Address of the person whose key it is.")] = "",
    project: Annotated[str, typer.Option(help="Name of the project that its jobs belong to.")] = "",
) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    with transaction(data) as connection:
        key_id, key = keys.make_key(
            connection,
            tenant,
            name,
            scope,
            expires_at=now() + timedelta(days=days) if days else None,
            user_id=tenants.find_user(connection, tenant, user) if user else None,
            project_id=tenants.find_project(connection, tenant, project) if project else None,
        )
        note(connection, who(tenant), "key.create", key_id, name=name, scopes=scope)
    print(key)


@key_app.command("list")
def list_keys(tenant: TenantId, data: Data) -> None:
    """List a tenant's keys: id, name, scopes, when made, used, expired, revoked."""
    with transaction(data) as connection:
        for row in keys.keys(connection, tenant):
            moments = (row[name] for name in ("created_at", "last_used_at", "expires_at", "revoked_at"))
            show(row["key_id"], row["name"], ",".join(row["scopes"]), *moments)


@key_app.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="What stands between the two underscores of the key.")], data: Data
) -> None:
    """Make a key open nothing from now on."""
    with transaction(data) as connection:
        tenant_id = keys.revoke_key(connection, key_id)
        note(connection, who(tenant_id), "key.revoke", key_id)


@audit_app.command()
def audit(
    data: Data,
    tenant: Annotated[str | None, typer.Option(help="Of this tenant only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 200,
) -> None:
    """List who did what, the newest first: when, tenant, who, from where, what, to what, how."""
    with transaction(data) as connection:
        for deed in trail(connection, tenant, limit):
            detail = json.dumps(deed.detail) if deed.detail else None
            show(deed.at, deed.tenant_id, deed.actor, deed.address, deed.action, deed.thing, detail)
