"""Trying again: until it works, or until the limit; anything else ends at once."""

import asyncio
import random
from itertools import pairwise

import pytest
from virtual_time import in_virtual_time

from offload.sync.patience import FIRST_PAUSE_S, GROWTH, LONGEST_PAUSE_S, Patience
from offload.sync.trouble import ServiceRefused, ServiceUnreachable

WEEK_S = 7 * 86_400


def failing(*outcomes):
    left = list(outcomes)

    async def attempt():
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return attempt


async def test_it_goes_on_until_it_works_and_says_when_the_trouble_is_over():
    notes = []
    attempt = failing(ServiceUnreachable("one"), ServiceUnreachable("two"), 7)
    assert await Patience().call(attempt, notes.append) == 7
    assert [note and str(note) for note in notes] == ["one", "two", None]


async def test_it_ends_with_the_last_trouble_once_the_limit_would_pass():
    with pytest.raises(ServiceUnreachable, match="again"):
        await Patience(limit_s=0.0).call(failing(ServiceUnreachable("again"), 7), lambda _: None)


async def test_what_waiting_cannot_help_ends_at_once():
    with pytest.raises(ServiceRefused):
        await Patience().call(failing(ServiceRefused("never"), 7), lambda _: None)


@in_virtual_time
async def test_a_week_without_a_service_is_a_knock_a_minute_and_it_is_found_again_within_one():
    loop, knocks_s = asyncio.get_running_loop(), []
    back_s = loop.time() + WEEK_S

    async def attempt():
        knocks_s.append(loop.time())
        if loop.time() < back_s:
            raise ServiceUnreachable("gone")

    await Patience(chance=random.Random(1)).call(attempt, lambda _: None)
    pauses_s = [later - sooner for sooner, later in pairwise(knocks_s)]
    assert max(pauses_s) <= LONGEST_PAUSE_S
    assert min(pauses_s[20:]) < LONGEST_PAUSE_S / 100, "full jitter: two devices of a shop do not knock together"
    assert knocks_s[-1] <= back_s + LONGEST_PAUSE_S
    assert len(knocks_s) < 3 * WEEK_S / LONGEST_PAUSE_S


@in_virtual_time
async def test_what_got_on_is_tried_again_soon():
    loop, offset_bytes, began_s = asyncio.get_running_loop(), 0, asyncio.get_running_loop().time()

    async def attempt():
        nonlocal offset_bytes
        offset_bytes += 1
        if offset_bytes < 1000:
            raise ServiceUnreachable("cut")

    await Patience(limit_s=5, chance=random.Random(1)).call(attempt, lambda _: None, lambda: offset_bytes)
    assert loop.time() - began_s < 1000 * FIRST_PAUSE_S * GROWTH
