"""Where everything is said: the topics of one scanner."""

import re
from dataclasses import dataclass

LONGEST_RESPONSE_TOPIC = 200
_RESPONSE_LEVELS = re.compile(r"^[0-9A-Za-z._:-]+(/[0-9A-Za-z._:-]+)*$")


@dataclass(frozen=True)
class Topics:
    """All topics begin with `<prefix>/<slug>`; a broker's rules need one line for a scanner."""

    prefix: str
    slug: str

    @property
    def base(self) -> str:
        """What all topics of this scanner begin with."""
        return f"{self.prefix}/{self.slug}"

    @property
    def command(self) -> str:
        """In: commands as JSON."""
        return f"{self.base}/command"

    @property
    def press(self) -> str:
        """In: one word, as a button on a dashboard sends it."""
        return f"{self.base}/press"

    @property
    def option_filter(self) -> str:
        """In: what the next press of start should ask for."""
        return f"{self.base}/option/+"

    def option(self, name: str) -> str:
        """In: one option for the next press of start."""
        return f"{self.base}/option/{name}"

    def option_name(self, topic: str) -> str | None:
        """Return which option a topic sets; None for other topics."""
        return _last_level(topic, f"{self.base}/option/", "")

    @property
    def preview_wanted(self) -> str:
        """In: anything asks for one picture."""
        return f"{self.base}/preview/get"

    @property
    def marker(self) -> str:
        """In and out: what the scanner says to itself, to know that all that waited for it has come."""
        return f"{self.base}/marker"

    @property
    def options(self) -> str:
        """Out, retained: the options as they are."""
        return f"{self.base}/options"

    @property
    def state(self) -> str:
        """Out, retained: everything at a glance."""
        return f"{self.base}/state"

    @property
    def event(self) -> str:
        """Out: what happened."""
        return f"{self.base}/event"

    @property
    def preview(self) -> str:
        """Out: a small JPEG."""
        return f"{self.base}/preview"

    def preview_of(self, camera: str) -> str:
        """Out: a small JPEG of what one of the further cameras sees."""
        return f"{self.base}/camera/{camera}/preview"

    @property
    def availability(self) -> str:
        """Out, retained, and the last will: online or offline."""
        return f"{self.base}/availability"

    def reply(self, command_id: str) -> str:
        """Out: the answer to one command."""
        return f"{self.base}/reply/{command_id}"

    def progress(self, scan_id: str) -> str:
        """Out, retained: how far one scan is."""
        return f"{self.base}/scan/{scan_id}/progress"

    @property
    def progress_filter(self) -> str:
        """Every scan's progress, to find what an earlier start left with the broker."""
        return f"{self.base}/scan/+/progress"

    def progress_scan_id(self, topic: str) -> str | None:
        """Return which scan a progress topic is about; None for other topics."""
        return _last_level(topic, f"{self.base}/scan/", "/progress")

    def why_not_answer_on(self, topic: str) -> str | None:
        """Return why an answer does not go to this topic of the sender's choice; None when it may.

        Else whoever may send commands could have the scanner write wherever the scanner may.
        """
        below = f"{self.base}/reply/"
        if "+" in topic or "#" in topic:
            return f"response topic {topic[:80]!r} has a wildcard; name one topic below {below}"
        own = topic.removeprefix(below)
        if own == topic or len(topic) > LONGEST_RESPONSE_TOPIC or not _RESPONSE_LEVELS.match(own):
            return f"response topic {topic[:80]!r} is not allowed; use one below {below}, such as {below}tablet-1"
        return None


def _last_level(topic: str, before: str, after: str) -> str | None:
    if not topic.startswith(before) or not topic.endswith(after):
        return None
    level = topic[len(before) : len(topic) - len(after)]
    return level if level and "/" not in level else None
