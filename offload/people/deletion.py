"""Deleting for good: a job with its results, a tenant with everything."""

import shutil

import sqlalchemy as sa
from dbos import DBOSClient

from offload.depot.folder import DataFolder
from offload.depot.job_row import UnknownJob
from offload.depot.keys import Keys
from offload.depot.results import ResultShelf
from offload.depot.storage import Storage
from offload.depot.tables import AUDIT, JOBS, LOCAL_TENANT, METADATA
from offload.depot.tenant_jobs import TenantJobs
from offload.depot.workflow_names import APPLICATION, workflow_ids
from offload.people.audit import note
from offload.people.principal import Principal
from offload.people.tenants import PeopleProblem, tenant
from offload.wire.jobs import JobState

FINAL = tuple(state for state in JobState if state.final)
AT_ONCE = 500


class JobLives(RuntimeError):
    """The job waits or runs; it must be cancelled first."""


class Eraser:
    """Deletes, the row last: what a kill or a storage that is away left undone is done when it is asked for again."""

    def __init__(self, engine: sa.Engine, storage: Storage, folder: DataFolder) -> None:
        self._engine, self._storage, self._folder = engine, storage, folder
        self._client = DBOSClient(system_database_engine=engine, application_name=APPLICATION)

    def close(self) -> None:
        """Free what the queue's client holds; the engine stays open."""
        self._client.destroy()

    def delete_job(self, whose: Principal, job_id: str) -> None:
        """Delete a finished job of the tenant: row, history, results, logs.

        Its photos go some days later, unless another job has them too. Raises UnknownJob, JobLives, StorageTrouble.
        """
        job = TenantJobs(self._engine, whose.tenant_id).get(job_id)
        if not job.state.final:
            raise JobLives(f"job {job_id} is {job.state}; cancel it, then delete it")
        workflows = self._workflows(job_id)
        if self._client.list_workflows(workflow_ids=workflows, status="PENDING", load_input=False):
            raise JobLives(f"the worker of job {job_id} is just tidying up; delete it in a moment")
        # First what DBOS remembers: it would keep the same bundle from ever being run again.
        for workflow_id in workflows:
            self._client.delete_workflow(workflow_id)
        ResultShelf(self._storage, Keys.of_tenant(whose.tenant_id)).erase(job_id)
        shutil.rmtree(self._folder.job(job_id), ignore_errors=True)
        mine = sa.and_(JOBS.c.job_id == job_id, JOBS.c.tenant_id == whose.tenant_id)
        with self._engine.begin() as connection:
            if connection.execute(sa.delete(JOBS).where(mine, JOBS.c.state.in_(FINAL))).rowcount == 0:
                raise UnknownJob(job_id)
            note(connection, whose, "job.delete", job_id)

    def _workflows(self, job_id: str) -> list[str]:
        with self._engine.connect() as connection:
            handed_out = connection.scalar(sa.select(JOBS.c.handed_out).where(JOBS.c.job_id == job_id))
        if handed_out is None:  # Somebody else was faster.
            raise UnknownJob(job_id)
        return workflow_ids(job_id, handed_out)

    def delete_tenant(self, whose: Principal) -> None:
        """Delete everything of a closed tenant but its lines in the audit trail.

        Raises PeopleProblem, JobLives, StorageTrouble.
        """
        tenant_id = whose.tenant_id
        with self._engine.connect() as connection:
            if tenant_id == LOCAL_TENANT or tenant(connection, tenant_id)["closed_at"] is None:
                raise PeopleProblem(f"tenant {tenant_id} is open; close it first")
            job_ids = connection.scalars(sa.select(JOBS.c.job_id).where(JOBS.c.tenant_id == tenant_id)).all()
        for job_id in job_ids:
            self.delete_job(whose, job_id)
        keys = Keys.of_tenant(tenant_id)
        stored = [stored.key for stored in self._storage.below(keys.root)]
        for begin in range(0, len(stored), AT_ONCE):
            self._storage.delete(stored[begin : begin + AT_ONCE])
        for part in self._folder.parts.glob(f"{keys.namespace}.*.part"):
            part.unlink(missing_ok=True)
        with self._engine.begin() as connection:
            for table in reversed(METADATA.sorted_tables):
                if table is not AUDIT and "tenant_id" in table.c:
                    connection.execute(sa.delete(table).where(table.c.tenant_id == tenant_id))
            note(connection, whose, "tenant.delete", tenant_id, jobs=len(job_ids), files=len(stored))
