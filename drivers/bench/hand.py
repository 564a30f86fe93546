"""A hand that reaches into the bench from another process: it pushes the button and puts things on the table.

It acts on the world only, never on the program under test, and lives in threads of its own, so that it still answers
when that program hangs. A request is one line of JSON, `{"do": "press", "duration_s": 0.1}`, and so is its answer,
`{"ok": true, …}` or `{"ok": false, "error": "…"}`. The socket's file mode lets only its owner in.
"""

import json
import logging
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from drivers.bench.install import Bench
from drivers.bench.reach import LINE_BYTES
from drivers.bench.serial_table import SerialTable
from drivers.bench.supply import SimulatedSupply

LOG = logging.getLogger(__name__)

LONGEST_PRESS_S = 300.0
LATEST_FRAME_S = 60.0
MOST_STEPS = 1_000_000
MOST_CAMERAS = 9
FASTEST_DEG_S = 10_000.0
LARGEST_TURN_DEG = 360.0
FLASHES_TOLD = 200
"""So many of the lamp's last changes; their times are of the same clock as `system_s`."""


class HandRefused(ValueError):
    """The hand was asked for something that it cannot do. The message says what it can."""


class Hand:
    """Serves one bench on a socket from construction until `close`; use it as a context manager."""

    def __init__(self, bench: Bench, path: Path, supply: SimulatedSupply | None = None) -> None:
        """Listen on `path`, mode 0600; a socket that a dead bench left there is taken over. Raises OSError."""
        self._supply = supply
        self._bench = bench
        self._path = path
        self._closing = threading.Event()
        self._actions: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "press": self._press,
            "down": lambda _: bench.finger.down(),
            "up": lambda _: bench.finger.up(),
            "place": lambda _: bench.world.place_object(),
            "remove": lambda _: bench.world.remove_object(),
            "turn_over": lambda _: bench.world.turn_object_over(),
            "raise_camera": lambda request: bench.world.put_camera(_elevation(request)),
            "jam": lambda request: setattr(bench.world, "jammed", _flag(request)),
            "camera_hang": self._hang_camera,
            "camera_stuck": lambda _: bench.world.hang_camera_until_restarted(),
            "late_frame": lambda request: bench.world.delay_next_frame(_seconds(request, "late_s", LATEST_FRAME_S)),
            "lose_steps": lambda request: bench.world.motor.lose(_whole(request, "steps", MOST_STEPS)),
            "weak_motor": self._weaken,
            "turn_platter": self._turn_platter,
            "turn_mat": self._turn_mat,
            "low_voltage": lambda request: self._power().set_low(_flag(request)),
            "emergency_stop": lambda request: self._mushroom(push=_flag(request)),
            "unplug": lambda _: self._cable().unplug(),
            "plug_in": lambda _: self._cable().plug_in(),
            "drop_byte": lambda request: self._cable().drop_byte("controller" if _flag(request) else "host"),
            "garble_byte": lambda _: self._cable().garble_byte(),
            "reset_table": lambda _: self._cable().reset(),
            "table_alarm": lambda _: self._cable().alarm(),
            "slow_replies": lambda request: setattr(
                self._cable(), "reply_delay_s", _seconds(request, "delay_s", LATEST_FRAME_S)
            ),
            "truth": lambda _: None,
        }
        self._server = _Server(path, self.answer)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="bench hand", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Let go of the button, hang up on everybody and remove the socket; safe to call twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def answer(self, line: bytes) -> dict[str, object]:
        """Do what one line asks for, and say how the world is afterwards."""
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise HandRefused(f"{line!r}: a request is a JSON object")
            action = self._actions.get(str(request.get("do")))
            if action is None:
                raise HandRefused(f"do = {request.get('do')!r}: use one of {', '.join(self._actions)}")
            action(request)
        except ValueError as refusal:  # HandRefused and what json raises
            return {"ok": False, "error": str(refusal)}
        return {"ok": True, **truth(self._bench)}

    def _press(self, request: Mapping[str, Any]) -> None:
        duration_s = _seconds(request, "duration_s", LONGEST_PRESS_S, default=0.1)
        self._bench.finger.down()
        self._closing.wait(duration_s)
        self._bench.finger.up()

    def _power(self) -> SimulatedSupply:
        if self._supply is None:
            raise HandRefused("this bench has no power supply of its own")
        return self._supply

    def _mushroom(self, *, push: bool) -> None:
        mushroom = self._bench.emergency_stop
        if not mushroom.fitted:
            raise HandRefused('this bench has no emergency stop; set [emergency_stop] driver = "gpio"')
        mushroom.push() if push else mushroom.release()

    def _cable(self) -> SerialTable:
        if self._bench.table is None:
            raise HandRefused("this bench's table has no serial cable; start it with --turntable grbl")
        return self._bench.table

    def _hang_camera(self, request: Mapping[str, Any]) -> None:
        """The first one, or a further one by its number."""
        number = _whole({"number": request.get("number", 0)}, "number", MOST_CAMERAS)
        if number == 0:
            self._bench.world.camera_hangs = _flag(request)
        elif _flag(request):
            self._bench.world.others_hang.add(number)
        else:
            self._bench.world.others_hang.discard(number)

    def _weaken(self, request: Mapping[str, Any]) -> None:
        if not _flag(request):
            self._bench.world.motor.recover()
            return
        from_deg_s = _number(request, "from_deg_s", 0.0, FASTEST_DEG_S, "°/s")
        self._bench.world.motor.stall_above(from_deg_s, _number(request, "share", 0.0, 1.0, "of the pulses", 1.0))

    def _turn_platter(self, request: Mapping[str, Any]) -> None:
        """A motor that holds cannot be turned by hand."""
        delta_deg = _number(request, "by_deg", -LARGEST_TURN_DEG, LARGEST_TURN_DEG, "°")
        if self._bench.motor_enabled:
            raise HandRefused("the motor holds the platter; wait until its current is off")
        self._bench.world.platter.turn_by_hand(delta_deg, self._bench.clock.now_s())

    def _turn_mat(self, request: Mapping[str, Any]) -> None:
        self._bench.world.mat_turned_deg += _number(request, "by_deg", -LARGEST_TURN_DEG, LARGEST_TURN_DEG, "°")


def truth(bench: Bench) -> dict[str, object]:
    """Return how the world is at this moment, as plain values."""
    world = bench.world
    return {
        "bench_s": world.clock.now_s(),
        "angle_deg": world.angle_deg,
        "settled_angle_deg": world.platter.settled_angle_deg,
        "motor_steps": world.platter.motor_steps,
        "pulses": world.pulses,
        "motor_enabled": bench.motor_enabled,
        "plugged_in": bench.table.plugged_in if bench.table is not None else None,
        "bytes_lost": bench.table.bytes_lost if bench.table is not None else 0,
        "button_down": bench.finger.is_down,
        "exposures": world.exposures,
        "pictures": world.pictures,
        "object_present": world.object_present,
        "object_upside_down": world.object_upside_down,
        "lamp_lit": world.lamp.lit,
        "lamp_flashes": [[flash.at_s, flash.lit] for flash in world.lamp.flashes()[-FLASHES_TOLD:]],
        "system_s": time.monotonic(),
        "light_level": world.light.level if world.light.fitted else None,
        "light_colour": world.light.levels if world.light.fitted else None,
        "camera_elevation_deg": world.camera_elevation_deg,
        "jammed": world.jammed,
        "pulses_lost": world.pulses_lost,
        "mat_turned_deg": world.mat_turned_deg,
        "object_turned_deg": world.object_turned_deg,
        "camera_hangs": world.camera_hangs,
        "emergency_stop_pushed": world.emergency_stop_pushed,
    }


def _flag(request: Mapping[str, Any]) -> bool:
    value = request.get("on", True)
    if not isinstance(value, bool):
        raise HandRefused(f"on = {value!r}: use true or false")
    return value


def _elevation(request: Mapping[str, Any]) -> float:
    value = request.get("elevation_deg")
    if isinstance(value, bool) or not isinstance(value, int | float) or not -90 <= value <= 90:
        raise HandRefused(f"elevation_deg = {value!r}: use -90 to 90")
    return float(value)


def _seconds(request: Mapping[str, Any], name: str, limit_s: float, default: float | None = None) -> float:
    return _number(request, name, 0.0, limit_s, "s", default)


def _number(
    request: Mapping[str, Any], name: str, least: float, most: float, unit: str, default: float | None = None
) -> float:
    value = request.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise HandRefused(f"{name} = {value!r}: use {least:g} to {most:g} {unit}")
    return float(value)


def _whole(request: Mapping[str, Any], name: str, most: int) -> int:
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise HandRefused(f"{name} = {value!r}: use a whole number, 0 to {most}")
    return value


class _Server(socketserver.ThreadingUnixStreamServer):
    """A thread for each connection; `server_close` waits for them."""

    request_queue_size = 16

    def __init__(self, path: Path, answer: Callable[[bytes], dict[str, object]]) -> None:
        self.answer = answer
        self._open: set[socket.socket] = set()
        if path.is_socket():
            path.unlink()
        super().__init__(str(path), _Connection)

    def server_bind(self) -> None:
        super().server_bind()
        # Before anybody can connect: nobody listens yet.
        Path(str(self.server_address)).chmod(0o600)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every connection: their threads read the end of the line and leave."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                LOG.debug("a client of the hand had hung up already")


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        try:
            while (line := self.rfile.readline(LINE_BYTES)).endswith(b"\n"):
                self.wfile.write(json.dumps(self.server.answer(line)).encode() + b"\n")
        except OSError as error:
            LOG.debug("a client of the hand is gone: %s", error)
