"""Trying again: until it works, or until the limit; anything else ends at once."""

import pytest

from offload.sync.patience import Patience
from offload.sync.trouble import ServiceRefused, ServiceUnreachable


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
        await Patience(limit_s=0.01).call(failing(ServiceUnreachable("again"), 7), lambda _: None)


async def test_what_waiting_cannot_help_ends_at_once():
    with pytest.raises(ServiceRefused):
        await Patience().call(failing(ServiceRefused("never"), 7), lambda _: None)
