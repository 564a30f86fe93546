"""A real mosquitto for tests, on loopback and a free port: with users, their rights, and TLS if wanted."""

import asyncio
import getpass
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE_S = 60.0
SCANNER, TABLET = "scanner", "tablet"
RIGHTS = {
    SCANNER: (
        "readwrite scannerd/bench/#",
        "write homeassistant/device/scannerd_bench/config",
        "read homeassistant/status",
    ),
    TABLET: ("readwrite scannerd/#", "readwrite homeassistant/#"),
}


def program(name: str) -> str:
    """Return where a program of Debian's mosquitto is, or skip loudly."""
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"NO {name.upper()}: the tests of the MQTT door need it; sudo apt install mosquitto")
    return found


@dataclass
class Broker:
    """One mosquitto; `start` it, `kill` it and `start` it again on the same port."""

    folder: Path
    tls: bool = False
    rights: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(RIGHTS))
    more: str = ""
    """Lines for its configuration."""
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        for user in self.rights:
            self._add_user(user)
        if self.tls:
            make_certificate(self.folder)

    def password(self, user: str) -> str:
        return f"secret of {user}"

    def password_file(self, user: str) -> Path:
        """Return the file that a client keeps its password in."""
        file = self.folder / f"{user}.password"
        file.write_text(self.password(user) + "\n")
        file.chmod(0o600)
        return file

    def _add_user(self, user: str) -> None:
        file = self.folder / "passwords"
        file.touch(0o600)
        subprocess.run(
            [program("mosquitto_passwd"), "-b", str(file), user, self.password(user)], check=True, capture_output=True
        )

    def write_rights(self) -> None:
        lines = []
        for user, rights in self.rights.items():
            lines += [f"user {user}", *(f"topic {right}" for right in rights)]
        (self.folder / "rights").write_text("\n".join(lines) + "\n")
        (self.folder / "rights").chmod(0o600)

    def start(self) -> None:
        """Return once it listens."""
        self.write_rights()
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"user {getpass.getuser()}",
            "allow_anonymous false",
            f"password_file {self.folder / 'passwords'}",
            f"acl_file {self.folder / 'rights'}",
            "log_dest stderr",
            "connection_messages true",
        ]
        if self.tls:
            lines += [f"certfile {self.folder / 'broker.crt'}", f"keyfile {self.folder / 'broker.key'}"]
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join([*lines, self.more, ""]))
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([program("mosquitto"), "-c", str(config)], stderr=log, stdout=log)
        self._await_listening()

    def _await_listening(self) -> None:
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s:
            assert self.process is not None
            assert self.process.poll() is None, self.log()
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 60):
                return
            time.sleep(0.02)
        pytest.fail(f"mosquitto does not listen on port {self.port} after 60 s: {self.log()}")

    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    def kill(self) -> None:
        """End it as a power cut does; safe to call twice."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(60)
            self.process = None

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return [mqtt] of a scanner that uses this broker."""
        settings = {
            "enabled": True,
            "host": "127.0.0.1",
            "port": self.port,
            "username": SCANNER,
            "password_file": str(self.password_file(SCANNER)),
        }
        if self.tls:
            settings |= {"tls": True, "ca_file": str(self.folder / "ca.crt")}
        return settings | changes


@dataclass(frozen=True)
class Heard:
    """One message that a tablet heard."""

    topic: str
    payload: bytes
    retained: bool
    qos: int
    correlation_data: bytes | None

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


class Tablet:
    """Another client of the broker: hears everything, sends commands."""

    def __init__(self, client: aiomqtt.Client, base: str) -> None:
        self.client = client
        self.base = base
        self.heard: list[Heard] = []
        self._more = asyncio.Event()

    async def listen(self) -> None:
        async for message in self.client.messages:
            correlation = getattr(message.properties, "CorrelationData", None)
            payload = bytes(message.payload)
            self.heard.append(Heard(str(message.topic), payload, message.retain, message.qos, correlation))
            self._more.set()

    async def until(self, wanted: Callable[[Heard], bool], what: str, after: int = 0) -> Heard:
        """Return the first message, of those after a number of them, that is wanted."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    for heard in self.heard[after:]:
                        if wanted(heard):
                            return heard
                    after = len(self.heard)
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            latest = "\n".join(f"{heard.topic} {heard.payload[:200]!r}" for heard in self.heard[-12:])
            pytest.fail(
                f"{what}: not heard within {PATIENCE_S:.0f} s; {len(self.heard)} messages, the latest:\n{latest}"
            )

    async def on(self, topic: str, after: int = 0) -> Heard:
        """Return the first message on a topic below the scanner's."""
        return await self.until(lambda heard: heard.topic == f"{self.base}/{topic}", topic, after)

    async def event(self, kind: str, after: int = 0) -> dict[str, Any]:
        """Return the first event of a kind."""

        def is_it(heard: Heard) -> bool:
            return heard.topic == f"{self.base}/event" and heard.json["type"] == kind

        return dict((await self.until(is_it, f"event {kind}", after)).json)

    async def state(self, wanted: Callable[[dict[str, Any]], bool], what: str, after: int = 0) -> dict[str, Any]:
        """Return the first state that is wanted."""

        def is_it(heard: Heard) -> bool:
            return heard.topic == f"{self.base}/state" and wanted(heard.json)

        return dict((await self.until(is_it, f"state: {what}", after)).json)

    async def send(
        self,
        payload: dict[str, Any] | bytes | str,
        topic: str = "command",
        *,
        retain: bool = False,
        response_topic: str | None = None,
        correlation_data: bytes | None = None,
        expiry_s: int | None = None,
        qos: int = 1,
    ) -> None:
        properties = Properties(PacketTypes.PUBLISH)
        if response_topic is not None:
            properties.ResponseTopic = response_topic
        if correlation_data is not None:
            properties.CorrelationData = correlation_data
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        data = json.dumps(payload) if isinstance(payload, dict) else payload
        await self.client.publish(f"{self.base}/{topic}", data, qos, retain, properties)

    async def ask(self, command: dict[str, Any], **how: Any) -> dict[str, Any]:
        """Send a command with an id and return its answer."""
        after = len(self.heard)
        await self.send(command, **how)
        return dict((await self.on(f"reply/{command['command_id']}", after)).json)


@asynccontextmanager
async def a_tablet(broker: Broker, base: str = "scannerd/bench", **options: Any) -> AsyncIterator[Tablet]:
    """Connect a tablet that hears everything."""
    tls = aiomqtt.TLSParameters(ca_certs=str(broker.folder / "ca.crt")) if broker.tls else None
    client = aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username=TABLET,
        password=broker.password(TABLET),
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_params=tls,
        **options,
    )
    async with client:
        tablet = Tablet(client, base)
        await client.subscribe([("scannerd/#", 1), ("homeassistant/#", 1)])
        listening = asyncio.create_task(tablet.listen(), name="tablet")
        try:
            yield tablet
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await listening


def make_certificate(folder: Path) -> None:
    """Write `ca.crt`, and `broker.crt` with `broker.key` for 127.0.0.1, good for an hour."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    broker_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    ca = _certificate(ca_name, ca_name, ca_key, ca_key, is_ca=True)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    broker = _certificate(name, ca_name, broker_key, ca_key, is_ca=False)
    (folder / "ca.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "broker.crt").write_bytes(broker.public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "broker.key").write_bytes(broker_key.private_bytes(*pem))


def _certificate(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(address, critical=False)
        .sign(signer, hashes.SHA256())
    )
