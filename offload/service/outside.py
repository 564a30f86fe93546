"""How the world outside and this service reach each other."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from offload.fetch.addresses import PUBLIC_ONLY, AddressPolicy, read_address_policy

PUBLIC_URL_VARIABLE = "OFFLOAD_PUBLIC_URL"
TIMEOUT_VARIABLE = "OFFLOAD_WEBHOOK_TIMEOUT_S"
WEBHOOK_TIMEOUT_S = 10.0
LONGEST_TIMEOUT_S = 60.0


class OutsideProblem(RuntimeError):
    """A setting cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Outside:
    """What the operator says of it."""

    policy: AddressPolicy = PUBLIC_ONLY
    public_url: str | None = None
    """What others put before `/api/v1`; None: as each request came."""
    webhook_timeout_s: float = WEBHOOK_TIMEOUT_S
    """For a receiver to answer to the end."""


NOBODY_OUTSIDE = Outside()


def read_outside(environment: Mapping[str, str]) -> Outside:
    """Return what the environment says. Raises OutsideProblem, AddressesProblem."""
    return Outside(
        read_address_policy(environment),
        _public_url(environment.get(PUBLIC_URL_VARIABLE)),
        _timeout_s(environment.get(TIMEOUT_VARIABLE)),
    )


def _timeout_s(text: str | None) -> float:
    try:
        timeout_s = float(text or WEBHOOK_TIMEOUT_S)
    except ValueError:
        timeout_s = 0.0
    if not 0 < timeout_s <= LONGEST_TIMEOUT_S:
        raise OutsideProblem(f"{TIMEOUT_VARIABLE} is {text}; expected seconds, at most {LONGEST_TIMEOUT_S:.0f}")
    return timeout_s


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
