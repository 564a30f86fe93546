"""What waits for the broker. It has an end: a broker that is slow or gone neither stops the daemon nor fills it."""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass

WAITING_NEWS = 256
"""So many answers and events wait for a broker that is away, the latest."""
WAITING_NOTICES = 128
"""Retained topics that changed; of each only the latest value waits."""

NEWS_KEPT_S = 3600
"""So long the broker keeps answers and events for a listener that is away."""


@dataclass(frozen=True)
class Outgoing:
    """One message. What is retained is a notice: a later one on the same topic replaces an earlier one."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 1
    correlation_data: bytes | None = None
    expiry_s: int | None = None
    """The broker keeps it no longer for a listener that is away."""

    @property
    def is_news(self) -> bool:
        """Whether each one counts; of a notice or picture only the latest does."""
        return not self.retain and self.qos > 0


class Outbox:
    """Notices go first, then news in their order."""

    def __init__(self) -> None:
        self._notices: OrderedDict[str, Outgoing] = OrderedDict()
        self._news: deque[Outgoing] = deque(maxlen=WAITING_NEWS)
        self._something = asyncio.Event()
        self.dropped = 0
        """News that nobody will hear, since others came after them."""

    def __len__(self) -> int:
        return len(self._notices) + len(self._news)

    def put(self, message: Outgoing) -> None:
        """Have a message sent when its turn comes; never waits."""
        if not message.is_news:
            self._notices[message.topic] = message
            if len(self._notices) > WAITING_NOTICES:
                self._notices.popitem(last=False)
        else:
            self.dropped += len(self._news) == self._news.maxlen
            self._news.append(message)
        self._something.set()

    def put_back(self, message: Outgoing) -> None:
        """Take a message back that could not be sent; it goes first next time.

        A notice is not kept, unless it takes a topic away: it is told anew with the next connection.
        """
        if message.retain and not message.payload:
            self._notices.setdefault(message.topic, message)
        elif message.is_news and len(self._news) < WAITING_NEWS:
            self._news.appendleft(message)
        self._something.set()

    async def next(self) -> Outgoing:
        """Wait for a message and take it out."""
        while not len(self):
            self._something.clear()
            await self._something.wait()
        return self.take()

    def take(self) -> Outgoing:
        """Take the next message out. Raises IndexError when there is none."""
        if self._notices:
            return self._notices.popitem(last=False)[1]
        return self._news.popleft()
