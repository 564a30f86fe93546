import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from scannerd.commands import Accepted, Command, CommandRefused, Home, Jog, StartScan
from scannerd.events import CommandAnswered, Event
from scannerd.requests import AnswerStatus, Request
from scannerd.store.durable import StoreFault
from scannerd.store.ledger import CommandLedger
from scannerd.work.reception import MAX_WAITING, Reception

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Desk:
    """Counts what it is asked to do."""

    def __init__(self, outcome: Callable[[], Awaitable[Accepted]]) -> None:
        self.done: list[Command] = []
        self.asked = asyncio.Event()
        self._outcome = outcome

    async def submit(self, command: Command) -> Accepted:
        self.done.append(command)
        self.asked.set()
        return await self._outcome()


async def accepting() -> Accepted:
    return Accepted("cup")


async def refusing() -> Accepted:
    raise CommandRefused("busy: scan cup is moving")


async def failing() -> Accepted:
    raise StoreFault("no space")


def reception(desk: Desk, folder: Path, told: list[Event] | None = None) -> Reception:
    publish = told.append if told is not None else lambda event: None
    return Reception(desk.submit, CommandLedger(folder / "commands.jsonl"), publish, lambda: NOW)


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (accepting, AnswerStatus.ACCEPTED, None),
        (refusing, AnswerStatus.REFUSED, "busy: scan cup is moving"),
        (failing, AnswerStatus.FAILED, "no space"),
    ],
)
async def test_a_repeat_gets_the_first_answer_also_after_a_restart(
    tmp_path: Path, outcome: Callable[[], Awaitable[Accepted]], status: AnswerStatus, reason: str | None
) -> None:
    told: list[Event] = []
    desk = Desk(outcome)
    for start in range(2):
        door = reception(desk, tmp_path, told)
        for time in range(2):
            answer = await door.ask(Request(Home(), "id-1", "mqtt"))
            assert (answer.status, answer.reason) == (status, reason)
            assert answer.repeated == (start + time > 0)
        door.close()
    assert desk.done == [Home()], "carried out once"
    assert len([event for event in told if isinstance(event, CommandAnswered)]) == 1


async def test_the_same_command_arriving_twice_at_once_is_carried_out_once(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def slow() -> Accepted:
        await release.wait()
        return Accepted("cup")

    desk = Desk(slow)
    door = reception(desk, tmp_path)
    request = Request(StartScan(), "id-1", "rest")
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(door.ask(request)) for _ in range(5)]
        await asyncio.wait_for(desk.asked.wait(), 60)
        release.set()
    assert len(desk.done) == 1
    assert sorted(task.result().repeated for task in asked) == [False, True, True, True, True]
    door.close()


async def test_an_id_that_is_used_for_another_command_is_refused(tmp_path: Path) -> None:
    desk = Desk(accepting)
    door = reception(desk, tmp_path)
    await door.ask(Request(Jog(10.0), "id-1", "rest"))
    answer = await door.ask(Request(Jog(20.0), "id-1", "rest"))
    assert answer.status is AnswerStatus.REFUSED
    assert "'id-1' was used for Jog(delta_deg=10.0)" in str(answer.reason)
    assert desk.done == [Jog(10.0)]
    door.close()


async def test_an_expired_command_is_refused_and_may_be_sent_again(tmp_path: Path) -> None:
    desk = Desk(accepting)
    door = reception(desk, tmp_path)
    late = await door.ask(Request(Home(), "id-1", "mqtt", NOW - timedelta(seconds=90)))
    assert (late.status, desk.done) == (AnswerStatus.REFUSED, [])
    assert "90 s after it expired" in str(late.reason)
    fresh = await door.ask(Request(Home(), "id-1", "mqtt", NOW + timedelta(seconds=1)))
    assert fresh.status is AnswerStatus.ACCEPTED
    door.close()


async def test_a_command_cut_off_by_a_restart_is_not_tried_again(tmp_path: Path) -> None:
    CommandLedger(tmp_path / "commands.jsonl").begin("id-1", repr(StartScan()))
    desk = Desk(accepting)
    door = reception(desk, tmp_path)
    answer = await door.ask(Request(StartScan(), "id-1", "mqtt"))
    assert (answer.status, answer.repeated, desk.done) == (AnswerStatus.FAILED, True, [])
    assert "look at the state" in str(answer.reason)
    door.close()


async def test_a_flood_is_turned_away_and_what_is_under_way_is_answered(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def slow() -> Accepted:
        await release.wait()
        return Accepted()

    desk = Desk(slow)
    door = reception(desk, tmp_path)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(door.ask(Request(Home(), f"id-{number}", "rest"))) for number in range(200)]
        turned_away = islice(asyncio.as_completed(asked, timeout=60), 200 - MAX_WAITING)
        for early in turned_away:
            assert (await early).status is AnswerStatus.REFUSED
        release.set()
    statuses = [task.result().status for task in asked]
    assert statuses.count(AnswerStatus.ACCEPTED) == MAX_WAITING
    assert statuses.count(AnswerStatus.REFUSED) == 200 - MAX_WAITING
    door.close()


async def test_a_full_disk_keeps_nobody_from_pausing(tmp_path: Path) -> None:
    desk = Desk(accepting)
    door = reception(desk, tmp_path)
    (tmp_path / "commands.jsonl").unlink()
    (tmp_path / "commands.jsonl").mkdir()
    answer = await door.ask(Request(Home(), "id-1", "rest"))
    assert answer.status is AnswerStatus.ACCEPTED
    assert (await door.ask(Request(Home(), "id-1", "rest"))).repeated
    door.close()


async def test_a_stale_command_is_answered_if_it_was_carried_out_and_refused_if_not(tmp_path: Path) -> None:
    desk = Desk(accepting)
    first = reception(desk, tmp_path)
    await first.ask(Request(Home(), "known", "mqtt"))
    known = await first.ask(Request(Home(), "known", "mqtt", stale="it waited too long"))
    assert (known.status, known.repeated) == (AnswerStatus.ACCEPTED, True)
    new = await first.ask(Request(Home(), "new", "mqtt", stale="it waited too long"))
    assert (new.status, new.reason) == (AnswerStatus.REFUSED, "it waited too long")
    assert len(desk.done) == 1
    first.close()
