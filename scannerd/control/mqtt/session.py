"""One connection to the broker, from the greeting to the farewell."""

import asyncio
import contextlib
import logging
import secrets
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from aiomqtt import MqttError, Will
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from scannerd.control.mqtt.broker_client import Arrival, Arrived, BrokerClient
from scannerd.control.mqtt.cancellation import heed_cancellation
from scannerd.control.mqtt.connection import Timing
from scannerd.control.mqtt.home_assistant import Announcement
from scannerd.control.mqtt.inbox import Inbox
from scannerd.control.mqtt.outbox import Outbox, Outgoing
from scannerd.control.mqtt.preview import PreviewTeller
from scannerd.control.mqtt.teller import Teller
from scannerd.control.mqtt.topics import Topics

LOG = logging.getLogger(__name__)

ONLINE, OFFLINE = b"online", b"offline"
HEADERS_BYTES = 200
"""More than any message has beside topic and payload."""
FAREWELL_S = 0.7
"""A daemon that goes down takes this long to send what waits, and once more to say that it goes."""


def last_will(topics: Topics) -> Will:
    """Return what the broker says when the scanner is suddenly gone."""
    return Will(topics.availability, OFFLINE, qos=1, retain=True)


@dataclass(frozen=True)
class Parts:
    """What outlives a connection."""

    topics: Topics
    inbox: Inbox
    outbox: Outbox
    teller: Teller
    preview: PreviewTeller
    announcement: Announcement


class Warn(Protocol):
    """Tells a person what should be put right with the broker."""

    def __call__(self, trouble: str, kind: str | None = None) -> None:
        """`kind`: what is the same trouble in other words, and need not be told twice."""


class Session:
    """Listens and sends until the connection is lost, or until cancelled."""

    def __init__(self, client: BrokerClient, parts: Parts, timing: Timing, warn: Warn) -> None:
        self._client = client
        self._parts = parts
        self._topics = parts.topics
        self._timing = timing
        self._warn = warn
        self._marker = secrets.token_hex(8).encode()
        self._all_waiting_came = False
        self._heard = asyncio.Event()
        client.refused = self._refused

    async def run(self) -> None:
        """Raises MqttError, in a group, when the connection is lost."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(), name="mqtt in")
                await self._subscribe()
                heed_cancellation()
                self._greet()
                group.create_task(self._send(), name="mqtt out")
                group.create_task(self._look_for_marker(), name="mqtt marker")
        except asyncio.CancelledError:
            await self._take_leave()
            raise
        finally:
            self._parts.preview.watched = False

    async def _subscribe(self) -> None:
        topics, announcement = self._topics, self._parts.announcement
        at_least_once = [topics.command, topics.press, topics.option_filter, topics.marker]
        if announcement.wanted:
            at_least_once.append(announcement.status_topic)
        wanted = [(topic, SubscribeOptions(qos=1, retainAsPublished=True)) for topic in at_least_once]
        wanted.append((topics.preview_wanted, SubscribeOptions(qos=0)))
        wanted.append((topics.progress_filter, SubscribeOptions(qos=1, noLocal=True)))
        for granted, (topic, _) in zip(await self._client.subscribe(wanted), wanted, strict=True):
            if isinstance(granted, ReasonCode) and granted.is_failure:
                self._warn(f"the MQTT broker does not let the scanner read {topic}: {granted}; {self._rule()}")

    def _greet(self) -> None:
        """Whatever a broker keeps is told anew: it may have been restarted, and things went on meanwhile."""
        parts = self._parts
        parts.outbox.put(Outgoing(self._topics.availability, ONLINE, retain=True))
        self._announce()
        parts.teller.show_again()
        parts.preview.watched = True
        parts.preview.want()

    def _announce(self) -> None:
        self._parts.outbox.put(self._parts.announcement.message(self._client.local_address))

    async def _listen(self) -> None:
        async for message in self._client.messages:
            assert isinstance(message, Arrived)
            arrival = message.arrival
            self._heard.set()
            self._deal_with(arrival)
            lost, self._client.dropped = self._client.dropped, 0
            if lost:
                self._parts.inbox.lost(lost)

    def _deal_with(self, arrival: Arrival) -> None:
        topics, topic = self._topics, arrival.topic
        settle = partial(self._client.settle, arrival.mid) if arrival.qos else _nothing_to_settle
        if topic in (topics.command, topics.press) or topics.option_name(topic) is not None:
            self._parts.inbox.take(arrival, not self._all_waiting_came, settle)
            return
        if topic == topics.marker:
            self._all_waiting_came = self._all_waiting_came or arrival.payload == self._marker
        elif topic == topics.preview_wanted:
            self._parts.preview.want()
        elif (scan_id := topics.progress_scan_id(topic)) is not None and arrival.payload:
            self._parts.teller.found_progress(scan_id)
        elif topic == self._parts.announcement.status_topic and arrival.payload == ONLINE:
            self._announce()
            self._parts.teller.show_again()
            self._parts.preview.want()
        settle()

    async def _look_for_marker(self) -> None:
        """Messages come in their order: what comes before the marker may have waited for the scanner."""
        await self._client.publish(self._topics.marker, self._marker, qos=1)
        heed_cancellation()
        while not self._all_waiting_came:
            try:
                async with asyncio.timeout(self._timing.marker_s):
                    await self._heard.wait()
                self._heard.clear()
            except TimeoutError:
                self._warn(f"the MQTT broker does not pass on what is sent to {self._topics.marker}; {self._rule()}")
                self._all_waiting_came = True

    async def _send(self) -> None:
        while True:
            message = await self._parts.outbox.next()
            try:
                await self._publish(message)
            except (MqttError, asyncio.CancelledError):
                self._parts.outbox.put_back(message)
                raise
            heed_cancellation()

    async def _publish(self, message: Outgoing) -> None:
        if len(message.payload) + len(message.topic) + HEADERS_BYTES > self._client.largest_packet_bytes:
            self._warn(
                f"the MQTT broker takes {self._client.largest_packet_bytes} bytes at most, and {message.topic} needs "
                f"{len(message.payload)}: it is left out; raise the broker's max_packet_size",
                f"too large: {message.topic}",
            )
            return
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if message.correlation_data is not None:
            properties.CorrelationData = message.correlation_data
        if message.expiry_s is not None:
            properties.MessageExpiryInterval = message.expiry_s
        await self._client.publish(message.topic, message.payload, message.qos, message.retain, properties)

    async def _take_leave(self) -> None:
        """Send what is still to be said, then that nobody is there any more; the will does it if there is no time."""
        with contextlib.suppress(MqttError, TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._parts.teller.tell_the_end()
                while len(self._parts.outbox):
                    await self._publish(self._parts.outbox.take())
        with contextlib.suppress(MqttError, TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._publish(Outgoing(self._topics.availability, OFFLINE, retain=True))
                self._client.said_goodbye = True

    def _refused(self, reason: ReasonCode) -> None:
        self._warn(f"the MQTT broker turned a message down: {reason}; {self._rule()}")

    def _rule(self) -> str:
        rules = [f"topic readwrite {self._topics.base}/#"]
        if self._parts.announcement.wanted:
            rules.append(f"topic write {self._parts.announcement.topic}")
            rules.append(f"topic read {self._parts.announcement.status_topic}")
        return f"its access list needs, for this user: {', '.join(rules)}"


def _nothing_to_settle() -> None:
    """A message that was sent without any promise is forgotten as it is."""
