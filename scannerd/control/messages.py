"""Commands as they come in and what goes out, as JSON: the one form that REST, MQTT and the page share."""

import re
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from offload.wire.base import ScanId
from scannerd import commands
from scannerd.board.state import Shown
from scannerd.commands import Quality, RawPhotos
from scannerd.config_light import COLOUR
from scannerd.event_bus import Numbered
from scannerd.requests import Answer, AnswerStatus, Request, new_command_id

CommandId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._:-]{0,63}$")]
"""Chosen by the sender, a new one for each command; a repeat of it is the same command."""


class ScanWishes(BaseModel):
    """How a scan shall be; what is left out is as configured."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    views: int | None = Field(default=None, ge=3, le=720, description="Photos in one ring.")
    rings: int | None = Field(default=None, ge=1, le=6, description="Turns, each with the camera at another height.")
    quality: Quality | None = None
    ring_views: tuple[Annotated[int, Field(ge=3, le=720)], ...] | None = Field(
        default=None, max_length=6, description="Photos in each ring, where they differ."
    )
    ring_elevations_deg: tuple[Annotated[float, Field(ge=-10, le=90)], ...] | None = Field(
        default=None, max_length=6, description="Where the camera stands for each ring, above the platter."
    )
    sides: int | None = Field(default=None, ge=1, le=4, description="How often the object is laid down.")
    repeats: int | None = Field(default=None, ge=1, le=10, description="Equal photos from each place.")
    exposure_bracket: int | None = Field(default=None, ge=1, le=7, description="Different exposures from each place.")
    exposure_step_ev: float | None = Field(default=None, ge=0.1, le=2)
    focus_bracket: int | None = Field(default=None, ge=1, le=9, description="Different focus from each place.")
    focus_step_dioptres: float | None = Field(default=None, ge=0.01, le=2)
    raw: RawPhotos | None = Field(
        default=None, description="A raw file (DNG) of every photo, too, and where it goes."
    )
    light_level: float | None = Field(default=None, ge=0, le=1)
    light_colour: str | None = Field(
        default=None, pattern=COLOUR, description="#rrggbb, linear in light, of a light that has colours."
    )

    def wishes(self) -> commands.Wishes:
        """Return what the daemon understands."""
        return commands.Wishes(**self._chosen())

    def _chosen(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ScanWishes.model_fields}


class _Message(BaseModel):
    """What every command may carry."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    command_id: CommandId | None = None
    """Without one the command is not protected against being delivered twice."""
    expires_at: AwareDatetime | None = None
    """Later than this nobody wants it any more."""


class _AboutScan(_Message):
    scan_id: ScanId | None = None
    """Left out: the scan that runs."""


class Start(ScanWishes, _Message):
    """Begin a scan."""

    command: Literal["start"]
    scan_id: ScanId | None = None

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.StartScan(self.scan_id, **self._chosen())


class ResumeUnfinished(_Message):
    """Go on with a scan that was interrupted."""

    command: Literal["resume_scan"]
    scan_id: ScanId

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.ResumeScan(self.scan_id)


class Pause(_AboutScan):
    """Wait before the next photo."""

    command: Literal["pause"]

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.Pause(self.scan_id)


class Resume(_AboutScan):
    """Go on after a pause, a question or a fault."""

    command: Literal["resume"]

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.Resume(self.scan_id)


class Cancel(_AboutScan):
    """End the scan before the next photo."""

    command: Literal["cancel"]

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.Cancel(self.scan_id)


class Retake(_AboutScan):
    """Take one photo again."""

    command: Literal["retake"]
    index: int = Field(ge=0, le=100_000)

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.Retake(self.index, self.scan_id)


class MorePhotos(BaseModel):
    """Which photos to add to a scan; nothing given takes what its coverage proposes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    views: int | None = Field(default=None, ge=3, le=720, description="So many evenly once round.")
    angles_deg: tuple[Annotated[float, Field(ge=-36_000, le=36_000)], ...] | None = Field(
        default=None, min_length=1, max_length=720, description="Of the platter, where just these are wanted."
    )
    ring: int | None = Field(default=None, ge=0, le=5, description="Counted from 0; left out: the last one.")
    elevation_deg: float | None = Field(
        default=None, ge=-10, le=90, description="Of the camera; another one than the rings have is a new ring."
    )
    turn_over: bool = Field(default=False, description="After the object was turned over.")

    def extension(self, scan_id: str | None) -> commands.ExtendScan:
        """Return what the daemon understands."""
        return commands.ExtendScan(scan_id, **{name: getattr(self, name) for name in MorePhotos.model_fields})


class Extend(MorePhotos, _AboutScan):
    """Add photos to a scan that is not complete yet."""

    command: Literal["extend"]

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return self.extension(self.scan_id)


class Stop(_Message):
    """Stop everything now."""

    command: Literal["stop"]

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.Stop()


class Home(_Message):
    """Make the present position angle 0."""

    command: Literal["home"]

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.Home()


class Jog(_Message):
    """Turn the platter a little."""

    command: Literal["jog"]
    delta_deg: float = Field(ge=-360, le=360)

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.Jog(self.delta_deg)


class Light(_Message):
    """Make the light brighter or darker, or of another colour."""

    command: Literal["light"]
    level: float | None = Field(
        default=None, ge=0, le=1, description="As it shines when left out, or as configured where it is off."
    )
    colour: str | None = Field(default=None, pattern=COLOUR, description="#rrggbb; as it is when left out.")

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.SetLight(self.level, self.colour)


class Background(_Message):
    """Photograph the empty turntable."""

    command: Literal["background"]

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.CaptureBackground()


class Delete(_Message):
    """Put a scan into the trash."""

    command: Literal["delete"]
    scan_id: ScanId

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.DeleteScan(self.scan_id)


class Restore(_Message):
    """Fetch a scan back from the trash."""

    command: Literal["restore"]
    scan_id: ScanId

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.RestoreScan(self.scan_id)


class SendFirst(_Message):
    """Have a scan carried to the service before all others."""

    command: Literal["send_first"]
    scan_id: ScanId

    def order(self) -> commands.Command:
        """Return what the daemon understands."""
        return commands.SendFirst(self.scan_id)


CommandMessage = Annotated[
    Start
    | ResumeUnfinished
    | Pause
    | Resume
    | Cancel
    | Retake
    | Extend
    | Stop
    | Home
    | Jog
    | Light
    | Background
    | Delete
    | Restore
    | SendFirst,
    Field(discriminator="command"),
]
"""One command; `command` says which."""

COMMAND_MESSAGES: TypeAdapter[CommandMessage] = TypeAdapter(CommandMessage)
"""Reads and checks one: `COMMAND_MESSAGES.validate_json(payload)`."""


def request_of(message: CommandMessage, source: str) -> Request:
    """Return the request that a message makes at the front door `source`."""
    return Request(message.order(), message.command_id or new_command_id(), source, message.expires_at)


class AnswerMessage(Shown):
    """The answer to one command."""

    command_id: str
    status: AnswerStatus
    scan_id: str | None = None
    reason: str | None = None
    repeated: bool = False

    @classmethod
    def of(cls, answer: Answer) -> "AnswerMessage":
        """Say the same as JSON."""
        return cls(**{name: value for name, value in asdict(answer).items() if name in cls.model_fields})


class EventMessage(Shown):
    """Something that happened."""

    seq: int
    at: datetime
    type: str
    """The event's name: frame_stored, scan_ended, …"""
    data: dict[str, Any]

    @classmethod
    def of(cls, numbered: Numbered) -> "EventMessage":
        """Say the same as JSON."""
        event = numbered.event
        data = {name: _plain(getattr(event, name)) for name in event.__dataclass_fields__}
        return cls(seq=numbered.seq, at=numbered.at, type=event_name(type(event)), data=data)


def event_name(kind: type) -> str:
    """Return how an event is called outside: FrameStored is frame_stored."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _plain(value: object) -> Any:
    """Return a value as JSON has it; paths of the device stay inside."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value
