"""The chart of one scan: what table, camera, judge and disk did at the same time, and each photo on a row of its own.

One SVG file that needs nothing else. A bar tells its numbers when somebody points at it.
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from scannerd.timing.figures import ScanFigures, figures_of, quantile
from scannerd.timing.ink import Look, box, line, style_of, text, tick_text, ticks_s
from scannerd.timing.record import DISK, JUDGE, LANES, PhotoTiming, ScanTiming

WIDTH_PX = 1160
LEFT_PX, RIGHT_PX = 92, 1120
CLOSE_UP_PHOTOS = 6
LEGEND_PX = 132
LANE_PX, LANE_GAP_PX = 26, 8
ROWS_PX = 900
LOWEST_ROW_PX, HIGHEST_ROW_PX = 3.0, 15.0
LABEL_EVERY_PX = 26
BEHIND = ("copy", *JUDGE, *DISK)
LONG = 1.6
"""A row is cut off where it is so many times as long as most are."""


def chart_of(timing: ScanTiming, look: Look = Look.AUTO) -> str:
    """Return the SVG of a scan with at least one photo."""
    figures = figures_of(timing)
    parts = [*_head(figures)]
    close_up, y = _close_up(timing, 118.0)
    rows, height = _rows(timing, figures, y + 22)
    parts += [*close_up, *rows]
    says = f"scan {escape(timing.scan_id)}: where the time of {figures.photos} photos went"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height:.0f}" width="{WIDTH_PX}" '
        f'height="{height:.0f}" role="img" aria-label="{says}"><title>{says}</title>'
        f"<style>{style_of(look)}</style>{box(0, 0, WIDTH_PX, height, 'ground')}{''.join(parts)}</svg>\n"
    )


def _head(figures: ScanFigures) -> Iterator[str]:
    yield text(28, 42, f"{figures.scan_id}: where the time went", "title")
    each_s, floor_s = figures.seconds / figures.photos, figures.floor_s / figures.photos
    facts = [
        f"{figures.photos} photos in {figures.seconds:.1f} s",
        f"{each_s:.3f} s a photo, motor and sensor need {floor_s:.3f} s",
        f"{figures.ratio:.2f} times that",
    ]
    yield text(28, 66, "  ·  ".join(facts), "muted")
    yield text(RIGHT_PX, 66, "below: medians" if figures.photos > 1 else "", "muted small end")
    slot_px = min(LEGEND_PX, (WIDTH_PX - 28) / len(figures.stages))
    for number, stage in enumerate(figures.stages):
        x = 28 + number * slot_px
        says = f"{stage.stage} {_brief(stage.median_s)}"
        yield box(x, 83, 12, 12, f"s-{stage.stage}")
        yield text(x + 17, 94, says, "key")


def _close_up(timing: ScanTiming, y: float) -> tuple[list[str], float]:
    """Return a few photos from the middle of the longest run, and where they end."""
    photos = _middle_of_longest_run(timing)
    begins_s = min(photo.began_s for photo in photos)
    ends_s = max(photo.taken_s for photo in photos)
    scale = (RIGHT_PX - LEFT_PX) / max(ends_s - begins_s, 1e-3)

    def x_of(at_s: float) -> float:
        return min(max(LEFT_PX + (at_s - begins_s) * scale, LEFT_PX), RIGHT_PX)

    shown = f"photos {photos[0].index} to {photos[-1].index}" if len(photos) > 1 else f"photo {photos[0].index}"
    parts = [text(28, y + 18, f"Close up: {shown}", "head")]
    top = y + 50
    lanes = _lanes_shown(timing)
    bottom = top + len(lanes) * (LANE_PX + LANE_GAP_PX)
    for number, lane in enumerate(lanes):
        lane_y = top + number * (LANE_PX + LANE_GAP_PX)
        parts += [box(LEFT_PX, lane_y, RIGHT_PX - LEFT_PX, LANE_PX, "band"), text(28, lane_y + 18, lane)]
    for photo in photos:
        x = x_of(photo.began_s)
        parts += [line(x, top - 8, x, bottom), text(x + 4, top - 9, str(photo.index), "muted small")]
    for photo in timing.photos:
        if photo.run == photos[0].run and photo.ended_s > begins_s and photo.began_s < ends_s:
            for number, lane in enumerate(lanes):
                lane_y = top + number * (LANE_PX + LANE_GAP_PX)
                for span in photo.spans:
                    if span.stage in LANES[lane] and span.ended_s > begins_s and span.began_s < ends_s:
                        x = x_of(span.began_s)
                        parts.append(
                            box(
                                x,
                                lane_y,
                                x_of(span.ended_s) - x,
                                LANE_PX,
                                f"s-{span.stage}",
                                _says(photo, span.stage),
                            )
                        )
    ticks = ticks_s(ends_s - begins_s, 10)
    return parts + _axis(ticks, x_of(begins_s), scale, bottom, bottom + 4), bottom + 34


def _rows(timing: ScanTiming, figures: ScanFigures, y: float) -> tuple[list[str], float]:
    """Return a row for each photo from its own beginning on, and the height of the whole picture."""
    lengths_s = [photo.ended_s - photo.began_s for photo in timing.photos]
    longest_s = min(max(lengths_s), LONG * quantile(lengths_s, 0.9))
    scale = (RIGHT_PX - LEFT_PX) / longest_s
    row_px = min(max(ROWS_PX / len(lengths_s), LOWEST_ROW_PX), HIGHEST_ROW_PX)
    top = y + 46
    bottom = top + row_px * len(lengths_s)
    parts = [
        text(28, y + 18, "Photo by photo, each from the moment its table set out", "head"),
        text(28, y + 36, _row_legend(timing), "muted small"),
    ]
    ticks = ticks_s(longest_s, 12)
    parts += [line(LEFT_PX + tick * scale, top, LEFT_PX + tick * scale, bottom) for tick in ticks]
    every = max(1, round(LABEL_EVERY_PX / row_px)) if row_px < HIGHEST_ROW_PX else 1
    for row, photo in enumerate(timing.photos):
        row_y = top + row * row_px
        if row % every == 0:
            parts.append(text(LEFT_PX - 8, row_y + row_px / 2 + 4, str(photo.index), "muted small end"))
        parts += _row(photo, row_y, row_px, scale, behind=timing.overlapped)
    parts += _axis(ticks, LEFT_PX, scale, bottom, bottom + 4)
    return parts, bottom + 52


def _row(photo: PhotoTiming, y: float, height: float, scale: float, *, behind: bool) -> Iterator[str]:
    """`behind`: what comes after the photo happens while the table moves on, and is drawn thin."""
    gap = 1.5 if height > 5 else 0.4
    for span in photo.spans:
        x = LEFT_PX + (span.began_s - photo.began_s) * scale
        end = min(LEFT_PX + (span.ended_s - photo.began_s) * scale, RIGHT_PX)
        if x < RIGHT_PX:
            thin = height / 4 if behind and span.stage in BEHIND else 0.0
            yield box(
                x, y + gap / 2 + thin, end - x, height - gap - 2 * thin, f"s-{span.stage}", _says(photo, span.stage)
            )
    floor_x = LEFT_PX + (photo.seconds("wait") + photo.floor_s) * scale
    if LEFT_PX < floor_x < RIGHT_PX:
        yield line(floor_x, y, floor_x, y + height, "strong")
    whole_s = photo.ended_s - photo.began_s
    if whole_s * scale > RIGHT_PX - LEFT_PX + 1:
        yield text(RIGHT_PX + 4, y + height / 2 + 4, f"{whole_s:.1f} s", "small")
    elif photo.attempt > 1:
        x = LEFT_PX + whole_s * scale + 6
        yield text(x, y + height / 2 + 4, f"attempt {photo.attempt}", "muted small")


def _row_legend(timing: ScanTiming) -> str:
    floor = "The upright line is what motor and sensor need at the least"
    if timing.overlapped:
        return f"{floor}. Thin bars: what happens to the photo while the table moves on."
    return f"{floor}. The journal tells how long steps took, not when: they are drawn one after the other."


def _axis(ticks: list[float], x: float, scale: float, y: float, tick_y: float) -> list[str]:
    step_s = ticks[1] if len(ticks) > 1 else max(ticks[0], 1.0)
    parts = [line(x, y, RIGHT_PX, y)]
    for tick in ticks:
        at = x + tick * scale
        parts += [line(at, y, at, tick_y), text(at, tick_y + 14, tick_text(tick, step_s), "muted small middle")]
    return [*parts, text(x - 64, tick_y + 14, "seconds", "muted small")]


def _middle_of_longest_run(timing: ScanTiming) -> list[PhotoTiming]:
    runs = {photo.run for photo in timing.photos}
    longest = max(([photo for photo in timing.photos if photo.run == run] for run in runs), key=len)
    in_order = sorted(longest, key=lambda photo: photo.began_s)
    first = max(0, len(in_order) // 2 - CLOSE_UP_PHOTOS // 2)
    return in_order[first : first + CLOSE_UP_PHOTOS]


def _lanes_shown(timing: ScanTiming) -> list[str]:
    there = {span.stage for photo in timing.photos for span in photo.spans}
    return [lane for lane, stages in LANES.items() if there.intersection(stages)]


def _says(photo: PhotoTiming, stage: str) -> str:
    seconds = next(span.seconds for span in photo.spans if span.stage == stage)
    return f"photo {photo.index} at {photo.angle_deg:.2f}°: {stage} {seconds * 1000:.1f} ms"


def _brief(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"
