"""The state in one line of a person's words, for `systemctl status`."""

from scannerd.board.state import DeviceState, Leg, RunningScan
from scannerd.scan.phases import Phase

_ALONE = {
    Phase.PREPARING: "homing the turntable",
    Phase.JOGGING: "turning the platter",
    Phase.BACKGROUND: "photographing the empty turntable",
}


def status_text(state: DeviceState) -> str:
    """Return what the scanner does: `scan cup: 17 of 36 photos, 1 min 10 s left`."""
    if state.scan is not None:
        return _scanning(state.scan, state.phase)
    if state.phase is not Phase.IDLE:
        return _ALONE.get(state.phase, str(state.phase))
    return "; ".join(["idle", *_waiting(state)])


def duration(seconds: float) -> str:
    """Return `55 s`, `1 min 10 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _scanning(scan: RunningScan, phase: Phase) -> str:
    photos = f"scan {scan.scan_id}: {scan.frames_done} of {scan.frames_planned} photos"
    if phase is Phase.PAUSED:
        return f"paused: {scan.question}; {photos}" if scan.question else f"paused; {photos}"
    if phase is Phase.PREPARING:
        return f"{photos}, preparing"
    return photos if scan.remaining_s is None else f"{photos}, {duration(scan.remaining_s)} left"


def _waiting(state: DeviceState) -> list[str]:
    """What is still to come, or to do, while the table is free."""
    legs = [upload.leg for upload in state.uploads]
    travelling = sum(leg is Leg.UPLOADING for leg in legs)
    in_work = sum(leg in (Leg.QUEUED, Leg.RECONSTRUCTING, Leg.FETCHING) for leg in legs)
    told = []
    if state.fault is not None:
        told.append(f"scan {state.interrupted} failed: {state.fault}")
    elif state.interrupted is not None:
        told.append(f"scan {state.interrupted} can be resumed")
    if travelling:
        told.append(_scans(travelling, "waits", "wait") + " for upload")
    if in_work:
        told.append(_scans(in_work, "becomes a model", "become models"))
    if failed := sum(leg is Leg.FAILED for leg in legs):
        told.append(_scans(failed, "has", "have") + " no model: the service failed")
    return told


def _scans(count: int, one: str, many: str) -> str:
    return f"{count} scan {one}" if count == 1 else f"{count} scans {many}"
