"""Whether the service that makes models can be reached, and takes the key.

Who may write config.toml may name any address, of the own network, too: that is where such services stand. No
redirection is followed, so the key goes nowhere else.
"""

import os
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from offload.apikey import KEY_FILE_VARIABLE, KEY_VARIABLE, KeyProblem, read_key
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
    return _asked(settings.url.rstrip("/"), key, expected)


def _environment(patient: Patient) -> dict[str, str]:
    """As `scannerd sync` gives it to sync: what the environment names already stays."""
    names = (KEY_VARIABLE, KEY_FILE_VARIABLE)
    given = {name: os.environ[name] for name in names if name in os.environ}
    if patient.config.offload.key_file is not None:
        given.setdefault(KEY_FILE_VARIABLE, str(patient.config.offload.key_file))
    return given


def _asked(url: str, key: str | None, expected: str) -> Finding:
    (row,) = ROWS
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(headers=headers, timeout=ANSWERS_WITHIN_S, trust_env=False) as service:
            answer = service.get(f"{url}/api/v1/jobs", params={"limit": 1})
    except (httpx.HTTPError, ssl.SSLError) as problem:
        todo = "check [offload] url, the network, and whether the service runs there"
        return act(row, f"{url}: {problem or type(problem).__name__}", expected, todo)
    if answer.status_code in (401, 403):
        return act(row, f"{url} refuses the key", expected, "let [offload] key_file name the service's own key")
    if answer.is_success:
        return well(row, f"{url} answers{' and takes the key' if key else ', without a key'}", expected)
    return act(row, f"{url} answers {answer.status_code}", expected, "does another program listen there?")
