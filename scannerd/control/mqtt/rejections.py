"""What is said about messages that never became a command."""

from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from scannerd.control.messages import AnswerMessage, CommandId, EventMessage
from scannerd.requests import AnswerStatus

MOST_FAULTS = 4
LONGEST_REASON = 400
_COMMAND_ID: TypeAdapter[str] = TypeAdapter(CommandId)


def id_in(payload: bytes) -> str | None:
    """Return the command's id, if there is one to be read in a message that is wrong otherwise."""
    try:
        said = from_json(payload)
        return _COMMAND_ID.validate_python(said["command_id"]) if isinstance(said, dict) else None
    except (ValueError, KeyError):
        return None


def faults_in(error: ValidationError) -> str:
    """Tell what is wrong with a message, in one line that has an end."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    told = [": ".join((*(str(part) for part in fault["loc"]), fault["msg"])) for fault in faults[:MOST_FAULTS]]
    more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
    return ("; ".join(told) + more)[:LONGEST_REASON]


def refusal(command_id: str, reason: str) -> AnswerMessage:
    """Answer a command that was not handed in."""
    return AnswerMessage(command_id=command_id, status=AnswerStatus.REFUSED, reason=reason)


def rejection(topic: str, reason: str, seq: int, dropped: int = 0) -> EventMessage:
    """Tell everybody of a message that nobody can be answered for; `seq` is the latest event's."""
    data = {"topic": topic[:200], "reason": reason, "dropped": dropped}
    return EventMessage(seq=seq, at=datetime.now(UTC), type="command_rejected", data=data)
