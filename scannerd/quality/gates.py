"""A gate for each camera of a scan: what is sharp and bright for one says nothing about another."""

from collections.abc import Iterable

from drivers.protocols import Frame
from offload.wire.bundle import MatSpec, Place
from scannerd.config import QualitySection
from scannerd.quality.gate import Gate
from scannerd.quality.look import Look
from scannerd.quality.references import Measured


class Gates:
    """Judge the frames of one scan, in one thread; `Gate` says how."""

    def __init__(self, limits: QualitySection, mat: MatSpec | None = None, cameras: int = 1) -> None:
        """`mat` is the one that lies on the platter, if one does."""
        self._gates = [Gate(limits, mat) for _ in range(cameras)]

    def of(self, camera: int) -> Gate:
        """Return the gate of one camera."""
        return self._gates[camera]

    def take(self, limits: QualitySection) -> None:
        """Judge by other limits from now on."""
        for gate in self._gates:
            gate.take(limits)

    def judge(self, frame: Frame, place: Place) -> Look:
        """Look at one frame of this place."""
        return self.of(place.camera).judge(frame, place)

    def learn(self, look: Look) -> None:
        """Count a photo that was kept."""
        if look.place is not None:
            self.of(look.place.camera).learn(look)

    def remember(self, place: Place, findings: Iterable[Measured]) -> None:
        """Count a photo that an earlier run kept."""
        self.of(place.camera).remember(place, findings)
