"""Follows what happens and puts it into words for the broker; whether one is there does not matter here."""

import asyncio
import contextlib

from scannerd.control.messages import EventMessage
from scannerd.control.mqtt.options import OptionShelf
from scannerd.control.mqtt.outbox import NEWS_KEPT_S, Outbox, Outgoing
from scannerd.control.mqtt.preview import PreviewTeller
from scannerd.control.mqtt.progress import ProgressShelf
from scannerd.control.mqtt.topics import Topics
from scannerd.control.scanner import Scanner
from scannerd.events import FrameStored

SOONEST_STATE_S = 0.5
"""Between two states: what happens in between is in the second."""
LATEST_STATE_S = 30.0
"""Also when nothing happens: the disk fills, the time goes by."""


class Teller:
    """Tells events at once, state and progress at most twice a second."""

    def __init__(
        self,
        scanner: Scanner,
        topics: Topics,
        outbox: Outbox,
        options: OptionShelf,
        progress: ProgressShelf,
        preview: PreviewTeller,
    ) -> None:
        self._scanner = scanner
        self._topics = topics
        self._outbox = outbox
        self._options = options
        self._progress = progress
        self._preview = preview
        self._news = asyncio.Event()
        self._told = 0
        """Number of the latest event that was told."""

    def show_again(self) -> None:
        """Tell everything that is kept by a broker anew."""
        self._progress.show_again()
        self._tell_options()
        self.tell_state()
        self._news.set()

    def found_progress(self, scan_id: str) -> None:
        """Deal with a progress that lies with the broker."""
        self._progress.found(scan_id)
        self._news.set()

    def tell_state(self) -> None:
        """Tell the state of this moment."""
        state = self._scanner.board.state().model_dump_json().encode()
        self._outbox.put(Outgoing(self._topics.state, state, retain=True))

    async def tell_the_end(self) -> None:
        """Tell how things stand when the daemon goes down: nothing runs any more."""
        self.tell_state()
        self._progress.stop_showing_run()
        await self._progress.tell()

    async def follow_events(self) -> None:
        """Tell what happens, from the daemon's start on, until cancelled or until the daemon ends."""
        with self._scanner.events.subscribe(after=self._told) as events:
            async for numbered in events.numbered():
                self._told = numbered.seq
                told = EventMessage.of(numbered).model_dump_json().encode()
                self._outbox.put(Outgoing(self._topics.event, told, expiry_s=NEWS_KEPT_S))
                self._progress.follow(numbered.event)
                if isinstance(numbered.event, FrameStored):
                    self._preview.want()
                self._news.set()

    async def tell_changes(self) -> None:
        """Tell state and progress when they changed, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LATEST_STATE_S):
                    await self._news.wait()
            self._news.clear()
            self.tell_state()
            await self._progress.tell()
            if self._progress.waiting:
                self._news.set()
            await asyncio.sleep(SOONEST_STATE_S)

    def _tell_options(self) -> None:
        options = self._options.shown().model_dump_json().encode()
        self._outbox.put(Outgoing(self._topics.options, options, retain=True))
