"""The messages' schemas, made from the types that the door itself uses."""

from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from scannerd.board.state import DeviceState
from scannerd.control.messages import COMMAND_MESSAGES, AnswerMessage, event_name
from scannerd.control.mqtt.options import ScanOptions
from scannerd.control.mqtt.progress import ScanProgress
from scannerd.events import Event

Json = dict[str, Any]
SCHEMAS = "#/components/schemas/"


def schemas() -> Json:
    """Return all schemas by their names."""
    models: list[type[BaseModel]] = [AnswerMessage, DeviceState, ScanProgress, ScanOptions]
    _, shown = models_json_schema([(model, "serialization") for model in models], ref_template=SCHEMAS + "{model}")
    found: Json = dict(shown["$defs"])
    found["Command"] = _lifted(COMMAND_MESSAGES.json_schema(ref_template=SCHEMAS + "{model}"), found)
    kinds = {event_name(kind): _event_data(kind, found) for kind in get_args(Event)}
    kinds["command_rejected"] = _rejected_data()
    found["EventMessage"] = {
        "description": "Something that happened; `type` says what, `data` holds what belongs to it.",
        "oneOf": [_event(name, data) for name, data in kinds.items()],
    }
    return dict(sorted((name, _plain(schema)) for name, schema in found.items()))


def _event_data(kind: type, found: Json) -> Json:
    data = TypeAdapter(kind).json_schema(mode="serialization", ref_template=SCHEMAS + "{model}")
    return _lifted(data, found) | {"additionalProperties": False}


def _rejected_data() -> Json:
    return {
        "description": "A message that is no command, or that came too late, twice or too fast, and had no id.",
        "type": "object",
        "properties": {
            "topic": {"type": "string"},
            "reason": {"type": "string", "description": "for people"},
            "dropped": {"type": "integer", "description": "so many messages were not even looked at"},
        },
        "required": ["topic", "reason", "dropped"],
        "additionalProperties": False,
    }


def _event(name: str, data: Json) -> Json:
    return {
        "title": name,
        "type": "object",
        "properties": {
            "seq": {
                "type": "integer",
                "description": "1, 2, 3 … since the start; of a rejection: that of the latest event",
            },
            "at": {"type": "string", "format": "date-time"},
            "type": {"const": name},
            "data": data,
        },
        "required": ["seq", "at", "type", "data"],
        "additionalProperties": False,
    }


def _lifted(schema: Json, found: Json) -> Json:
    """Move a schema's own definitions to the others."""
    found.update(schema.pop("$defs", {}))
    return schema


def _plain(schema: Any) -> Any:
    """Return a schema as AsyncAPI has it: the discriminator is a name, and titles that repeat one are left out."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(part) for name, part in schema.items()}
    if isinstance(plain.get("discriminator"), dict) and "propertyName" in plain["discriminator"]:
        plain["discriminator"] = plain["discriminator"]["propertyName"]
    for part in plain.get("properties", {}).values():
        if isinstance(part, dict):
            part.pop("title", None)
    return plain
