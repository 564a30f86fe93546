"""A person holds the board before the camera; whenever it rests and shows something new, a photo is taken."""

from collections.abc import Callable

from drivers.protocols import Camera, Clock
from offload.geometry.lens import Lens
from offload.geometry.mat_board import MatBoard
from scannerd.calibration.board_view import BoardView, view_of
from scannerd.calibration.guide import CoverageGuide

REST_SHARE = 0.0015
"""Of the photo's width: corners that moved less from one look to the next rest, within what small pictures tell."""
RESTING_LOOKS = 3
LEAST_LOOKS = 10
"""Who has looked less often, as a machine with much else to do, does not know yet that nothing new is shown."""
MOVED_SHARE = 0.006
"""Between the last look and the photo; more, and it was taken while the board moved on."""


class Hand:
    """Whether the board is held still."""

    def __init__(self, width_px: int) -> None:
        self._limit_px = REST_SHARE * width_px
        self._before: BoardView | None = None
        self._still = 0

    def rests(self, view: BoardView | None) -> bool:
        """Take another look."""
        moved_px = view.moved_px(self._before) if view is not None and self._before is not None else None
        self._still = self._still + 1 if moved_px is not None and moved_px <= self._limit_px else 0
        self._before = view
        return self._still >= RESTING_LOOKS - 1


async def shown_views(
    camera: Camera, clock: Clock, board: MatBoard, lens: Lens, give_up_s: float, say: Callable[[str], None]
) -> CoverageGuide:
    """Return what was shown once nothing is missing, or once nothing new came for so long and several looks.

    `lens` is roughly what takes the photos. Raises DriverError. Cancelling leaves the camera as it was.
    """
    guide, hand = CoverageGuide(lens.width_px, lens.height_px), Hand(lens.width_px)
    said = _tell(guide, "", say)
    last_new_s, looks = clock.now_s(), 0
    while guide.missing() and (clock.now_s() - last_new_s < give_up_s or looks < LEAST_LOOKS):
        looks += 1
        view = view_of(board, (await camera.glimpse()).picture.y, lens)
        if view is None or not hand.rests(view) or not guide.is_new(view):
            continue
        photo = view_of(board, (await camera.capture()).photo.y, lens)
        moved_px = photo.moved_px(view) if photo is not None else None
        if photo is None or moved_px is None or moved_px > MOVED_SHARE * lens.width_px or not guide.is_new(photo):
            continue
        guide.add(photo)
        last_new_s, looks = clock.now_s(), 0
        said = _tell(guide, said, say)
    return guide


def _tell(guide: CoverageGuide, said: str, say: Callable[[str], None]) -> str:
    missing = guide.missing()
    wish = f"hold the board {missing[0]}" if missing else "that is enough"
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    line = f"{len(guide.views):3d} views; {wish}{more}"
    if line != said:
        say(line)
    return line
