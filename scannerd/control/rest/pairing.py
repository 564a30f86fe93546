"""Pairing: a short code that only somebody at the device can see, exchanged once for a token."""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

DIGITS = "123456"
"""As few as a lamp can blink."""
CODE_LENGTH = 6
VALID_S = 120.0
MOST_TRIES = 5
"""Of 46 656 codes; then the code is void."""


class WrongCode(RuntimeError):
    """This code does not pair. The message says what to do."""


@dataclass
class _Shown:
    code: str
    until_s: float
    tries: int = 0


class PairingCodes:
    """At most one code counts at a time."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._shown: _Shown | None = None

    def new_code(self) -> str:
        """Return a new code, for somebody who stands at the device; the one before it counts no more."""
        code = "".join(secrets.choice(DIGITS) for _ in range(CODE_LENGTH))
        self._shown = _Shown(code, self._monotonic_s() + VALID_S)
        return code

    def redeem(self, code: str) -> None:
        """Use the code up. Raises WrongCode."""
        shown = self._shown
        if shown is None or self._monotonic_s() >= shown.until_s:
            self._shown = None
            raise WrongCode("no code is shown now; ask for one at the device: scannerd pair")
        shown.tries += 1
        if hmac.compare_digest(shown.code.encode(), code.encode()):
            self._shown = None
            return
        left = MOST_TRIES - shown.tries
        if left == 0:
            self._shown = None
            raise WrongCode(f"wrong code for the {MOST_TRIES}th time: it counts no more; ask for a new one")
        raise WrongCode(f"wrong code; {left} more tries")
