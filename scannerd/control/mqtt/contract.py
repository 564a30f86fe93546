"""All topics and messages as an AsyncAPI 3 document, made from the types that the door itself uses.

Only scripts/docs and the tests load this. https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from dataclasses import dataclass, field

from scannerd.control.mqtt.contract_schemas import SCHEMAS, Json, schemas
from scannerd.control.mqtt.inbox import LARGEST_PAYLOAD_BYTES, PRESSES
from scannerd.control.mqtt.options import NUMBERS, WORDS
from scannerd.control.mqtt.preview import LARGEST_PREVIEW_BYTES
from scannerd.control.mqtt.topics import Topics

CONTRACT_VERSION = "1.0.0"
"""Grows when a message changes its meaning."""
_TOPICS = Topics("{prefix}", "{device}")


@dataclass(frozen=True)
class Channel:
    """One topic as others see it."""

    name: str
    address: str
    says: str
    payload: Json
    incoming: bool = False
    """Others send, the scanner listens."""
    retained: bool = False
    qos: int = 1
    content_type: str = "application/json"
    headers: Json | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    """Beside prefix and device: what stands in for it."""


def document() -> Json:
    """Return the document."""
    channels = _channels()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "scannerd over MQTT",
            "version": CONTRACT_VERSION,
            "description": "A turntable scanner that is commanded and followed through a broker. Home Assistant's "
            "own messages are not part of it: they are described at "
            "https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"broker": _server()},
        "channels": {channel.name: _channel(channel) for channel in channels},
        "operations": {_operation_name(channel): _operation(channel) for channel in channels},
        "components": {
            "messages": {channel.name: _message(channel) for channel in channels},
            "schemas": schemas(),
            "securitySchemes": {"password": {"type": "userPassword", "description": "as the broker knows its users"}},
        },
    }


def _channels() -> list[Channel]:
    scan = {"scan_id": "name of the scan"}
    command_id = {"command_id": "id of the command, chosen by its sender"}
    word: Json = {"type": "string"}
    return [
        Channel(
            "command",
            _TOPICS.command,
            "A command. Give it a command_id of its own, and expires_at if it may wait; never retain it. At most "
            f"{LARGEST_PAYLOAD_BYTES} bytes.",
            {"$ref": SCHEMAS + "Command"},
            incoming=True,
            headers=_request_headers(),
        ),
        Channel(
            "press",
            _TOPICS.press,
            "A button on a dashboard: one word, no id. The same word again within two seconds counts as one press.",
            word | {"enum": list(PRESSES)},
            incoming=True,
            content_type="text/plain",
        ),
        Channel(
            "option",
            _TOPICS.option("{option}"),
            "What the next press of start asks for, as text.",
            word | {"examples": ["36", "2", "fine", "device"]},
            incoming=True,
            content_type="text/plain",
            parameters={"option": ", ".join((*NUMBERS, *WORDS))},
        ),
        Channel(
            "previewWanted",
            _TOPICS.preview_wanted,
            "Whatever is sent here asks for one picture.",
            word,
            incoming=True,
            qos=0,
            content_type="text/plain",
        ),
        Channel(
            "reply",
            _TOPICS.reply("{command_id}"),
            "The answer to one command. It goes to the command's response topic too, which is one below reply/.",
            {"$ref": SCHEMAS + "AnswerMessage"},
            headers=_answer_headers(),
            parameters=command_id,
        ),
        Channel(
            "state",
            _TOPICS.state,
            "Everything at a glance, at most twice a second.",
            {"$ref": SCHEMAS + "DeviceState"},
            retained=True,
        ),
        Channel(
            "progress",
            _TOPICS.progress("{scan_id}"),
            "How far one scan is, for the latest scans; taken away when the scan is deleted.",
            {"$ref": SCHEMAS + "ScanProgress"},
            retained=True,
            parameters=scan,
        ),
        Channel(
            "options",
            _TOPICS.options,
            "What the next press of start asks for.",
            {"$ref": SCHEMAS + "ScanOptions"},
            retained=True,
        ),
        Channel("event", _TOPICS.event, "What happened.", {"$ref": SCHEMAS + "EventMessage"}),
        Channel(
            "preview",
            _TOPICS.preview,
            f"What the camera sees, at most {LARGEST_PREVIEW_BYTES} bytes: at each photo of a scan, once a "
            "second at most, and when it is wanted.",
            word | {"contentMediaType": "image/jpeg"},
            qos=0,
            content_type="image/jpeg",
        ),
        Channel(
            "previewOfCamera",
            _TOPICS.preview_of("{camera}"),
            f"What a further camera sees, at most {LARGEST_PREVIEW_BYTES} bytes, whenever preview shows the first.",
            word | {"contentMediaType": "image/jpeg"},
            qos=0,
            content_type="image/jpeg",
            parameters={"camera": "name of a further camera in [[cameras]]"},
        ),
        Channel(
            "availability",
            _TOPICS.availability,
            "Whether the scanner is there; offline is its last will too.",
            word | {"enum": ["online", "offline"]},
            retained=True,
            content_type="text/plain",
        ),
        Channel(
            "marker",
            _TOPICS.marker,
            "What the scanner says to itself: commands that come before it may have waited.",
            word | {"pattern": "^[0-9a-f]{16}$"},
            content_type="text/plain",
        ),
    ]


def _server() -> Json:
    return {
        "host": "{host}:{port}",
        "protocol": "mqtt",
        "protocolVersion": "5",
        "description": "[mqtt] host, port and tls of config.toml. The scanner keeps a session of 24 h.",
        "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "1883"}},
        "security": [{"$ref": "#/components/securitySchemes/password"}],
    }


def _channel(channel: Channel) -> Json:
    parameters = {"prefix": "[mqtt] topic_prefix", "device": "[device] name in small letters, digits and hyphens"}
    return {
        "address": channel.address,
        "description": channel.says,
        "messages": {channel.name: {"$ref": f"#/components/messages/{channel.name}"}},
        "parameters": {name: {"description": says} for name, says in (parameters | channel.parameters).items()},
    }


def _operation_name(channel: Channel) -> str:
    name = channel.name[0].upper() + channel.name[1:]
    return f"receive{name}" if channel.incoming else f"send{name}"


def _operation(channel: Channel) -> Json:
    operation: Json = {
        "action": "receive" if channel.incoming else "send",
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": channel.says,
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{channel.name}"}],
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retained}},
    }
    if channel.name == "command":
        operation["reply"] = {
            "address": {
                "location": "$message.header#/responseTopic",
                "description": "one below {prefix}/{device}/reply/; without it the answer is on reply/{command_id}",
            },
            "channel": {"$ref": "#/channels/reply"},
            "messages": [{"$ref": "#/channels/reply/messages/reply"}],
        }
    return operation


def _message(channel: Channel) -> Json:
    message: Json = {
        "name": channel.name,
        "summary": channel.says,
        "contentType": channel.content_type,
        "payload": channel.payload,
    }
    if channel.headers is not None:
        message["headers"] = channel.headers
        message["correlationId"] = {"location": "$message.header#/correlationData"}
    return message


def _request_headers() -> Json:
    return {
        "type": "object",
        "description": "properties of MQTT 5",
        "properties": {
            "responseTopic": {"type": "string", "description": "where the answer is to go"},
            "correlationData": {"type": "string", "description": "comes back with the answer, byte for byte"},
            "messageExpiryInterval": {"type": "integer", "description": "seconds that the broker keeps it"},
        },
    }


def _answer_headers() -> Json:
    return {
        "type": "object",
        "description": "properties of MQTT 5",
        "properties": {"correlationData": {"type": "string", "description": "as the command had it"}},
    }
