"""API keys: 256 random bits behind a readable name, of which only the SHA-256 is kept.

`off_ab12cd34ef_…`: the middle tells which key it is, in lists, logs and the audit trail, and is no secret.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.tables import API_KEYS, TENANTS, USERS
from offload.people.principal import Principal, Scope
from offload.people.tenants import PeopleProblem, tenant

PREFIX = "off_"
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LENGTH = 10
_SECRET_BYTES = 32
USE_NOTED_EVERY_S = 60.0


class KeyRefused(RuntimeError):
    """This key opens nothing; the message says why as far as its holder may know."""


def make_key(
    connection: sa.Connection,
    tenant_id: str,
    name: str,
    scopes: Sequence[Scope],
    *,
    expires_at: datetime | None = None,
    user_id: str | None = None,
    project_id: str | None = None,
) -> tuple[str, str]:
    """Insert a key and return its id and the key itself, which nobody can tell again. Raises PeopleProblem."""
    tenant(connection, tenant_id)
    if not scopes:
        raise PeopleProblem(f"a key without scopes opens nothing; known are {', '.join(Scope)}")
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
    key = f"{PREFIX}{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    row = {
        "key_id": key_id,
        "tenant_id": tenant_id,
        "user_id": user_id,
        "project_id": project_id,
        "name": name,
        "key_sha256": hashlib.sha256(key.encode()).hexdigest(),
        "scopes": [str(scope) for scope in scopes],
        "created_at": now(),
        "expires_at": expires_at,
    }
    connection.execute(sa.insert(API_KEYS).values(row))
    return key_id, key


def revoke_key(connection: sa.Connection, key_id: str, tenant_id: str | None = None) -> str:
    """Make a key, of any tenant or of this one, open nothing any more; return whose it was. Raises PeopleProblem."""
    query = sa.update(API_KEYS).where(API_KEYS.c.key_id == key_id, API_KEYS.c.revoked_at.is_(None))
    if tenant_id is not None:
        query = query.where(API_KEYS.c.tenant_id == tenant_id)
    revoked = connection.execute(query.values(revoked_at=now()).returning(API_KEYS.c.tenant_id)).one_or_none()
    if revoked is None:
        raise PeopleProblem(f"there is no key {key_id} that is not revoked yet; `offload key list` names all")
    return str(revoked.tenant_id)


def keys(connection: sa.Connection, tenant_id: str) -> Sequence[sa.RowMapping]:
    """Return what is known of a tenant's keys."""
    query = sa.select(API_KEYS).where(API_KEYS.c.tenant_id == tenant_id).order_by(API_KEYS.c.created_at)
    return connection.execute(query).mappings().all()


def are_there_keys(connection: sa.Connection) -> bool:
    """Whether anybody ever made a key, for any tenant."""
    return connection.execute(sa.select(API_KEYS.c.key_id).limit(1)).first() is not None


def principal_of(engine: sa.Engine, key: str) -> Principal:
    """Return who holds a key, and note that it was used. Raises KeyRefused.

    A key that never was takes as long as a wrong one, and neither says which.
    """
    key_id = key.removeprefix(PREFIX).partition("_")[0]
    query = (
        sa.select(API_KEYS, TENANTS.c.closed_at, TENANTS.c.most_requests_a_minute, USERS.c.disabled_at)
        .join(TENANTS, TENANTS.c.tenant_id == API_KEYS.c.tenant_id)
        .outerjoin(USERS, USERS.c.user_id == API_KEYS.c.user_id)
        .where(API_KEYS.c.key_id == key_id)
    )
    with engine.connect() as connection:
        row = connection.execute(query).mappings().one_or_none()
    given = hashlib.sha256(key.encode()).hexdigest()
    if not hmac.compare_digest(given, row["key_sha256"] if row is not None else "0" * 64) or row is None:
        raise KeyRefused("the key is wrong")
    _check(row)
    _note_use(engine, row)
    return Principal(
        tenant_id=row["tenant_id"],
        actor=f"key:{key_id}",
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        user_id=row["user_id"],
        project_id=row["project_id"],
        most_requests_a_minute=row["most_requests_a_minute"],
    )


def _check(row: sa.RowMapping) -> None:
    if row["revoked_at"] is not None:
        raise KeyRefused(f"key {row['key_id']} was revoked")
    if row["expires_at"] is not None and row["expires_at"] <= now():
        raise KeyRefused(f"key {row['key_id']} expired at {row['expires_at'].isoformat()}; ask for a new one")
    if row["closed_at"] is not None:
        raise KeyRefused(f"tenant {row['tenant_id']} is closed")
    if row["disabled_at"] is not None:
        raise KeyRefused(f"the user of key {row['key_id']} is disabled")


def _note_use(engine: sa.Engine, row: sa.RowMapping) -> None:
    last, moment = row["last_used_at"], now()
    if last is not None and moment - last < timedelta(seconds=USE_NOTED_EVERY_S):
        return
    with engine.begin() as connection:
        mine = API_KEYS.c.key_id == row["key_id"]
        connection.execute(sa.update(API_KEYS).where(mine).values(last_used_at=moment))
