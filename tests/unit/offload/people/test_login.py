"""People log in by way of an issuer, and only those whom it really vouches for, for as long as they are let in."""

from datetime import timedelta

import httpx
import openid_issuer
import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import RSAKey

from offload.depot.instant import now
from offload.depot.storage_folder import FolderStorage
from offload.depot.tables import AUDIT
from offload.people.logins import Logins
from offload.people.oidc import Issuer
from offload.people.oidc_setting import OidcProblem, OidcSetting, read_oidc_setting
from offload.people.principal import Scope
from offload.people.tenants import add_user, close_tenant, disable_user, make_tenant
from offload.people.token_key import TokenKey, TokenKeyProblem, read_token_key
from offload.people.tokens import TokenRefused, Tokens
from offload.service.app import create_app
from offload.service.auth import Doorkeeper

BACK = "https://app.example/back"
SECRET = "s" * 40


@pytest.fixture
def issuer():
    with openid_issuer.serving() as running:
        yield running


@pytest.fixture
def tokens():
    return Tokens(TokenKey(SECRET))


@pytest.fixture
async def client(engine, folder, issuer, tokens):
    with engine.begin() as connection:
        add_user(connection, "shop", "Ann@shop.example", [Scope.JOBS_READ])
    setting = OidcSetting(issuer.url, openid_issuer.CLIENT_ID, (BACK,))
    logins = Logins(engine, Issuer(setting), tokens)
    doorkeeper = Doorkeeper(engine, None, tokens, is_loopback=True)
    app = create_app(folder, FolderStorage(folder.root), engine, doorkeeper, logins)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x/api/v1") as made,
    ):
        yield made


@pytest.fixture
def log_in(client, issuer):
    async def once(**changed):
        begun = (await client.get("/login")).json()
        brought = {"login": begun["login"], **issuer.log_in(begun["authorization_url"])}
        return await client.post("/login", json=brought | changed)

    return once


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


async def test_who_logs_in_gets_in_as_far_as_the_scopes_go(client, log_in, engine):
    assert (await client.get("/jobs")).status_code == 401
    answer = (await log_in()).json()
    assert (answer["tenant_id"], answer["scopes"], answer["token_type"]) == ("shop", ["jobs:read"], "Bearer")
    token = bearer(answer["access_token"])
    assert (await client.get("/jobs", headers=token)).json() == []
    refused = await client.post(f"/jobs/{'0' * 32}/cancel", headers=token)
    assert refused.status_code == 403
    assert "user:ann@shop.example has jobs:read" in refused.text
    with engine.connect() as connection:
        assert connection.scalars(sa.select(AUDIT.c.actor).where(AUDIT.c.action == "user.login")).all() == [
            "user:ann@shop.example"
        ]


async def test_a_person_stays_the_same_whatever_the_address_becomes(log_in, issuer):
    assert (await log_in()).status_code == 200
    issuer.claims |= {"email": "ann@elsewhere.example", "email_verified": False}
    assert (await log_in()).status_code == 200
    issuer.claims |= {"sub": "mallory", "email": "ann@shop.example", "email_verified": True}
    refused = await log_in()
    assert (refused.status_code, "is known nowhere here" in refused.text) == (401, True)


async def test_a_token_is_worth_what_the_row_says_now(client, log_in, engine):
    token = bearer((await log_in()).json()["access_token"])
    with engine.begin() as connection:
        close_tenant(connection, "shop")
    assert (await client.get("/jobs", headers=token)).status_code == 401
    with engine.begin() as connection:
        close_tenant(connection, "shop", closed=False)
    assert (await client.get("/jobs", headers=token)).status_code == 200
    with engine.begin() as connection:
        disable_user(connection, "shop", "ann@shop.example")
    assert (await client.get("/jobs", headers=token)).status_code == 401
    assert (await log_in()).status_code == 401


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"aud": "another-service"},
        {"aud": [openid_issuer.CLIENT_ID, "another"], "azp": "another"},
        {"iss": "https://another.example"},
        {"exp": 1},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": "bob@shop.example"},
        {"sub": None},
    ],
    ids=str,
)
async def test_a_token_of_the_issuer_that_is_not_for_this_login_opens_nothing(log_in, issuer, lie):
    issuer.claims |= lie
    assert (await log_in()).status_code == 401


async def test_another_signature_than_the_issuers_opens_nothing(log_in, issuer):
    real = issuer.key
    issuer.signed_with = RSAKey.generate_key(2048, parameters={"kid": "one"})
    assert (await log_in()).status_code == 401
    # With the public key, which everybody has, as if it were a shared secret.
    issuer.signed_with, issuer.algorithm = real.as_pem(private=False), "HS256"
    assert (await log_in()).status_code == 401
    issuer.signed_with, issuer.algorithm = real, "RS256"
    assert (await log_in()).status_code == 200


async def test_a_login_is_ended_by_whom_it_was_begun(client, log_in, issuer):
    assert (await log_in(state="another")).status_code == 401
    assert (await log_in(code="guessed")).status_code == 401
    assert (await log_in(login="forged")).status_code == 401
    other = (await client.get("/login")).json()["login"]
    assert (await log_in(login=other)).status_code == 401
    begun = (await client.get("/login")).json()
    brought = {"login": begun["login"], **issuer.log_in(begun["authorization_url"])}
    assert (await client.post("/login", json=brought)).status_code == 200
    assert (await client.post("/login", json=brought)).status_code == 401, "a code is good once"


async def test_people_are_sent_back_only_where_the_operator_says(client):
    begun = (await client.get("/login", params={"redirect_uri": BACK})).json()
    assert "code_challenge_method=S256" in begun["authorization_url"]
    answer = await client.get("/login", params={"redirect_uri": "https://evil.example/back"})
    assert (answer.status_code, BACK in answer.text) == (401, True)


async def test_an_issuer_that_is_ill_is_no_refusal(client, issuer):
    issuer.is_ill = True
    assert (await client.get("/login")).status_code == 503


async def test_logins_are_slowed_down(client):
    answers = []
    while 429 not in answers and len(answers) < 500:
        answers.append((await client.get("/login")).status_code)
    assert set(answers[:30]) == {200}
    assert answers[-1] == 429


async def test_somebody_known_in_two_tenants_is_not_guessed(log_in, engine):
    with engine.begin() as connection:
        make_tenant(connection, "other", "Another")
        add_user(connection, "other", "ann@shop.example", [Scope.ADMIN])
    refused = await log_in()
    assert (refused.status_code, "in several tenants" in refused.text) == (401, True)


def test_our_own_tokens_expire_and_cannot_be_forged(engine, tokens):
    with engine.begin() as connection:
        user_id = add_user(connection, "shop", "bob@shop.example", [Scope.JOBS_READ])
    good = tokens.make(user_id)
    assert tokens.principal_of(engine, good).user_id == user_id
    header, payload, signature = good.split(".")
    at_s = int((now() - timedelta(hours=1)).timestamp())
    claims = {"iss": "offload", "aud": "offload", "sub": user_id, "iat": at_s, "exp": at_s + 900}
    expired = jwt.encode({"alg": "HS256"}, claims, tokens.key.signing, algorithms=["HS256"])
    foreign = Tokens(TokenKey("t" * 40)).make(user_id)
    unsigned = "eyJhbGciOiJub25lIn0." + payload + "."
    for bad in (expired, foreign, unsigned, f"{header}.{payload}.", f"{header}.{signature}.{payload}", "a.b.c"):
        with pytest.raises(TokenRefused):
            tokens.principal_of(engine, bad)


def test_the_secret_is_made_once_and_private(folder):
    folder.create()
    first, second = read_token_key({}, folder), read_token_key({}, folder)
    assert first.signing.as_dict() == second.signing.as_dict()
    path = folder.root / "token.key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(TokenKeyProblem, match="chmod 600"):
        read_token_key({}, folder)
    with pytest.raises(TokenKeyProblem, match="at least 32"):
        read_token_key({"OFFLOAD_TOKEN_KEY": "short"}, folder)


def test_an_issuer_that_others_can_read_along_with_is_refused():
    good = {"OFFLOAD_OIDC_CLIENT_ID": "x", "OFFLOAD_OIDC_REDIRECT_URIS": f"{BACK} http://127.0.0.1:9/back"}
    assert read_oidc_setting({}) is None
    assert len(read_oidc_setting(good | {"OFFLOAD_OIDC_ISSUER": "https://id.example"}).redirect_uris) == 2
    for wrong in ("http://id.example", "ftp://id.example", "id.example"):
        with pytest.raises(OidcProblem, match="expected https"):
            read_oidc_setting(good | {"OFFLOAD_OIDC_ISSUER": wrong})
    with pytest.raises(OidcProblem, match="OFFLOAD_OIDC_CLIENT_ID and OFFLOAD_OIDC_REDIRECT_URIS is not"):
        read_oidc_setting({"OFFLOAD_OIDC_ISSUER": "https://id.example"})
