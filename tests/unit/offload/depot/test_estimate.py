"""How long a job takes: the median of those before it, then its own pace."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from offload.depot.estimate import estimate_s, seconds_left
from offload.depot.instant import now
from offload.depot.new_job import NewJob, add_job
from offload.depot.tables import JOBS
from offload.wire.jobs import JobState

MOMENT = now()


def test_the_median_of_the_last_twenty(engine):
    with engine.begin() as connection:
        assert estimate_s(connection, 10) is None
        took = [(1000.0, 1)] * 30 + [(30.0, 10)] * 19 + [(5000.0, 1)]
        for number, (took_s, photos) in enumerate(took):
            assert add_job(connection, NewJob(job_id=f"{number}", scan_id="s"))
            done = {"state": JobState.COMPLETED, "took_s": took_s, "photos": photos}
            at = MOMENT + timedelta(seconds=number)
            mine = sa.update(JOBS).where(JOBS.c.job_id == f"{number}")
            connection.execute(mine.values(updated_at=at, **done))
        assert estimate_s(connection, 10) == 30.0
        assert estimate_s(connection, 72) == 216.0
        assert estimate_s(connection, None) is None


@pytest.mark.parametrize(
    ("state", "percent", "estimate", "left_s"),
    [
        (JobState.QUEUED, 0.0, 123.4, 120.0),
        (JobState.QUEUED, 0.0, None, None),
        (JobState.RUNNING, 9.0, 300.0, 200.0),
        (JobState.RUNNING, 9.0, 50.0, 0.0),
        (JobState.RUNNING, 9.0, None, None),
        (JobState.RUNNING, 10.0, 50.0, 900.0),
        (JobState.RUNNING, 80.0, None, 25.0),
        (JobState.RUNNING, 100.0, 50.0, 0.0),
        (JobState.COMPLETED, 100.0, 50.0, None),
        (JobState.CANCELLED, 50.0, 50.0, None),
    ],
)
def test_what_is_left(state, percent, estimate, left_s):
    row = {"state": state, "percent": percent, "estimate_s": estimate, "claimed_at": MOMENT}
    assert seconds_left(row, MOMENT + timedelta(seconds=100)) == left_s
