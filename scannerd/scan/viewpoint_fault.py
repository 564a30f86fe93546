"""One viewpoint that no photo could be taken from."""

from scannerd.fault_kind import FaultKind


class ViewpointFault(RuntimeError):
    """No photo could be taken from one viewpoint. The message names it and what the driver said."""

    def __init__(self, message: str, kind: FaultKind) -> None:
        """`kind` is the driver's."""
        super().__init__(message)
        self.kind = kind
