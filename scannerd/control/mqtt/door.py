"""The MQTT door: keeps a connection to the broker, and goes on without one."""

import asyncio
import logging
import time

from aiomqtt import MqttError

from scannerd.control.mqtt.connection import BrokerUnusable, Retry, Timing, connected
from scannerd.control.mqtt.home_assistant import Announcement
from scannerd.control.mqtt.inbox import Inbox
from scannerd.control.mqtt.options import OptionShelf
from scannerd.control.mqtt.outbox import Outbox
from scannerd.control.mqtt.preview import PreviewTeller
from scannerd.control.mqtt.progress import ProgressShelf
from scannerd.control.mqtt.session import Parts, Session, last_will
from scannerd.control.mqtt.teller import Teller
from scannerd.control.mqtt.topics import Topics
from scannerd.control.scanner import Scanner
from scannerd.events import Warned

LOG = logging.getLogger(__name__)


class MqttDoor:
    """Serves one broker. Without one the scanner works as ever; a warning says so."""

    def __init__(self, scanner: Scanner, timing: Timing | None = None) -> None:
        self._scanner = scanner
        self._settings = scanner.config.mqtt
        self._timing = timing or Timing()
        self._topics = Topics(self._settings.topic_prefix, scanner.config.device.slug)
        self._outbox = Outbox()
        self._trouble: str | None = None

    @property
    def name(self) -> str:
        """For logs."""
        return "mqtt"

    async def run(self) -> None:
        """Serve until cancelled; then say that the scanner is gone. A fault in here stops no scan."""
        while True:
            try:
                await self._serve()
            except* Exception:
                LOG.exception("mqtt: fault inside this door; it opens again in %.0f s", self._timing.longest_retry_s)
            await asyncio.sleep(self._timing.longest_retry_s)

    def close(self) -> None:
        """Nothing is held while it does not run."""

    async def _serve(self) -> None:
        scanner, topics, outbox = self._scanner, self._topics, self._outbox
        options = OptionShelf(lambda: scanner.config.scan)
        idle_s = self._timing.idle_preview_s if self._settings.home_assistant else None
        preview = PreviewTeller(scanner, topics, outbox, idle_s)
        teller = Teller(scanner, topics, outbox, options, ProgressShelf(scanner, topics, outbox), preview)
        async with asyncio.TaskGroup() as group:
            inbox = Inbox(scanner, topics, outbox, options, group)
            parts = Parts(topics, inbox, outbox, teller, preview, Announcement(scanner, topics))
            group.create_task(teller.follow_events(), name="mqtt events")
            group.create_task(teller.tell_changes(), name="mqtt state")
            group.create_task(preview.run(), name="mqtt preview")
            group.create_task(self._keep_connected(parts), name="mqtt connection")

    async def _keep_connected(self, parts: Parts) -> None:
        retry = Retry(self._timing)
        while True:
            began_s = time.monotonic()
            trouble = await self._connect(parts)
            if time.monotonic() - began_s >= self._timing.steady_s:
                retry.forget()
                self._trouble = None
            self._warn(trouble)
            await asyncio.sleep(retry.delay_s())

    async def _connect(self, parts: Parts) -> str:
        """Serve one connection until it is lost; return what is to be said about its end."""
        trouble = "the MQTT connection ended"
        try:
            client_id = f"scannerd-{self._topics.prefix}-{self._topics.slug}"
            async with connected(self._settings, client_id, last_will(self._topics), self._timing) as client:
                LOG.info("mqtt: connected with %s:%d", self._settings.host, self._settings.port)
                await Session(client, parts, self._timing, self._warn).run()
        except* (BrokerUnusable, MqttError) as faults:
            trouble = _told(faults, self._settings.host, self._settings.port)
        return trouble

    def _warn(self, trouble: str) -> None:
        """Say it where people look, once for each trouble."""
        if trouble == self._trouble:
            return
        self._trouble = trouble
        LOG.warning("mqtt: %s", trouble)
        self._scanner.events.publish(Warned(trouble))


def _told(faults: BaseExceptionGroup[BaseException], host: str, port: int) -> str:
    fault: BaseException = faults
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    if isinstance(fault, BrokerUnusable):
        return str(fault)
    return f"MQTT broker {host}:{port}: {fault}; it is tried again"
