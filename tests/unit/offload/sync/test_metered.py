"""What NetworkManager says of the connection, over a real D-Bus with somebody who answers in its name."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from jeepney import MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.asyncio import open_dbus_connection

from offload.sync.metered import Metered, ask_network_manager

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow own="*"/><allow receive_sender="*"/></policy>
</busconfig>"""


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    """The address of a bus of its own."""
    config = tmp_path / "bus.conf"
    config.write_text(CONFIG.format(path=tmp_path / "bus"))
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert daemon.stdout is not None
    try:
        yield daemon.stdout.readline().strip()
    finally:
        daemon.terminate()
        daemon.wait(30)
        daemon.stdout.close()


@asynccontextmanager
async def network_manager(bus: str, metered: int | None) -> AsyncIterator[None]:
    """Answer one property, as NetworkManager does; None answers with an error."""
    connection = await open_dbus_connection(bus)

    async def serve() -> None:
        while True:
            message = await connection.receive()
            if message.header.message_type is not MessageType.method_call:
                continue
            assert message.body == ("org.freedesktop.NetworkManager", "Metered")
            if metered is None:
                reply = new_error(message, "org.freedesktop.DBus.Error.Failed")
            else:
                reply = new_method_return(message, "v", (("u", metered),))
            await connection.send(reply)

    await connection.send(message_bus.RequestName("org.freedesktop.NetworkManager"))
    while (await connection.receive()).header.message_type is not MessageType.method_return:
        pass
    serving = asyncio.create_task(serve())
    try:
        yield
    finally:
        serving.cancel()
        await asyncio.wait({serving})
        await connection.close()


@pytest.mark.parametrize(("told", "costs"), [(1, True), (2, False), (3, True), (4, False)])
async def test_what_it_knows_or_guesses(bus: str, told: int, costs: bool) -> None:
    async with network_manager(bus, told):
        assert await ask_network_manager(bus) == Metered(costs)


@pytest.mark.parametrize(("told", "because"), [(0, "does not know"), (None, "no NetworkManager")])
async def test_what_it_does_not_know_is_said(bus: str, told: int | None, because: str) -> None:
    async with network_manager(bus, told):
        found = await ask_network_manager(bus)
    assert found.costs is None
    assert because in found.because


async def test_without_network_manager_or_without_a_bus(bus: str, tmp_path: Path) -> None:
    assert await ask_network_manager(bus) == Metered(None, "no NetworkManager runs here")
    found = await ask_network_manager(f"unix:path={tmp_path}/absent")
    assert found.costs is None
    assert "no D-Bus answers" in found.because
