"""A motion controller at a serial port, with a thread of its own that talks; axes at the same port share it."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, TypeVar

from drivers.options_serial import SerialAxisOptions
from drivers.protocols import Clock, DriverError, LinkBroken, NeedsPerson
from drivers.serial_link import AxisAtPort, PositionLost, SerialLink, Wishes
from drivers.serial_port import PortGone, SerialPort

T = TypeVar("T")

APPEARS_S = 3.0
"""A cable that is plugged in again has its port back after so long, with udev's name."""
HALT_S = 1.0


class SerialBoard:
    """One controller. What its axes want is done one after the other, in its thread.

    A fault that costs one axis its place costs it all of them: `epoch` counts those.
    """

    _at_ports: ClassVar[dict[tuple[str, str], "SerialBoard"]] = {}
    """Boards in use, by port and language: a port can be opened once in a process, whoever wants it."""
    _finding: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, key: tuple[str, str], name: str) -> None:
        """Nothing is opened yet; see `join`."""
        self._key = key
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._wishes: list[Wishes] = []
        self._links: dict[int, SerialLink] = {}
        self._port: SerialPort | None = None
        self._doubtful = False
        """Bytes were lost: both sides have to find each other again."""
        self._halting = False
        self.epoch = 0
        self.halts = 0

    @classmethod
    def join(cls, link: type[SerialLink], options: SerialAxisOptions, wishes: Wishes) -> "SerialBoard":
        """Return the board at this port for one axis more, which has to `leave` it."""
        key = (options.port, link.__name__)
        with cls._finding:
            board = cls._at_ports.get(key)
            if board is None:
                board = cls._at_ports[key] = cls(key, options.name)
            board._wishes.append(wishes)
            return board

    @property
    def executor(self) -> ThreadPoolExecutor:
        """The thread that talks."""
        return self._thread

    def leave(self, wishes: Wishes) -> None:
        """One axis less; the last one ends the thread. Its port is closed already: see `hang_up`."""
        with self._finding:
            if wishes not in self._wishes:
                return
            self._wishes.remove(wishes)
            if self._wishes:
                return
            self._at_ports.pop(self._key, None)
        self._thread.shutdown()

    def guarded(self, work: Callable[[], T], found_again: Callable[[], None]) -> Callable[[], T]:
        """Return the work for the thread, with what a fault leaves behind.

        `found_again` is called where bytes were lost and the count holds. It may raise DriverError.
        """

        def doing() -> T:
            try:
                return work()
            except (PortGone, PositionLost, NeedsPerson):
                self.lose()
                raise
            except LinkBroken:
                self._recover(found_again)
                raise
            except DriverError:
                self._doubtful = True
                raise

        return doing

    def link(self, kind: type[SerialLink], options: SerialAxisOptions, clock: Clock, wishes: Wishes) -> SerialLink:
        """In the thread: return an axis's link that works. Raises LinkBroken, NeedsPerson."""
        if self._doubtful and (first := self._any_link()) is not None:
            try:
                first.resync()
            except DriverError:
                self.lose()
        self._doubtful = False
        known = self._links.get(id(wishes))
        if known is not None:
            return known
        beside = self._any_link()
        if self._port is None:
            self._port = SerialPort(options.name, options.port, options.baud or kind.BAUDS[0], APPEARS_S)
        link = kind(AxisAtPort(options, clock, self._port, wishes), beside)
        try:
            link.greet() if beside is None else link.set_up()
        except DriverError:
            link.part()
            if beside is None:
                self._close_port()
            raise
        self._links[id(wishes)] = link
        return link

    def known_link(self, wishes: Wishes) -> SerialLink | None:
        """Return an axis's link, if it has one."""
        return self._links.get(id(wishes))

    def halt(self) -> None:
        """Stop everything at once, from any thread."""
        self.halts += 1
        self.epoch += 1
        for wishes in list(self._wishes):
            wishes.halted.set()
            wishes.stand_still.set()
        link = self._any_link()
        if link is None or self._halting:
            return
        self._halting = True
        with contextlib.suppress(LinkBroken):  # A cable that is pulled cannot stop anything.
            link.port.write(link.HALT)
        try:
            self._thread.submit(self._after_halt)
        except RuntimeError:
            self._halting = False  # The thread has ended with the axes.

    def wait_briefly(self) -> None:
        """Return once the thread has done what it was told before, or will not soon."""
        with contextlib.suppress(RuntimeError, TimeoutError):
            self._thread.submit(lambda: None).result(HALT_S)

    def lose(self) -> None:
        """In the thread: forget the port and everything that was known by it."""
        self.epoch += 1
        self._links.clear()
        self._close_port()

    def hang_up(self, wishes: Wishes) -> None:
        """In the thread: one axis's current off; the port is closed with the last one."""
        link = self._links.get(id(wishes))
        if link is None:
            return
        wishes.halted.clear()
        with contextlib.suppress(DriverError):  # It is closed all the same; a broken cable switches nothing off.
            if self._doubtful:
                link.resync()
                self._doubtful = False
            link.release()
        link.part()
        del self._links[id(wishes)]
        if not self._links:
            self._close_port()

    def _recover(self, found_again: Callable[[], None]) -> None:
        """In the thread: bytes were lost. Where both find each other again, the count holds."""
        link = self._any_link()
        if link is None or any(wishes.halted.is_set() for wishes in self._wishes):
            return
        try:
            link.resync()
            found_again()
        except DriverError:
            self.lose()

    def _after_halt(self) -> None:
        """In the thread, once what it did has given up: have the current off."""
        for wishes in list(self._wishes):
            wishes.halted.clear()
        link = self._any_link()
        try:
            if link is not None:
                link.after_halt()
        except DriverError:
            self.lose()
        finally:
            self._halting = False

    def _any_link(self) -> SerialLink | None:
        """Whatever concerns the whole controller is said by one of them."""
        links = list(self._links.values())
        return links[0] if links else None

    def _close_port(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.close()
