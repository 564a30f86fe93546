"""Certificates that are wrong in every way a shop meets, on a real TLS server, in words that say what to do."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from offload.sync.client import CannotTrust, ServiceClient, trusted
from offload.sync.trouble import CertificateRefused, ClockWrong, KeyRefused, ServiceUnreachable, SyncTrouble, TryAgain

DAY = timedelta(days=1)
UNAUTHORISED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Authority:
    """Signs certificates."""

    folder: Path

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the shop's own authority")])
        self.file = self.folder / "authority.pem"
        extension = x509.BasicConstraints(ca=True, path_length=None)
        own = self._unsigned(self._name, self._key.public_key(), -9, 9).add_extension(extension, critical=True)
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def context(self, begin_days: float, end_days: float, address: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "service")])
        where = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        builder = self._unsigned(name, key.public_key(), begin_days, end_days).add_extension(where, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        plain = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        file = self.folder / "service.pem"
        file.write_bytes(private + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _unsigned(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, begin_days: float, end_days: float
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now + begin_days * DAY).not_valid_after(now + end_days * DAY)


@asynccontextmanager
async def serving(context: ssl.SSLContext | None) -> AsyncIterator[int]:
    """Answer every request with 401, encrypted or not."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await (reader.read(1) if context is None else reader.readuntil(b"\r\n\r\n"))
            writer.write(UNAUTHORISED)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def trouble_with(context: ssl.SSLContext | None, ca_file: Path | None) -> SyncTrouble:
    async with serving(context) as port:
        client = ServiceClient(f"https://127.0.0.1:{port}", "k" * 16, verify=trusted(ca_file))
        try:
            with pytest.raises(TryAgain) as raised:
                await client.job("any")
        finally:
            await client.close()
    return raised.value


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize(
    ("days", "address", "knows", "kind", "words"),
    [
        ((-1, 1), "127.0.0.1", True, KeyRefused, "refuses the key"),
        ((1, 2), "127.0.0.1", True, ClockWrong, "this device's clock is wrong"),
        ((-2, -1), "127.0.0.1", True, ClockWrong, "has expired by this device's clock"),
        ((-1, 1), "127.0.0.1", False, CertificateRefused, r"\[offload\] ca_file"),
        ((-1, 1), "10.9.8.7", True, CertificateRefused, "is somebody else"),
    ],
)
async def test_each_is_told_apart(
    authority: Authority,
    days: tuple[float, float],
    address: str,
    knows: bool,
    kind: type[TryAgain],
    words: str,
) -> None:
    trouble = await trouble_with(authority.context(*days, address), authority.file if knows else None)
    assert type(trouble) is kind
    assert pytest.raises(kind, match=words).matches(trouble)


async def test_a_service_without_encryption_is_told_as_such(authority: Authority) -> None:
    trouble = await trouble_with(None, authority.file)
    assert type(trouble) is ServiceUnreachable
    assert "write http:// instead of https://" in str(trouble)


def test_a_file_that_holds_no_authority_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for name in ("empty.pem", "absent.pem"):
        with pytest.raises(CannotTrust, match=name):
            trusted(tmp_path / name)
