"""aiomqtt with what it does not offer yet: acknowledging when a command is safe, the DUP flag, and refused topics.

Uses aiomqtt's inner paho client, the way aiomqtt's issue 345 describes; `tests` hold that it works.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import ConnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

WAITING_QOS_0 = 128
"""More of them, unread, are dropped: they were sent without any promise."""
LEAVE_S = 0.5
"""A broker that takes longer to close is left."""
LARGEST_PACKET = 268_435_455
"""MQTT has no larger ones."""
FIRST_REFUSAL = 0x80
"""Reason codes from here on are refusals (MQTT 5, 2.4)."""


@dataclass(frozen=True)
class Arrival:
    """A message as the broker delivered it."""

    topic: str
    payload: bytes
    qos: int = 1
    retained: bool = False
    """It was sent to be kept by the broker, so nobody knows how old it is."""
    dup: bool = False
    """The broker, or somebody before it, sent it before and is not sure that it arrived."""
    mid: int = 0
    response_topic: str | None = None
    correlation_data: bytes | None = None
    expires: bool = False
    """Its sender told the broker how long it is good, and that time is not over."""


class Arrived(aiomqtt.Message):
    """What aiomqtt hands over, with the flag that it leaves out."""

    arrival: Arrival


class BrokerClient(aiomqtt.Client):
    """A client for one connection. What it received stays with the broker until it is acknowledged."""

    def __init__(self, hostname: str, port: int, connect_timeout_s: float, **options: Any) -> None:
        super().__init__(hostname, port, protocol=aiomqtt.ProtocolVersion.V5, **options)
        self.dropped = 0
        """Messages without a promise that came faster than they were read."""
        self.said_goodbye = False
        """Else the broker is asked to speak the last will."""
        self.largest_packet_bytes = LARGEST_PACKET
        """That the broker takes; it closes the connection upon a larger one."""
        self.refused: Callable[[ReasonCode], None] = lambda reason: None
        """Called when the broker turned a message down."""
        self._client.manual_ack_set(True)
        self._client.connect_timeout = connect_timeout_s
        self._thread_ended = asyncio.Event()
        self._unacknowledged: deque[int] = deque()
        self._settled: set[int] = set()

    @property
    def local_address(self) -> str | None:
        """This device's address as the broker sees it."""
        sock = self._client.socket()
        return str(sock.getsockname()[0]) if sock is not None and hasattr(sock, "getsockname") else None

    async def enter(self) -> None:
        """Connect. Raises MqttError. Cancelling waits for the thread that connects, and closes what it opened."""
        connecting = asyncio.ensure_future(self.__aenter__())
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            await self._thread_ended.wait()
            connecting.cancel()
            await asyncio.wait({connecting})
            await self.leave()
            raise
        except aiomqtt.MqttError:
            # aiomqtt leaves the socket open when a broker does not greet.
            await self.leave()
            raise

    async def leave(self) -> None:
        """End the connection in order, or at all; safe to call without one."""
        if self._client.socket() is None:
            return
        self.timeout = LEAVE_S
        with contextlib.suppress(aiomqtt.MqttError):
            if not self.said_goodbye and not self._disconnected.done():
                self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
            await self.__aexit__(None, None, None)
        if self._client.socket() is not None:
            self._client._sock_close()

    def settle(self, mid: int) -> None:
        """Acknowledge a message, after those that came before it: the protocol wants them in order (4.6)."""
        if mid not in self._unacknowledged:
            return
        self._settled.add(mid)
        while self._unacknowledged and self._unacknowledged[0] in self._settled:
            first = self._unacknowledged.popleft()
            self._settled.discard(first)
            self._client.ack(first, 1)

    def _client_connect(self) -> None:
        try:
            super()._client_connect()
        finally:
            self._loop.call_soon_threadsafe(self._thread_ended.set)

    def _on_connect(
        self,
        client: PahoClient,
        userdata: Any,
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.largest_packet_bytes = getattr(properties, "MaximumPacketSize", LARGEST_PACKET)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_message(self, client: PahoClient, userdata: Any, message: MQTTMessage) -> None:
        if message.qos == 0 and self._queue.qsize() >= WAITING_QOS_0:
            self.dropped += 1
            return
        arrived = Arrived._from_paho_message(message)
        arrived.arrival = _arrival(message)
        if message.qos:
            self._unacknowledged.append(message.mid)
        self._queue.put_nowait(arrived)

    def _on_publish(
        self, client: PahoClient, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        super()._on_publish(client, userdata, mid, reason_code, properties)
        if reason_code.value >= FIRST_REFUSAL:
            self.refused(reason_code)


def _arrival(message: MQTTMessage) -> Arrival:
    said = message.properties
    return Arrival(
        message.topic,
        bytes(message.payload),
        message.qos,
        bool(message.retain),
        bool(message.dup),
        message.mid,
        getattr(said, "ResponseTopic", None),
        getattr(said, "CorrelationData", None),
        hasattr(said, "MessageExpiryInterval"),
    )
