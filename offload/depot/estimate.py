"""How long a job takes, going by those before it, and by itself once it has come some way."""

import statistics
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from offload.depot.instant import now
from offload.depot.tables import JOBS
from offload.wire.jobs import JobState

LAST_JOBS = 20
TELLING_PERCENT = 10.0
"""From here on a job's own pace says more than that of others."""


def estimate_s(connection: sa.Connection, photos: int | None) -> float | None:
    """Return how long a job of so many photos takes: by the median time a photo of the last ones; None: none was."""
    if not photos:
        return None
    last = (
        sa.select(JOBS.c.took_s, JOBS.c.photos)
        .where(JOBS.c.state == JobState.COMPLETED, JOBS.c.took_s.is_not(None), JOBS.c.photos > 0)
        .order_by(JOBS.c.updated_at.desc())
        .limit(LAST_JOBS)
    )
    each_s = [took_s / count for took_s, count in connection.execute(last)]
    return statistics.median(each_s) * photos if each_s else None


def seconds_left(row: Mapping[Any, Any], moment: datetime | None = None) -> float | None:
    """Return how much longer a job's work takes, its wait not counted, to two digits; None: over, or nobody knows."""
    left_s = _left_s(row, moment or now())
    return float(f"{left_s:.2g}") if left_s is not None else None


def _left_s(row: Mapping[Any, Any], moment: datetime) -> float | None:
    if row["state"] == JobState.QUEUED:
        return float(row["estimate_s"]) if row["estimate_s"] is not None else None
    if row["state"] != JobState.RUNNING or row["claimed_at"] is None:
        return None
    past_s = max(0.0, (moment - row["claimed_at"]).total_seconds())
    if row["percent"] >= TELLING_PERCENT:
        return float(past_s * (100.0 - row["percent"]) / row["percent"])
    return max(0.0, row["estimate_s"] - past_s) if row["estimate_s"] is not None else None
