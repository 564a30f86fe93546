"""Keys open what they were made for, for as long as they were made, and can be read nowhere."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.tables import API_KEYS
from offload.people import keys, tenants
from offload.people.keys import KeyRefused, principal_of
from offload.people.principal import Principal, Scope
from offload.people.tenants import PeopleProblem


@pytest.fixture
def make(engine):
    def one(*scopes, **more):
        with engine.begin() as connection:
            return keys.make_key(connection, "shop", "till", scopes or (Scope.JOBS_READ,), **more)

    return one


def test_a_key_tells_who_holds_it(engine, make):
    key_id, key = make(Scope.JOBS_READ, Scope.JOBS_WRITE)
    assert key.startswith(f"off_{key_id}_")
    who = principal_of(engine, key)
    assert (who.tenant_id, who.actor, who.scopes) == ("shop", f"key:{key_id}", {Scope.JOBS_READ, Scope.JOBS_WRITE})


def test_the_key_itself_is_nowhere(engine, make, tmp_path):
    _, key = make()
    secret = key.rpartition("_")[2].encode()
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in (tmp_path / "data").glob("offload.sqlite*"):
        assert secret not in file.read_bytes()


def test_its_use_is_noted_but_not_every_time(engine, make):
    key_id, key = make()

    def last_use():
        with engine.connect() as connection:
            return connection.scalar(sa.select(API_KEYS.c.last_used_at).where(API_KEYS.c.key_id == key_id))

    assert last_use() is None
    principal_of(engine, key)
    first = last_use()
    assert abs(now() - first) < timedelta(minutes=5)
    principal_of(engine, key)
    assert last_use() == first


@pytest.mark.parametrize(
    "spoil", [lambda key: key[:-1], lambda key: key + "A", lambda key: f"off_{key}", lambda _: ""]
)
def test_what_is_nearly_a_key_opens_nothing(engine, make, spoil):
    _, key = make()
    with pytest.raises(KeyRefused, match="the key is wrong"):
        principal_of(engine, spoil(key))


def test_an_expired_key_says_when(engine, make):
    _, key = make(expires_at=now() - timedelta(seconds=1))
    with pytest.raises(KeyRefused, match=r"expired at 20.*ask for a new one"):
        principal_of(engine, key)


def test_a_revoked_key_a_closed_tenant_and_a_disabled_user_open_nothing(engine, make):
    with engine.begin() as connection:
        user_id = tenants.add_user(connection, "shop", "Ann@shop.example", [Scope.JOBS_READ])
    (revoked_id, revoked), (_, anns), (_, other) = make(), make(user_id=user_id), make()
    assert principal_of(engine, anns).user_id == user_id
    with engine.begin() as connection:
        assert keys.revoke_key(connection, revoked_id) == "shop"
        tenants.disable_user(connection, "shop", "ann@shop.example")
    for key, words in ((revoked, "revoked"), (anns, "disabled")):
        with pytest.raises(KeyRefused, match=words):
            principal_of(engine, key)
    with engine.begin() as connection:
        tenants.close_tenant(connection, "shop")
    with pytest.raises(KeyRefused, match="closed"):
        principal_of(engine, other)


def test_a_key_is_revoked_once_and_by_its_own_tenant(engine, make):
    key_id, _ = make()
    with engine.begin() as connection, pytest.raises(PeopleProblem):
        keys.revoke_key(connection, key_id, "local")
    with engine.begin() as connection:
        keys.revoke_key(connection, key_id, "shop")
        with pytest.raises(PeopleProblem, match="not revoked yet"):
            keys.revoke_key(connection, key_id)


def test_scopes_imply_what_lies_below_them():
    def may(*held):
        return {scope for scope in Scope if Principal("shop", "key:x", frozenset(held)).may(scope)}

    assert may(Scope.JOBS_WRITE) == {Scope.JOBS_WRITE}
    assert may(Scope.ADMIN) == {Scope.ADMIN, Scope.JOBS_READ, Scope.JOBS_WRITE}
    assert may(Scope.OPERATOR) == set(Scope)
    assert may() == set()


@pytest.mark.parametrize("wrong", ["Shop", "a b", "", "../x", "x" * 41])
def test_a_tenants_id_is_fit_for_a_path(engine, wrong):
    with engine.begin() as connection, pytest.raises(PeopleProblem, match="no tenant's id"):
        tenants.make_tenant(connection, wrong, "x")
