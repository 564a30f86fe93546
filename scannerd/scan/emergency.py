"""What a scan knows of the emergency stop: whether somebody pushed it since the scan last asked a person."""

from typing import Protocol

from drivers.protocols import EmergencyStopped


class EmergencyWatch(Protocol):
    """Where a scan looks."""

    @property
    def pushed(self) -> bool:
        """Whether it is pushed now."""

    @property
    def pushes(self) -> int:
        """How often it was pushed."""


class _NoEmergencyStop:
    pushed = False
    pushes = 0


NO_EMERGENCY: EmergencyWatch = _NoEmergencyStop()


class EmergencyMemory:
    """Of one run of one scan. A motor that stood still when the stop was pushed knows no more where it is, either."""

    def __init__(self, watch: EmergencyWatch) -> None:
        self._watch = watch
        self._known = watch.pushes

    @property
    def happened(self) -> bool:
        """Whether it was pushed since the run began or `forget` was called, or still is."""
        return self._watch.pushed or self._watch.pushes != self._known

    def forget(self) -> None:
        """A person has gone on."""
        self._known = self._watch.pushes

    def fault(self) -> EmergencyStopped | None:
        """Return what to ask a person, where it happened."""
        if not self.happened:
            return None
        return EmergencyStopped(
            "the emergency stop was pushed, or its wire is broken: the motors are off; release it, then Resume"
        )

    def raise_if_happened(self) -> None:
        """Raise EmergencyStopped where it happened."""
        if (fault := self.fault()) is not None:
            raise fault
