"""One worker slot: takes a job when it is free, runs it to its end, and goes on with its own after a restart."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, SetWorkflowID

from offload.depot.claims import Claim, JobClaims, silent_since, take_over
from offload.depot.instant import now
from offload.depot.needs import Abilities
from offload.depot.roster import BEAT_S, Roster
from offload.logs.fields import about

log = logging.getLogger(__name__)

POLL_S = 0.2
ANSWER_POLL_S = 0.1


class Slot:
    """A worker that is on the roster already. `run` in a thread of its own; `beat` in another."""

    def __init__(
        self,
        engine: sa.Engine,
        name: str,
        abilities: Abilities,
        workflow: Callable[[str], Any],
        give_up: Callable[[str, Exception], None],
        take_over_after_s: float,
    ) -> None:
        self._engine, self._name, self._abilities = engine, name, abilities
        self._claims, self._roster = JobClaims(engine, name), Roster(engine)
        self._workflow, self._give_up = workflow, give_up
        self._patience = timedelta(seconds=take_over_after_s)
        self._job_id: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; what runs then is left to the pipeline's shutdown."""
        for claim in self._claims.mine():
            log.info("goes on", extra=about(job=claim.job_id))
            self._see_through(claim)
        while not stop.is_set():
            if (taken := self._claims.take_next(self._abilities)) is not None:
                self._see_through(taken)
            else:
                self._take_over()
                stop.wait(POLL_S)

    def beat(self, stop: threading.Event) -> None:
        """Say again and again that this worker lives."""
        while not stop.wait(BEAT_S):
            self._roster.beat(self._name, self._job_id)

    def _see_through(self, claim: Claim) -> None:
        """Run a job's workflow to its end; DBOS begins none twice, and has begun those of before a restart itself."""
        self._job_id = claim.job_id
        self._roster.beat(self._name, claim.job_id)
        try:
            with SetWorkflowID(claim.workflow_id):
                running = DBOS.start_workflow(self._workflow, claim.job_id)
            running.get_result(polling_interval_sec=ANSWER_POLL_S)
            if claim in self._claims.mine():
                raise RuntimeError("the workflow ended without an answer")
        except Exception as problem:
            log.exception("given up", extra=about(job=claim.job_id))
            self._give_up(claim.job_id, problem)
        self._job_id = None
        self._roster.beat(self._name, None)

    def _take_over(self) -> None:
        """Hand out again what workers have that were silent for too long."""
        for name in silent_since(self._engine, now() - self._patience):
            for job_id in take_over(self._engine, name):
                log.warning("handed out again: %s was silent for %s", name, self._patience, extra=about(job=job_id))
