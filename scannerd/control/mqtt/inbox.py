"""What comes in: each message is checked, handed in once, and answered."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from pydantic import ValidationError

from scannerd.control.messages import COMMAND_MESSAGES, AnswerMessage, CommandMessage, request_of
from scannerd.control.mqtt.allowance import Allowance
from scannerd.control.mqtt.broker_client import Arrival
from scannerd.control.mqtt.options import OptionRefused, OptionShelf
from scannerd.control.mqtt.outbox import NEWS_KEPT_S, Outbox, Outgoing
from scannerd.control.mqtt.rejections import faults_in, id_in, refusal, rejection
from scannerd.control.mqtt.topics import Topics
from scannerd.control.scanner import Scanner
from scannerd.requests import Answer, AnswerStatus

LOG = logging.getLogger(__name__)

LARGEST_PAYLOAD_BYTES = 8192
COMMANDS_PER_S, COMMANDS_AT_ONCE = 10.0, 30
REFUSALS_PER_S, REFUSALS_AT_ONCE = 10.0, 50
MOST_IN_HAND = 64
"""So many commands wait for their answers; each costs memory."""
REPEAT_S = 2.0
"""The same words without an id, again within this time, are one press that was delivered twice."""
REMEMBERED_WORDS = 64
SETTLED_S = 2.0
"""By then a command is in the ledger, also when its answer takes minutes: the broker may forget it."""
DROPPED_TOLD_S = 2.0

PRESSES = ("start", "pause", "resume", "cancel", "stop", "home", "background")
"""The words of a dashboard's buttons."""
HARMLESS_LATE = ("pause", "cancel", "delete", "restore", "send_first")
"""They move nothing. With the scan's name in them they cannot meet another scan than was meant."""


class Inbox:
    """Takes messages as they come, in the event loop; commands run as tasks of the door."""

    def __init__(
        self,
        scanner: Scanner,
        topics: Topics,
        outbox: Outbox,
        options: OptionShelf,
        group: asyncio.TaskGroup,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scanner = scanner
        self._topics = topics
        self._outbox = outbox
        self._options = options
        self._group = group
        self._monotonic_s = monotonic_s
        self._commands = Allowance(COMMANDS_PER_S, COMMANDS_AT_ONCE, monotonic_s)
        self._refusals = Allowance(REFUSALS_PER_S, REFUSALS_AT_ONCE, monotonic_s)
        self._words: OrderedDict[bytes, float] = OrderedDict()
        self._in_hand = 0
        self._dropped_untold = 0
        self.dropped = 0
        """Messages that were not even answered, because there were too many."""

    def take(self, arrival: Arrival, waited: bool, settle: Callable[[], None]) -> None:
        """Deal with a message on the topics command, press or option.

        `waited`: it may have lain with the broker while the scanner was away. `settle` tells the broker that it need
        not deliver the message again.
        """
        if not arrival.payload:
            # That is how a retained message is taken away from a broker.
            settle()
            return
        if self._commands.take():
            reason = self._why_not(arrival) or self._hand_in(arrival, waited, settle)
        else:
            reason = f"too many: {COMMANDS_PER_S:.0f} commands a second are listened to"
        if reason is not None:
            self._reject(arrival, reason)
            settle()

    def lost(self, count: int) -> None:
        """Count messages that were dropped before anybody looked at them."""
        self._count_dropped(count)

    def _why_not(self, arrival: Arrival) -> str | None:
        size_bytes = len(arrival.payload)
        if size_bytes > LARGEST_PAYLOAD_BYTES:
            return f"{size_bytes} bytes are too many; a command has at most {LARGEST_PAYLOAD_BYTES}"
        if arrival.response_topic is not None:
            return self._topics.why_not_answer_on(arrival.response_topic)
        return None

    def _hand_in(self, arrival: Arrival, waited: bool, settle: Callable[[], None]) -> str | None:
        """Return why not; what was taken is settled from here."""
        option = self._topics.option_name(arrival.topic)
        if option is None:
            return self._ask(arrival, waited, settle)
        try:
            self._options.choose(option, arrival.payload)
        except OptionRefused as refused:
            return str(refused)
        finally:
            # Also after a refusal: the dashboard shows what was set there until it hears what is.
            shown = self._options.shown().model_dump_json().encode()
            self._outbox.put(Outgoing(self._topics.options, shown, retain=True))
        settle()
        return None

    def _ask(self, arrival: Arrival, waited: bool, settle: Callable[[], None]) -> str | None:
        try:
            message = self._message(arrival)
        except ValidationError as error:
            return faults_in(error)
        stale = self._why_too_late(message, arrival, waited)
        if message.command_id is None:
            reason = stale or self._why_a_repeat(message, arrival)
            if reason is not None:
                return reason
        if self._in_hand >= MOST_IN_HAND:
            return f"{MOST_IN_HAND} commands wait for their answers; wait too"
        self._in_hand += 1
        self._group.create_task(self._carry_out(message, stale, arrival, settle), name=f"mqtt {message.command}")
        return None

    def _message(self, arrival: Arrival) -> CommandMessage:
        """Raises ValidationError."""
        if arrival.topic == self._topics.command:
            return COMMAND_MESSAGES.validate_json(arrival.payload)
        word = arrival.payload[:40].decode(errors="replace").strip().lower()
        options = self._options.chosen() if word == "start" else {}
        return COMMAND_MESSAGES.validate_python({"command": word, **options})

    def _why_too_late(self, message: CommandMessage, arrival: Arrival, waited: bool) -> str | None:
        if arrival.retained:
            return "it was sent to be retained, and would come again with every connection; send it without retain"
        if not waited or arrival.expires or message.expires_at is not None:
            return None
        if message.command in HARMLESS_LATE and getattr(message, "scan_id", None) is not None:
            return None
        return (
            "it may have waited while the scanner was away, and does not say how long it is good; "
            "send it again, or with expires_at"
        )

    def _why_a_repeat(self, message: CommandMessage, arrival: Arrival) -> str | None:
        """Without an id nothing but these tells two presses from one that was delivered twice."""
        if arrival.dup:
            return "it may have been delivered before, and has no command_id to tell; send it again"
        words, now_s = arrival.topic.encode() + b" " + arrival.payload, self._monotonic_s()
        before_s = self._words.pop(words, None)
        self._words[words] = now_s
        if len(self._words) > REMEMBERED_WORDS:
            self._words.popitem(last=False)
        if before_s is None or now_s - before_s >= REPEAT_S or message.command in ("jog", "light"):
            return None
        return f"the same came {now_s - before_s:.1f} s before; without a command_id both count as one"

    async def _carry_out(
        self, message: CommandMessage, stale: str | None, arrival: Arrival, settle: Callable[[], None]
    ) -> None:
        """Only the reception knows whether a command that comes late was carried out before."""
        request = replace(request_of(message, "mqtt"), stale=stale)
        latest = asyncio.get_running_loop().call_later(SETTLED_S, settle)
        try:
            answer = await self._scanner.ask(request)
        except Exception as fault:
            LOG.exception("mqtt: %s: fault inside the daemon", message.command)
            reason = f"fault inside the daemon: {fault!r}; see the log"
            answer = Answer(request.command_id, AnswerStatus.FAILED, reason=reason)
        finally:
            self._in_hand -= 1
            latest.cancel()
        self._reply(arrival, AnswerMessage.of(answer))
        settle()

    def _reject(self, arrival: Arrival, reason: str) -> None:
        if not self._refusals.take():
            self._count_dropped(1)
            return
        command_id = id_in(arrival.payload) if len(arrival.payload) <= LARGEST_PAYLOAD_BYTES else None
        self._reply(arrival, refusal(command_id or "", reason))
        if command_id is None:
            self._tell(arrival.topic, reason)

    def _count_dropped(self, count: int) -> None:
        self.dropped += count
        if self._dropped_untold == 0:
            asyncio.get_running_loop().call_later(DROPPED_TOLD_S, self._tell_dropped)
        self._dropped_untold += count

    def _tell_dropped(self) -> None:
        dropped, self._dropped_untold = self._dropped_untold, 0
        self._tell(self._topics.command, f"{dropped} messages were too many and were not answered", dropped)

    def _tell(self, topic: str, reason: str, dropped: int = 0) -> None:
        told = rejection(topic, reason, self._scanner.events.seq, dropped)
        self._outbox.put(Outgoing(self._topics.event, told.model_dump_json().encode(), expiry_s=NEWS_KEPT_S))

    def _reply(self, arrival: Arrival, answer: AnswerMessage) -> None:
        """Answer where the sender wants it, and on the command's own topic."""
        payload = answer.model_dump_json().encode()
        topics = {self._topics.reply(answer.command_id)} if answer.command_id else set()
        if arrival.response_topic is not None and self._topics.why_not_answer_on(arrival.response_topic) is None:
            topics.add(arrival.response_topic)
        for topic in sorted(topics):
            self._outbox.put(Outgoing(topic, payload, False, 1, arrival.correlation_data, NEWS_KEPT_S))
