"""Whether the service that makes models can be reached, and takes the key.

Who may write config.toml may name any address, of the own network, too: that is where such services stand. No
redirection is followed, so the key goes nowhere else.
"""

import asyncio
import os
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from offload.apikey import KEY_FILE_VARIABLE, KEY_VARIABLE, KeyProblem, read_key
from offload.sync.client import CannotTrust, trusted
from offload.sync.clock import TOLERATED_S, ClockWatch
from offload.sync.metered import ask_network_manager
from offload.sync.passage import local_now
from offload.sync.tls_words import tls_trouble
from offload.sync.trouble import ClockWrong
from scannerd.doctor.finding import Finding, act, not_checked, well
from scannerd.doctor.patient import Patient

ROWS = ("service",)
ANSWERS_WITHIN_S = 8.0


def look(patient: Patient) -> Iterator[Finding]:
    """One row."""
    yield _service(patient)


def _service(patient: Patient) -> Finding:
    (row,) = ROWS
    settings = patient.config.offload
    if settings.url is None:
        return not_checked(row, "[offload] url is empty: scans stay on this device")
    expected = f"{settings.url} answers and takes the key"
    address = urlsplit(settings.url)
    if address.scheme not in ("http", "https") or not address.hostname:
        return act(row, f"{settings.url} is no address", expected, "write it like http://127.0.0.1:8750")
    try:
        key = read_key(_environment(patient))
    except KeyProblem as problem:
        if settings.key_file is not None and not patient.account.is_me and not os.access(settings.key_file, os.R_OK):
            return not_checked(row, f"only {patient.account.name} may read the key; sudo scannerd doctor")
        return act(row, str(problem), expected, "let [offload] key_file name the service's key, mode 0600")
    try:
        verify = trusted(settings.ca_file)
    except CannotTrust as problem:
        return act(row, str(problem), expected, "let [offload] ca_file name a PEM file of who signed it")
    return _asked(settings.url.rstrip("/"), key, verify, expected, _metered(settings.pause_on_metered))


def _environment(patient: Patient) -> dict[str, str]:
    """As `scannerd sync` gives it to sync: what the environment names already stays."""
    names = (KEY_VARIABLE, KEY_FILE_VARIABLE)
    given = {name: os.environ[name] for name in names if name in os.environ}
    if patient.config.offload.key_file is not None:
        given.setdefault(KEY_FILE_VARIABLE, str(patient.config.offload.key_file))
    return given


def _metered(matters: bool) -> str:
    """Say where a setting of the shop cannot be kept."""
    if not matters:
        return ""
    known = asyncio.run(ask_network_manager())
    if known.costs is None:
        return f"; whether the connection is metered cannot be known: {known.because}"
    return "; the connection is metered, so scans wait" if known.costs else ""


def _asked(url: str, key: str | None, verify: ssl.SSLContext | bool, expected: str, also: str) -> Finding:
    (row,) = ROWS
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(headers=headers, timeout=ANSWERS_WITHIN_S, trust_env=False, verify=verify) as service:
            answer = service.get(f"{url}/api/v1/jobs", params={"limit": 1})
    except (httpx.HTTPError, ssl.SSLError) as problem:
        return _unreached(url, problem, expected)
    if answer.status_code in (401, 403):
        return act(row, f"{url} refuses the key", expected, "let [offload] key_file name the service's own key")
    if not answer.is_success:
        return act(row, f"{url} answers {answer.status_code}", expected, "does another program listen there?")
    clock = ClockWatch()
    clock.hear(answer.headers.get("Date"))
    if clock.off_s is not None and abs(clock.off_s) > TOLERATED_S:
        direction = "ahead of" if clock.off_s > 0 else "behind"
        seen = f"{url} answers; this device's clock is {abs(clock.off_s):.0f} s {direction} the service's"
        return act(row, seen, expected, "scans get wrong dates: let the device reach a time server; timedatectl")
    return well(row, f"{url} answers{' and takes the key' if key else ', without a key'}{also}", expected)


def _unreached(url: str, problem: Exception, expected: str) -> Finding:
    (row,) = ROWS
    trouble = tls_trouble(url, problem, local_now())
    if isinstance(trouble, ClockWrong):
        return act(row, str(trouble), expected, "timedatectl tells the clock, and whether it is set by the network")
    if trouble is not None:
        return act(row, str(trouble), expected, "check [offload] url and ca_file")
    todo = "check [offload] url, the network, and whether the service runs there"
    return act(row, f"{url}: {problem or type(problem).__name__}", expected, todo)
