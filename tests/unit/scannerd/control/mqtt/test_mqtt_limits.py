"""The parts that set limits, each for itself."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerd.config import Config
from scannerd.control.mqtt.allowance import Allowance
from scannerd.control.mqtt.broker_client import Arrival
from scannerd.control.mqtt.connection import BrokerUnusable, Retry, Timing, password_in
from scannerd.control.mqtt.inbox import Inbox
from scannerd.control.mqtt.options import OptionShelf
from scannerd.control.mqtt.outbox import WAITING_NEWS, WAITING_NOTICES, Outbox, Outgoing
from scannerd.control.mqtt.preview import LARGEST_PREVIEW_BYTES, small_jpeg
from scannerd.control.mqtt.topics import Topics
from scannerd.requests import Answer, AnswerStatus, Request

TOPICS = Topics("scannerd", "bench")


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_an_allowance_lets_a_burst_through_and_then_so_many_a_second() -> None:
    clock = Clock()
    allowance = Allowance(10, 30, clock)
    assert sum(allowance.take() for _ in range(100)) == 30
    clock.now_s += 1
    assert sum(allowance.take() for _ in range(100)) == 10
    clock.now_s += 1000
    assert sum(allowance.take() for _ in range(100)) == 30


def test_an_outbox_keeps_the_latest_of_each_notice_and_the_last_news() -> None:
    outbox = Outbox()
    for number in range(1000):
        outbox.put(Outgoing("event", str(number).encode()))
        outbox.put(Outgoing("state", str(number).encode(), retain=True))
        outbox.put(Outgoing(f"scan/{number}", b"", retain=True))
    assert len(outbox) == WAITING_NEWS + WAITING_NOTICES
    assert outbox.dropped == 1000 - WAITING_NEWS
    taken = [outbox.take() for _ in range(len(outbox))]
    assert [message.payload for message in taken if message.is_news][-1] == b"999"
    assert len(outbox) == 0


def test_what_could_not_be_sent_goes_first_unless_it_will_be_told_anew() -> None:
    outbox = Outbox()
    outbox.put(Outgoing("event", b"2"))
    outbox.put_back(Outgoing("event", b"1"))
    outbox.put_back(Outgoing("state", b"old", retain=True))
    outbox.put_back(Outgoing("scan/gone/progress", b"", retain=True))
    assert [outbox.take().topic for _ in range(3)] == ["scan/gone/progress", "event", "event"]


@given(st.text(max_size=300))
def test_an_answer_goes_below_reply_or_nowhere(own: str) -> None:
    for topic in (own, f"scannerd/bench/reply/{own}"):
        if TOPICS.why_not_answer_on(topic) is None:
            assert topic.startswith("scannerd/bench/reply/")
            assert not set(topic) & set("+#\0$ ")
            assert "//" not in topic


@given(st.text(max_size=100))
def test_names_in_topics_have_one_level(name: str) -> None:
    assert TOPICS.progress_scan_id(TOPICS.progress(name)) == (name if name and "/" not in name else None)
    assert TOPICS.option_name(TOPICS.option(name)) == (name if name and "/" not in name else None)


def test_waits_grow_and_are_never_the_same_for_all() -> None:
    retry = Retry(Timing(first_retry_s=1, longest_retry_s=60))
    delays = [retry.delay_s() for _ in range(40)]
    for number, delay in enumerate(delays):
        longest = min(60, 2**number)
        assert longest / 2 <= delay <= longest
    assert len(set(delays)) == len(delays)
    retry.forget()
    assert retry.delay_s() <= 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_password_that_others_can_read_is_not_used(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "password"
    file.write_text("secret\n")
    file.chmod(mode)
    with pytest.raises(BrokerUnusable, match=f"has mode {mode:04o} and others may read it; chmod 600"):
        password_in(file)
    file.chmod(0o600)
    assert password_in(file) == "secret"


def test_a_picture_is_made_small_enough_whatever_it_shows() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    big = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    assert len(big) > 5 * LARGEST_PREVIEW_BYTES
    small = small_jpeg(big)
    assert len(small) <= LARGEST_PREVIEW_BYTES
    assert cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_COLOR) is not None
    assert small_jpeg(small) is small


class Asked:
    """A scanner that accepts everything, when it is let."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer = asyncio.Event()
        self.events = SimpleNamespace(seq=7)

    async def ask(self, request: Request) -> Answer:
        self.requests.append(request)
        await self.answer.wait()
        return Answer(request.command_id, AnswerStatus.ACCEPTED)


def an_inbox(scanner: Asked, group: asyncio.TaskGroup, clock: Clock) -> tuple[Inbox, Outbox]:
    outbox = Outbox()
    taken: Any = scanner
    return Inbox(taken, TOPICS, outbox, OptionShelf(Config), group, clock), outbox


async def test_more_than_a_broker_should_pass_on_is_refused_all_the_same() -> None:
    scanner, clock = Asked(), Clock()
    settled: list[str] = []
    async with asyncio.TaskGroup() as group:
        inbox, outbox = an_inbox(scanner, group, clock)
        inbox.take(Arrival(TOPICS.command, b"x" * 1_000_000), False, lambda: settled.append("1 MB"))
    assert b"1000000 bytes are too many" in outbox.take().payload
    assert settled == ["1 MB"]
    assert not scanner.requests


async def test_a_message_is_settled_when_it_is_answered_and_not_before() -> None:
    scanner, clock = Asked(), Clock()
    settled: list[str] = []
    async with asyncio.TaskGroup() as group:
        inbox, outbox = an_inbox(scanner, group, clock)
        arrival = Arrival(TOPICS.command, b'{"command": "home", "command_id": "h"}')
        inbox.take(arrival, False, lambda: settled.append("home"))
        await asyncio.sleep(0)
        assert [request.command_id for request in scanner.requests] == ["h"]
        assert not settled
        scanner.answer.set()
    assert settled == ["home"]
    assert outbox.take().topic == "scannerd/bench/reply/h"


async def test_one_press_that_is_delivered_twice_is_one() -> None:
    scanner, clock = Asked(), Clock()
    scanner.answer.set()
    async with asyncio.TaskGroup() as group:
        inbox, outbox = an_inbox(scanner, group, clock)

        def press(**how: Any) -> None:
            inbox.take(Arrival(TOPICS.press, b"home", **how), False, lambda: None)

        press()
        clock.now_s += 1.0
        press()
        clock.now_s += 2.5
        press(dup=True)
        press()
    assert len(scanner.requests) == 2
    assert len({request.command_id for request in scanner.requests}) == 2
    said = [outbox.take().payload for _ in range(len(outbox))]
    assert sum(b"count as one" in payload for payload in said) == 1
    assert sum(b"may have been delivered before" in payload for payload in said) == 1


async def test_commands_that_nobody_answers_do_not_pile_up() -> None:
    scanner, clock = Asked(), Clock()
    async with asyncio.TaskGroup() as group:
        inbox, outbox = an_inbox(scanner, group, clock)
        for number in range(500):
            clock.now_s += 0.2
            payload = f'{{"command": "home", "command_id": "h{number}"}}'.encode()
            inbox.take(Arrival(TOPICS.command, payload), False, lambda: None)
        await asyncio.sleep(0)
        assert len(scanner.requests) == 64
        assert b"64 commands wait for their answers" in outbox.take().payload
        scanner.answer.set()
