"""The figures of a scan as lines for a terminal."""

from scannerd.timing.figures import ScanFigures

_HEAD = f"{'':8}{'stage':10}{'median':>10}{'p95':>10}{'longest':>10}{'sum':>10}{'share':>9}"


LEAST_S = 0.005
"""Less is not worth a line."""


def table_of(figures: ScanFigures) -> list[str]:
    """Return lines no wider than 80 letters."""
    each_s = figures.seconds / figures.photos
    floor_s = figures.floor_s / figures.photos
    lines = [
        f"scan {figures.scan_id}: {_counted(figures.photos, 'photo')} in {figures.seconds:.1f} s"
        + (f", in {figures.runs} runs" if figures.runs > 1 else ""),
        f"{each_s:.3f} s a photo; what motor and sensor need: {floor_s:.3f} s; {figures.ratio:.2f} times that",
        "",
        _HEAD,
    ]
    lane = ""
    for stage in figures.stages:
        shown, lane = ("" if stage.lane == lane else stage.lane), stage.lane
        lines.append(
            f"{shown:8}{stage.stage:10}{_ms(stage.median_s)}{_ms(stage.p95_s)}{_ms(stage.longest_s)}"
            f"{stage.sum_s:8.2f} s{stage.share:9.1%}"
        )
    return [*lines, "", *_over(figures), *_remarks(figures)]


def _over(figures: ScanFigures) -> list[str]:
    over = figures.over
    reasons = {
        "motion, exposure and readout slower than their limits": over.slower_s,
        "the table waited for the disk": over.waited_s,
        "photos taken again": over.retaking_s,
        "between a photo and the next move": over.between_s,
        "the table stood while photos were judged and stored": over.stood_s,
    }
    lines = [f"over the floor: {over.total_s:.2f} s, {over.total_s / figures.photos * 1000:.0f} ms a photo"]
    for says, seconds in sorted(reasons.items(), key=lambda reason: -reason[1]):
        if seconds >= LEAST_S:
            lines.append(f"  {says:55}{seconds:8.2f} s{seconds / figures.photos * 1000:8.0f} ms")
    return lines


def _remarks(figures: ScanFigures) -> list[str]:
    remarks = []
    if not figures.overlapped:
        remarks.append("the journal tells how long steps took, not when: they are counted one after the other")
    if figures.untimed:
        remarks.append(f"{_counted(figures.untimed, 'photo')} without times are left out")
    return remarks


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:7.0f} ms"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
