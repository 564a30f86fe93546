"""What is known of the room, from each place where the camera stood: one that was bumped shows it otherwise."""

from dataclasses import dataclass, field

from scannerd.quality.camera_stand import Stand
from scannerd.quality.silhouette import Silhouette

MOST_ROOMS = 4
"""Of those that are seldom seen, the oldest is forgotten."""
PHOTOS_TO_STAND = 3
"""From so many photos on, this is where the camera stands."""


@dataclass(eq=False)
class Room:
    """The room from one place."""

    number: int
    stand: Stand | None
    """None while too little of a mat was read to know."""
    has_mat: bool
    """Whether any of a mat was read."""
    silhouette: Silhouette = field(default_factory=Silhouette)
    photos: int = 0


class Rooms:
    """Of one ring."""

    def __init__(self) -> None:
        self._rooms: list[Room] = []
        self._made = 0

    @property
    def usual(self) -> Room | None:
        """Where most photos were taken from, the latest of several; None before the first was learnt."""
        return max(reversed(self._rooms), key=lambda room: room.photos, default=None)

    def seen_from(self, stand: Stand | None, *, has_mat: bool) -> Room:
        """Return the room as it is seen from there; a new one when nothing was learnt from there before.

        Where no stand can be told, the camera is believed to be where it usually is.
        """
        usual = self.usual
        if usual is None:
            return Room(self._made, stand, has_mat)
        if stand is None:
            return usual
        for room in self._rooms:
            if room.stand is not None and stand.is_that_of(room.stand):
                return room
        is_first_stand = usual.stand is None and (usual.has_mat or usual.photos >= PHOTOS_TO_STAND)
        return usual if is_first_stand else Room(self._made, stand, has_mat)

    def off_mm(self, room: Room, stand: Stand | None) -> float:
        """Return how far off the camera is that sees this room, once it is known where it usually stands."""
        usual = self.usual
        if usual is None or usual is room or usual.photos < PHOTOS_TO_STAND:
            return 0.0
        return stand.out_of_place_mm(usual.stand) if stand is not None and usual.stand is not None else 0.0

    def learn(self, room: Room, stand: Stand | None, *, has_mat: bool) -> None:
        """One more photo was taken from there. What moves little by little is followed."""
        if room not in self._rooms:
            self._made += 1
            self._rooms.append(room)
        room.photos += 1
        room.has_mat = room.has_mat or has_mat
        room.stand = stand if stand is not None else room.stand
        if len(self._rooms) > MOST_ROOMS:
            self._rooms.remove(min(self._rooms[:-1], key=lambda each: each.photos))
