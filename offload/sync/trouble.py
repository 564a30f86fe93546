"""What can be in the way between device and service, and what each kind asks for: waiting, a person, or giving up."""

from offload.wire.link import Hitch


class SyncTrouble(RuntimeError):
    """Something between device and service; the message is for people."""


class TryAgain(SyncTrouble):
    """Waiting may help; `pause_s` is the least time to wait, `hitch` its name in a word."""

    pause_s = 0.0
    hitch: Hitch | None = None


class ServiceUnreachable(TryAgain):
    """No answer, or one that broke off."""

    hitch = Hitch.UNREACHABLE


class ServiceBusy(ServiceUnreachable):
    """An answer that says: later. `pause_s` is what the service asked for."""

    hitch = Hitch.BUSY

    def __init__(self, message: str, pause_s: float = 0.0) -> None:
        super().__init__(message)
        self.pause_s = pause_s


class CertificateRefused(TryAgain):
    """The service cannot prove who it is; a person must act, unless it was a passing guest network."""

    pause_s = 5.0
    hitch = Hitch.CERTIFICATE


class ClockWrong(CertificateRefused):
    """By this device's clock the certificate is not valid yet, or no more."""

    hitch = Hitch.CLOCK


class KeyRefused(TryAgain):
    """The service wants another key; a person must act."""

    pause_s = 15.0
    hitch = Hitch.KEY


class DeviceTrouble(TryAgain):
    """The device itself cannot keep what comes back."""

    pause_s = 5.0
    hitch = Hitch.DEVICE


class NotNow(TryAgain):
    """Quiet hours or a metered connection, told to who would not wait for their end."""


class JobUnknown(SyncTrouble):
    """The service has lost a job, or another one answers now."""


class ServiceRefused(SyncTrouble):
    """The service understood, and will never take this."""
