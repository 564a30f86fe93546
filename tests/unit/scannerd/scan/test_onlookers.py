"""What a scan that goes on learns from its earlier photos."""

import weakref

from turntable_scan import SCAN_ID, taken_scan
from turntable_seen import BenchTurn

from offload.wire.bundle import FrameEntry
from offload.wire.sidecar import FrameSidecar
from scannerd.scan.onlookers import Onlookers

VIEWS = 24


def test_one_sidecar_is_in_memory_at_a_time_however_many_photos_there_are(tmp_path) -> None:
    store = taken_scan(tmp_path, [BenchTurn(views=VIEWS)], seal=False)
    sidecars: list[weakref.ref[FrameSidecar]] = []
    alive: list[int] = []

    def hear(frame: FrameEntry, sidecar: FrameSidecar) -> None:
        sidecars.append(weakref.ref(sidecar))
        alive.append(sum(each() is not None for each in sidecars))

    with store.open(SCAN_ID) as scan:
        Onlookers(scan).remember(hear)
    assert len(sidecars) == VIEWS
    assert max(alive) == 1
