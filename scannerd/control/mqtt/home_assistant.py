"""What Home Assistant is told, so that the scanner appears on its dashboards without any configuration.

One retained message describes the device and all its entities ("device discovery", Home Assistant 2024.11 and later:
https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload).
"""

import ipaddress
import json
import socket
from enum import StrEnum
from typing import Any

from offload.wire.link import Hitch
from scannerd import __version__
from scannerd.board.state import Leg, Mood
from scannerd.commands import Quality, RawPhotos
from scannerd.control.mqtt.home_assistant_light import light_entity
from scannerd.control.mqtt.outbox import Outgoing
from scannerd.control.mqtt.topics import Topics
from scannerd.control.scanner import Scanner

Entity = dict[str, Any]

_BUTTONS = {
    "start": ("Start", "mdi:play"),
    "pause": ("Pause", "mdi:pause"),
    "resume": ("Resume", "mdi:play-pause"),
    "cancel": ("Cancel", "mdi:stop"),
    "home": ("Set home", "mdi:home"),
    "background": ("Photograph background", "mdi:image-outline"),
}


_COUNTS = {
    "rings": ("Rings", 6),
    "sides": ("Sides", 4),
    "repeats": ("Repeats", 10),
    "exposure_bracket": ("Exposures", 7),
    "focus_bracket": ("Focus steps", 9),
}
"""Options of the next scan: their names and the most that may be chosen."""


class Announcement:
    """The scanner as Home Assistant sees it."""

    def __init__(self, scanner: Scanner, topics: Topics) -> None:
        self._scanner = scanner
        self._topics = topics
        self._prefix = scanner.config.mqtt.home_assistant_prefix.strip("/")
        self.wanted = scanner.config.mqtt.home_assistant
        self.device_id = f"{topics.prefix}_{topics.slug}"

    @property
    def topic(self) -> str:
        """Where Home Assistant looks for devices."""
        return f"{self._prefix}/device/{self.device_id}/config"

    @property
    def status_topic(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self._prefix}/status"

    def message(self, local_address: str | None) -> Outgoing:
        """Announce the scanner, or take an earlier announcement back when the configuration says so."""
        payload = json.dumps(self.device(local_address), ensure_ascii=False).encode() if self.wanted else b""
        return Outgoing(self.topic, payload, retain=True)

    def device(self, local_address: str | None) -> dict[str, Any]:
        """Return the whole description."""
        topics, config = self._topics, self._scanner.config
        device = {
            "identifiers": [self.device_id],
            "name": config.device.name,
            "manufacturer": "scannerd",
            "model": "turntable scanner",
            "sw_version": __version__,
        }
        url = self._page(local_address)
        return {
            "device": device | ({"configuration_url": url} if url else {}),
            "origin": {"name": "scannerd", "sw_version": __version__},
            "availability_topic": topics.availability,
            "payload_available": "online",
            "payload_not_available": "offline",
            "qos": 1,
            "components": {name: self._complete(name, entity) for name, entity in self._entities().items()},
        }

    def _page(self, local_address: str | None) -> str | None:
        """Return where this scanner's page is, for this network; None when nobody else can reach it."""
        web = self._scanner.config.web
        if not web.enabled or web.port == 0 or _is_loopback(web.address):
            return None
        host = local_address if local_address and not _is_loopback(local_address) else f"{socket.gethostname()}.local"
        return f"http://[{host}]:{web.port}/" if ":" in host else f"http://{host}:{web.port}/"

    def _complete(self, name: str, entity: Entity) -> Entity:
        """The device's qos is documented to hold for all; some versions of Home Assistant want it said of each."""
        return entity | {"unique_id": f"{self.device_id}_{name}"} | ({"qos": 1} if "command_topic" in entity else {})

    def _entities(self) -> dict[str, Entity]:
        return {
            **{word: self._button(word) for word in _BUTTONS},
            "mood": self._sensor(
                "State",
                "{{ value_json.mood }}",
                device_class="enum",
                options=[mood.value for mood in Mood],
                icon="mdi:rotate-3d",
            ),
            "phase": self._sensor(
                "Step", "{{ value_json.phase }}", icon="mdi:state-machine", entity_category="diagnostic"
            ),
            **self._scan_sensors(),
            **self._upload_sensors(),
            "disk_free": self._sensor(
                "Disk free",
                "{{ value_json.disk.free_mb if value_json.disk else none }}",
                device_class="data_size",
                unit_of_measurement="MB",
                state_class="measurement",
                entity_category="diagnostic",
            ),
            "fault_text": self._sensor(
                "Fault text",
                "{{ (value_json.fault or (value_json.scan.question if value_json.scan else none) or 'none')[:250] }}",
                icon="mdi:message-alert",
            ),
            "fault": self._binary("Fault", "{{ 'ON' if value_json.mood == 'fault' else 'OFF' }}"),
            "asking": self._binary("Needs a look", "{{ 'ON' if value_json.mood == 'asking' else 'OFF' }}"),
            **self._options(),
            **self._light(),
            "camera": {"platform": "camera", "name": "Preview", "topic": self._topics.preview},
            **self._further_cameras(),
        }

    def _further_cameras(self) -> dict[str, Entity]:
        return {
            f"camera_{name}": {
                "platform": "camera",
                "name": f"Preview {name}",
                "topic": self._topics.preview_of(name),
            }
            for name in self._scanner.config.camera_names[1:]
        }

    def _scan_sensors(self) -> dict[str, Entity]:
        return {
            "scan": self._sensor("Scan", _of_scan("scan_id"), icon="mdi:cube-scan"),
            "progress": self._sensor(
                "Progress",
                _of_scan("percent"),
                unit_of_measurement="%",
                state_class="measurement",
                icon="mdi:progress-check",
            ),
            "frames": self._sensor(
                "Photos taken", _of_scan("frames_done"), icon="mdi:camera", state_class="measurement"
            ),
            "frames_planned": self._sensor("Photos planned", _of_scan("frames_planned"), icon="mdi:camera-burst"),
            "remaining": self._sensor(
                "Time left", _of_scan("remaining_s"), device_class="duration", unit_of_measurement="s"
            ),
        }

    def _upload_sensors(self) -> dict[str, Entity]:
        legs = [leg.value for leg in Leg]
        return {
            "upload": self._sensor(
                "Upload",
                "{{ value_json.uploads[-1].leg if value_json.uploads else 'idle' }}",
                device_class="enum",
                options=["idle", *legs],
                icon="mdi:cloud-upload",
            ),
            "upload_percent": self._sensor(
                "Upload progress",
                "{{ value_json.uploads[-1].percent if value_json.uploads else none }}",
                unit_of_measurement="%",
                state_class="measurement",
                icon="mdi:cloud-percent",
            ),
            "upload_rate": self._sensor(
                "Upload rate",
                "{{ value_json.link.rate_bytes_s if value_json.link else none }}",
                unit_of_measurement="B/s",
                state_class="measurement",
                icon="mdi:cloud-arrow-up",
            ),
            "upload_remaining": self._sensor(
                "Upload time left",
                "{{ value_json.link.remaining_s if value_json.link else none }}",
                device_class="duration",
                unit_of_measurement="s",
            ),
            "upload_waits": self._sensor(
                "Upload waits",
                "{{ value_json.link.waits.hitch if value_json.link and value_json.link.waits else 'no' }}",
                device_class="enum",
                options=["no", *(hitch.value for hitch in Hitch)],
                icon="mdi:cloud-clock",
            ),
        }

    def _options(self) -> dict[str, Entity]:
        return {
            "views": self._count("Viewpoints", "views", 720, least=3),
            **{name: self._count(label, name, most) for name, (label, most) in _COUNTS.items()},
            "quality": self._choice("Quality", "quality", Quality, "mdi:quality-high"),
            **(
                {"raw": self._choice("Raw files", "raw", RawPhotos, "mdi:raw")}
                if self._scanner.hardware.has_raw
                else {}
            ),
        }

    def _light(self) -> dict[str, Entity]:
        light = self._scanner.hardware.light
        return {} if light is None else {"light": light_entity(self._topics, has_colours=light.has_colours)}

    def _button(self, word: str) -> Entity:
        name, icon = _BUTTONS[word]
        return {
            "platform": "button",
            "name": name,
            "icon": icon,
            "command_topic": self._topics.press,
            "payload_press": word,
        }

    def _sensor(self, name: str, template: str, **more: Any) -> Entity:
        state = {"state_topic": self._topics.state, "value_template": template}
        return {"platform": "sensor", "name": name, **state, **more}

    def _binary(self, name: str, template: str) -> Entity:
        state = {"state_topic": self._topics.state, "value_template": template}
        return {"platform": "binary_sensor", "name": name, "device_class": "problem", **state}

    def _choice(self, name: str, key: str, words: type[StrEnum], icon: str) -> Entity:
        return {
            "platform": "select",
            "name": name,
            "command_topic": self._topics.option(key),
            "state_topic": self._topics.options,
            "value_template": f"{{{{ value_json.{key} }}}}",
            "options": [word.value for word in words],
            "entity_category": "config",
            "icon": icon,
        }

    def _count(self, name: str, key: str, most: int, least: int = 1) -> Entity:
        return {
            "platform": "number",
            "name": name,
            "command_topic": self._topics.option(key),
            "state_topic": self._topics.options,
            "value_template": f"{{{{ value_json.{key} }}}}",
            "min": least,
            "max": most,
            "step": 1,
            "mode": "box",
            "entity_category": "config",
            "icon": "mdi:camera-iris",
        }


def _of_scan(key: str) -> str:
    """Home Assistant shows None as unknown."""
    return f"{{{{ value_json.scan.{key} if value_json.scan else none }}}}"


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
