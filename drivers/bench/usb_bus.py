"""What the streams of USB cameras share: a bus has room for so many bytes a second, which are claimed beforehand."""

import math
import threading


class UsbBus:
    """One host controller's."""

    def __init__(self, room_bytes_s: float = math.inf, number: int = 1) -> None:
        """`room_bytes_s` is all that the streams may claim together; the kernel calls it usb and its number."""
        self.number = number
        self.room_bytes_s = room_bytes_s
        self._lock = threading.Lock()
        self._claimed_bytes_s: dict[object, float] = {}
        self.most_streams = 0
        """That ran at once."""

    def claim(self, stream: object, bytes_s: float) -> bool:
        """Reserve room for a stream; return whether there was any."""
        with self._lock:
            if sum(self._claimed_bytes_s.values()) + bytes_s > self.room_bytes_s:
                return False
            self._claimed_bytes_s[stream] = bytes_s
            self.most_streams = max(self.most_streams, len(self._claimed_bytes_s))
            return True

    def release(self, stream: object) -> None:
        """That stream has stopped; nothing where it had not begun."""
        with self._lock:
            self._claimed_bytes_s.pop(stream, None)
