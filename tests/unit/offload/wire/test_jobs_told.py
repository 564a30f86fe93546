"""What is told of a job: nothing of what is not, and more than an older device knows."""

from datetime import UTC, datetime

import httpx
import pytest

from offload.sync.client import _parsed
from offload.sync.trouble import ServiceRefused
from offload.wire.jobs import Cause, Job, JobState, Priority

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = Job(job_id="j", scan_id="s", state=JobState.QUEUED, created_at=MOMENT, updated_at=MOMENT)


def test_what_is_not_is_left_out():
    told = PLAIN.model_dump()
    assert not {"priority", "cause", "dead", "seconds_left", "waits_for"} & set(told)
    more = {"priority": Priority.URGENT, "cause": Cause.BUG, "dead": True, "seconds_left": 0.0, "waits_for": "x"}
    told = PLAIN.model_copy(update=more).model_dump_json()
    assert Job.model_validate_json(told) == PLAIN.model_copy(update=more)
    assert '"seconds_left":0.0' in told


def test_a_newer_services_words_are_passed_over():
    newer = httpx.Response(200, text=PLAIN.model_dump_json()[:-1] + ',"colour":"blue"}')
    assert _parsed(Job, newer) == PLAIN
    with pytest.raises(ServiceRefused):
        _parsed(Job, httpx.Response(200, text="{}", request=httpx.Request("GET", "http://service")))
