"""`GET /metrics` for Prometheus: what waits, runs and fails in the whole service. Nothing in it names a tenant.

The figures of jobs are read from the database at each scrape, so that they are the same whoever is asked and however
often this process was restarted.
"""

from collections.abc import Iterator
from datetime import timedelta

import sqlalchemy as sa
from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry, Counter, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from offload.depot.instant import now
from offload.depot.roster import Roster
from offload.depot.stages import StageOutcome
from offload.depot.tables import JOB_STAGES, JOBS
from offload.service.auth import Watcher
from offload.wire.jobs import Cause, JobState

METRICS_PATH = "/metrics"
STAGES_OF = timedelta(days=1)


class JobFigures(Collector):
    """Jobs, stages and workers, as the database has them."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """Read everything in one transaction."""
        with self._engine.connect() as connection:
            yield from self._jobs(connection)
            yield self._oldest(connection)
            yield self._stages(connection)
        workers = GaugeMetricFamily("offload_workers", "Worker slots, by whether they live", labels=["alive"])
        seen = [worker.lives for worker in Roster(self._engine).everybody()]
        workers.add_metric(["true"], seen.count(True))
        workers.add_metric(["false"], seen.count(False))
        yield workers

    def _jobs(self, connection: sa.Connection) -> Iterator[Metric]:
        query = sa.select(JOBS.c.state, JOBS.c.cause, sa.func.count()).group_by(JOBS.c.state, JOBS.c.cause)
        counted = [(state, cause, count) for state, cause, count in connection.execute(query)]
        depth = GaugeMetricFamily("offload_queue_depth", "Jobs that wait or run", labels=["state"])
        for state in (JobState.QUEUED, JobState.RUNNING):
            depth.add_metric([state], sum(count for which, _, count in counted if which == state))
        yield depth
        ended = GaugeMetricFamily("offload_jobs_ended", "Jobs that are over and kept, by how", labels=["state"])
        for state in (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED):
            ended.add_metric([state], sum(count for which, _, count in counted if which == state))
        yield ended
        dead = GaugeMetricFamily("offload_dead_letters", "Jobs that failed for good, by cause", labels=["cause"])
        for cause in Cause:
            counts = (count for state, why, count in counted if state == JobState.FAILED and why == cause)
            dead.add_metric([cause], sum(counts))
        yield dead

    def _oldest(self, connection: sa.Connection) -> Metric:
        waiting = sa.select(sa.func.min(JOBS.c.created_at)).where(JOBS.c.state == JobState.QUEUED)
        oldest = connection.execute(waiting).scalar()
        waits_s = (now() - oldest).total_seconds() if oldest else 0.0
        return GaugeMetricFamily("offload_oldest_wait_seconds", "How long the oldest waiting job waits", waits_s)

    def _stages(self, connection: sa.Connection) -> Metric:
        took = SummaryMetricFamily(
            "offload_stage_seconds", "What stages took that were done within a day", labels=["stage"]
        )
        lately = sa.and_(JOB_STAGES.c.outcome == StageOutcome.DONE, JOB_STAGES.c.ended_at >= now() - STAGES_OF)
        query = sa.select(JOB_STAGES.c.stage, JOB_STAGES.c.started_at, JOB_STAGES.c.ended_at).where(lately)
        lasted: dict[str, list[float]] = {}
        for stage, started_at, ended_at in connection.execute(query):
            lasted.setdefault(stage, []).append((ended_at - started_at).total_seconds())
        for stage, seconds in sorted(lasted.items()):
            took.add_metric([stage], count_value=len(seconds), sum_value=sum(seconds))
        return took


class Meters:
    """What this process shows, and what it counts itself."""

    def __init__(self, engine: sa.Engine) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(JobFigures(engine))
        ProcessCollector(registry=self._registry)
        self.uploaded = Counter("offload_upload_bytes", "Bytes of photos that came", registry=self._registry)

    def shown(self) -> bytes:
        """Return them in Prometheus' text format."""
        return generate_latest(self._registry)


def add_metrics_route(app: FastAPI, meters: Meters) -> None:
    """Show them to whoever may watch the whole service."""

    @app.get(METRICS_PATH)
    def metrics(whose: Watcher) -> Response:
        return Response(meters.shown(), media_type=CONTENT_TYPE_LATEST)
