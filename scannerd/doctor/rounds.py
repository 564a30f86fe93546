"""Going round: all checks at once, each with a time limit of its own, so that one that hangs holds up no other."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from scannerd.doctor.finding import Finding, act
from scannerd.doctor.patient import Patient

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """One look at one part of the scanner."""

    rows: tuple[str, ...]
    """The checks that it reports on, in order."""
    limit_s: float
    look: Callable[[Patient], Iterable[Finding]]
    """Called in a thread of its own. What it yields before it hangs counts."""


@dataclass
class _Look:
    """One check under way."""

    check: Check
    found: list[Finding] = field(default_factory=list)
    thread: threading.Thread | None = None

    def begin(self, patient: Patient) -> None:
        name = f"doctor: {self.check.rows[0]}"
        # A daemon thread: what hangs in a driver or on a dead disk must not keep the process.
        self.thread = threading.Thread(target=self._run, args=(patient,), name=name, daemon=True)
        self.thread.start()

    def end(self, until_s: float) -> tuple[list[Finding], bool]:
        """Return one finding or more for each row, and whether it hangs."""
        assert self.thread is not None
        self.thread.join(max(0.0, until_s - time.monotonic()))
        hangs = self.thread.is_alive()
        found = list(self.found)
        told = {finding.check for finding in found}
        if hangs:
            found += [self._silent(row) for row in self.check.rows if row not in told]
        return found, hangs

    def _silent(self, row: str) -> Finding:
        limit = f"{self.check.limit_s:g} s"
        return act(
            row, f"no answer in {limit}", f"an answer in {limit}", "what it asks hangs: look at its cable or network"
        )

    def _run(self, patient: Patient) -> None:
        try:
            for finding in self.check.look(patient):
                self.found.append(finding)
        except Exception as error:
            # A check's own mistake is one row of the table, and the others are still worth reading.
            LOG.debug("%s", self.check.rows, exc_info=True)
            told = {finding.check for finding in self.found}
            for row in self.check.rows:
                if row not in told:
                    seen = f"{type(error).__name__}: {error}"
                    self.found.append(act(row, seen, "a check that ends", "report this as a fault of scannerd"))


@dataclass(frozen=True)
class Rounds:
    """All findings in the order of the checks."""

    findings: tuple[Finding, ...]
    hanging: bool
    """Threads are left that may never end: leave the process without waiting for them."""


def go_round(patient: Patient, checks: Sequence[Check]) -> Rounds:
    """Return what all checks found, after the longest of their time limits at most."""
    looks = [_Look(check) for check in checks]
    began_s = time.monotonic()
    for look in looks:
        look.begin(patient)
    ended = [look.end(began_s + look.check.limit_s) for look in looks]
    return Rounds(tuple(finding for found, _ in ended for finding in found), any(hangs for _, hangs in ended))
