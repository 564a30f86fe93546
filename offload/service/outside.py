"""How the world outside and this service reach each other."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from offload.fetch.addresses import PUBLIC_ONLY, AddressPolicy, read_address_policy

PUBLIC_URL_VARIABLE = "OFFLOAD_PUBLIC_URL"


class OutsideProblem(RuntimeError):
    """A setting cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Outside:
    """What the operator says of it."""

    policy: AddressPolicy = PUBLIC_ONLY
    public_url: str | None = None
    """What others put before `/api/v1`; None: as each request came."""


NOBODY_OUTSIDE = Outside()


def read_outside(environment: Mapping[str, str]) -> Outside:
    """Return what the environment says. Raises OutsideProblem, AddressesProblem."""
    return Outside(read_address_policy(environment), _public_url(environment.get(PUBLIC_URL_VARIABLE)))


def _public_url(text: str | None) -> str | None:
    if not text:
        return None
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as problem:
        raise OutsideProblem(
            f"{PUBLIC_URL_VARIABLE}: {problem}; expected such as https://scans.example.com"
        ) from problem
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise OutsideProblem(f"{PUBLIC_URL_VARIABLE} is {text}; expected such as https://scans.example.com")
    return text.rstrip("/")
