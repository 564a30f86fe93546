"""Where people log in: an OpenID Connect issuer that the operator names. Without one nobody can."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from offload.private_file import OpenToOthers, read_private

ISSUER_VARIABLE = "OFFLOAD_OIDC_ISSUER"
CLIENT_VARIABLE = "OFFLOAD_OIDC_CLIENT_ID"
SECRET_FILE_VARIABLE = "OFFLOAD_OIDC_CLIENT_SECRET_FILE"
REDIRECTS_VARIABLE = "OFFLOAD_OIDC_REDIRECT_URIS"


class OidcProblem(RuntimeError):
    """Login cannot be used as it is configured; the message says what to do."""


@dataclass(frozen=True)
class OidcSetting:
    """One issuer, and what it knows this service as."""

    issuer: str
    client_id: str
    redirect_uris: tuple[str, ...]
    """Where it may send people back to; the first is the usual one."""
    client_secret: str | None = None


def read_oidc_setting(environment: Mapping[str, str]) -> OidcSetting | None:
    """Return what the environment says, or None where it names no issuer. Raises OidcProblem."""
    issuer = environment.get(ISSUER_VARIABLE)
    if not issuer:
        return None
    missing = [name for name in (CLIENT_VARIABLE, REDIRECTS_VARIABLE) if not environment.get(name)]
    if missing:
        raise OidcProblem(
            f"{ISSUER_VARIABLE} is set, {' and '.join(missing)} is not; set both, as the issuer has them"
        )
    redirect_uris = tuple(environment[REDIRECTS_VARIABLE].split())
    for name, url in ((ISSUER_VARIABLE, issuer), *((REDIRECTS_VARIABLE, uri) for uri in redirect_uris)):
        check_private_on_the_way(name, url)
    return OidcSetting(issuer, environment[CLIENT_VARIABLE], redirect_uris, _secret(environment))


def check_private_on_the_way(what: str, url: str) -> None:
    """Raise OidcProblem unless nobody can read along: https, or this very machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not _is_this_machine(parts.hostname or ""):
        raise OidcProblem(f"{what} is {url}; expected https://…, or http:// to this machine alone")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _secret(environment: Mapping[str, str]) -> str | None:
    name = environment.get(SECRET_FILE_VARIABLE)
    if not name:
        return None
    try:
        return read_private(Path(name))
    except OpenToOthers as problem:
        raise OidcProblem(str(problem)) from problem
    except OSError as problem:
        raise OidcProblem(
            f"{name}: {problem.strerror}; {SECRET_FILE_VARIABLE} must name the secret's file"
        ) from problem
