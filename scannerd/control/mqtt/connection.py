"""How the broker is reached: who we are, what it may send, and when to try again."""

import asyncio
import logging
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiomqtt import MqttError, Will
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from offload.private_file import OpenToOthers, read_private
from scannerd.config import MqttSection
from scannerd.control.mqtt.broker_client import BrokerClient

LARGEST_PACKET_BYTES = 16_384
"""The broker sends nothing larger; no command needs a tenth of it."""
UNACKNOWLEDGED = 40
"""So many commands are in hand at a time; the others wait with the broker."""
SESSION_KEPT_S = 24 * 3600
"""The broker keeps what was sent to a scanner that is away for so long."""


class BrokerUnusable(RuntimeError):
    """The broker cannot be used now. The message says why and what to do."""


class BrokerAway(BrokerUnusable):
    """Nobody need do anything here: it is tried again."""


@dataclass(frozen=True)
class Timing:
    """How patient the door is, in seconds."""

    keepalive_s: int = 15
    """A connection that is silent for twice as long is dead, although nobody closed it."""
    connect_s: float = 2.0
    """For TCP, and again for TLS. A daemon that goes down waits as long."""
    answer_s: float = 10.0
    """A broker that takes longer to confirm a message is as good as gone."""
    first_retry_s: float = 1.0
    longest_retry_s: float = 60.0
    steady_s: float = 30.0
    """A connection that lasted so long was a good one: the next trouble is news, and is soon tried again."""
    idle_preview_s: float = 60.0
    """Between two pictures for a dashboard while nothing else happens."""
    marker_s: float = 10.0
    """Within this a broker that lets the scanner use its own topics has returned its marker."""


class Retry:
    """Waits twice as long each time, and never as long as other scanners that lost the same broker."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._failures = 0

    def delay_s(self) -> float:
        """Return how long to wait before the next try."""
        longest_s = min(self._timing.longest_retry_s, self._timing.first_retry_s * 2.0**self._failures)
        self._failures = min(self._failures + 1, 16)
        return longest_s * random.uniform(0.5, 1.0)

    def forget(self) -> None:
        """Begin with short waits again."""
        self._failures = 0


@asynccontextmanager
async def connected(
    settings: MqttSection, client_id: str, last_will: Will, timing: Timing
) -> AsyncIterator[BrokerClient]:
    """Be connected. Raises BrokerUnusable, also in the end when the connection was lost on the way."""
    client = await _client(
        settings, client_id, timing, will=last_will, clean_start=False, properties=_connect_properties()
    )
    await _enter(client, settings)
    try:
        yield client
    finally:
        await client.leave()


async def greet(settings: MqttSection, client_id: str, timing: Timing) -> None:
    """Connect and say goodbye, leaving nothing with the broker. Raises BrokerUnusable."""
    client = await _client(settings, client_id, timing, clean_start=True)
    await _enter(client, settings)
    client.said_goodbye = True
    await client.leave()


async def _enter(client: BrokerClient, settings: MqttSection) -> None:
    try:
        await client.enter()
    except MqttError as fault:
        raise explained(settings, fault) from fault


async def _client(settings: MqttSection, client_id: str, timing: Timing, **more: Any) -> BrokerClient:
    return BrokerClient(
        settings.host,
        settings.port,
        timing.connect_s,
        identifier=client_id,
        username=settings.username,
        password=password_in(settings.password_file),
        keepalive=timing.keepalive_s,
        timeout=timing.answer_s,
        tls_context=await asyncio.to_thread(_tls_context, settings),
        logger=logging.getLogger("scannerd.mqtt"),
        **more,
    )


def password_in(file: Path | None) -> str | None:
    """Return the password. Raises BrokerUnusable, also for a file that others may read."""
    if file is None:
        return None
    try:
        return read_private(file)
    except OpenToOthers as problem:
        raise BrokerUnusable(
            f"{file}: has mode {problem.mode:04o} and others may read it; chmod 600 {file}"
        ) from problem
    except OSError as error:
        raise BrokerUnusable(
            f"{file}: cannot be read: {error.strerror}; it holds the password of [mqtt] username"
        ) from error


def _tls_context(settings: MqttSection) -> ssl.SSLContext | None:
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        context.sslsocket_class = _ClosingSocket
        return context
    except OSError as error:
        raise BrokerUnusable(
            f"{settings.ca_file}: cannot be used: {error.strerror or error}; [mqtt] ca_file is a PEM file"
        ) from error


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself when the other side is not who it should be; paho leaves that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _connect_properties() -> Properties:
    properties: Properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_KEPT_S
    properties.MaximumPacketSize = LARGEST_PACKET_BYTES
    properties.ReceiveMaximum = UNACKNOWLEDGED
    return properties


def explained(settings: MqttSection, fault: MqttError) -> BrokerUnusable:
    """Say what a person should know of a fault with the broker."""
    what = _words(fault.__cause__ if isinstance(fault.__cause__, MqttError) else fault)
    where = f"MQTT broker {settings.host}:{settings.port}"
    if "ot authori" in what or "user name or password" in what.lower():
        return BrokerUnusable(f"{where}: {what}; check [mqtt] username and password_file")
    if "certificate" in what.lower() or "ssl" in what.lower():
        return BrokerUnusable(f"{where}: {what}; check [mqtt] tls, ca_file and the name in the broker's certificate")
    if "taken over" in what.lower():
        return BrokerUnusable(f"{where}: {what}; another scanner has the same [device] name, give each its own")
    return BrokerAway(f"{where}: {what}; it is tried again")


def _words(fault: BaseException) -> str:
    words = str(fault)
    words = words.partition("] ")[2] if words.startswith("[code:") else words
    return "the connection was lost" if words.startswith(("Disconnected", "Unspecified")) else words or repr(fault)
