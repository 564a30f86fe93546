"""The MQTT door: keeps a connection to the broker, and goes on without one."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from aiomqtt import MqttError

from scannerd.config import MqttSection
from scannerd.control.mqtt.cancellation import heed_cancellation
from scannerd.control.mqtt.connection import (
    BrokerAway,
    BrokerUnusable,
    Retry,
    Timing,
    connected,
    explained,
)
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

RIVAL_AFTER = 3
"""A broker closes a connection when somebody else comes with the same name, and not every broker says so."""


class MqttDoor:
    """Serves one broker. Without one the scanner works as ever; a warning says so."""

    def __init__(self, scanner: Scanner, timing: Timing | None = None) -> None:
        self._scanner = scanner
        self._settings = scanner.config.mqtt
        self._timing = timing or Timing()
        self._topics = Topics(self._settings.topic_prefix, scanner.config.device.slug)
        self._outbox = Outbox()
        self._troubles: dict[str, str] = {}
        """What was told since the connection was last a good one, by kind."""
        self._soon_lost = 0

    @property
    def name(self) -> str:
        """For logs."""
        return "mqtt"

    async def run(self) -> None:
        """Serve until cancelled; then say that the scanner is gone. A fault in here stops no scan."""
        scanner, topics, outbox = self._scanner, self._topics, self._outbox
        options = OptionShelf(lambda: scanner.config)
        idle_s = self._timing.idle_preview_s if self._settings.home_assistant else None
        preview = PreviewTeller(scanner, topics, outbox, idle_s)
        teller = Teller(scanner, topics, outbox, options, ProgressShelf(scanner, topics, outbox), preview)
        async with asyncio.TaskGroup() as group:
            inbox = Inbox(scanner, topics, outbox, options, group)
            parts = Parts(topics, inbox, outbox, teller, preview, Announcement(scanner, topics))
            works: dict[str, Callable[[], Awaitable[None]]] = {
                "mqtt events": teller.follow_events,
                "mqtt state": teller.tell_changes,
                "mqtt preview": preview.run,
                "mqtt connection": partial(self._keep_connected, parts, group),
            }
            for name, work in works.items():
                group.create_task(self._keep_going(name, work), name=name)

    def close(self) -> None:
        """Nothing is held while it does not run."""

    async def _keep_going(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:
                LOG.exception("%s: fault inside; it goes on in %.0f s", name, self._timing.longest_retry_s)
            heed_cancellation()
            await asyncio.sleep(self._timing.longest_retry_s)

    async def _keep_connected(self, parts: Parts, group: asyncio.TaskGroup) -> None:
        retry = Retry(self._timing)
        while True:
            began_s = time.monotonic()
            # A task for each, since each fails in a task group (see heed_cancellation).
            trouble = await group.create_task(self._connect(parts), name="mqtt session")
            heed_cancellation()
            if time.monotonic() - began_s >= self._timing.steady_s:
                retry.forget()
                self._troubles.clear()
                self._soon_lost = 0
            self._warn(str(trouble), "away" if isinstance(trouble, BrokerAway) else str(trouble))
            if self._soon_lost == RIVAL_AFTER:
                self._warn(
                    f"the MQTT connection was lost {RIVAL_AFTER} times soon after it was made; if another scanner "
                    f"has the [device] name {self._scanner.config.device.name!r} too, give each its own"
                )
            await asyncio.sleep(retry.delay_s())

    async def _connect(self, parts: Parts) -> BrokerUnusable:
        """Serve one connection until it is lost; return why it was."""
        trouble = BrokerUnusable("the MQTT connection ended")
        try:
            client_id = f"scannerd-{self._topics.prefix}-{self._topics.slug}"
            async with connected(self._settings, client_id, last_will(self._topics), self._timing) as client:
                self._soon_lost += 1
                LOG.info("mqtt: connected with %s:%d", self._settings.host, self._settings.port)
                await Session(client, parts, self._timing, self._warn).run()
        except* (BrokerUnusable, MqttError) as faults:
            # A farewell that failed may hide that this was cancelled; whoever waits for this task looks for that.
            trouble = _first(faults, self._settings)
        except* Exception:
            LOG.exception("mqtt: fault inside this door")
            trouble = BrokerAway("fault inside the MQTT door; see the log")
        return trouble

    def _warn(self, trouble: str, kind: str | None = None) -> None:
        """Log each change, and say it where people look, once for each kind."""
        kind = kind or trouble
        if self._troubles.get(kind) != trouble:
            LOG.warning("mqtt: %s", trouble)
        if kind not in self._troubles:
            self._scanner.events.publish(Warned(trouble))
        self._troubles[kind] = trouble


def _first(faults: BaseExceptionGroup[BaseException], settings: MqttSection) -> BrokerUnusable:
    fault: BaseException = faults
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    if isinstance(fault, MqttError):
        return explained(settings, fault)
    assert isinstance(fault, BrokerUnusable)
    return fault
