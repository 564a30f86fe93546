"""A job as it is wanted, and how it gets into the table."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from offload.depot.instant import now
from offload.depot.tables import JOBS, LOCAL_TENANT
from offload.wire.bundle import Manifest
from offload.wire.jobs import JobState, Priority


class JobKind(StrEnum):
    """What a job's photos come as."""

    BUNDLE = "bundle"
    """A sealed scan with a manifest."""
    IMAGES = "images"
    """Addresses that its request names."""


def job_id_of(bundle_sha256: str, tenant_id: str = LOCAL_TENANT) -> str:
    """Return the id of the one job that a tenant's bundle can have."""
    if tenant_id == LOCAL_TENANT:
        return bundle_sha256[:32]
    return hashlib.sha256(f"{tenant_id}/{bundle_sha256}".encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """What is known of a job before it waits."""

    job_id: str
    scan_id: str
    """Of photos without a scan the job's id."""
    tenant_id: str = LOCAL_TENANT
    project_id: str | None = None
    submitted_by: str | None = None
    """The actor, as the audit trail calls it."""
    kind: JobKind = JobKind.BUNDLE
    priority: Priority = Priority.NORMAL
    manifest: Manifest | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    """What else came with it, such as metadata, callback_url and image_urls."""
    idempotency_key: str | None = None
    needs: tuple[str, ...] = ()
    """Capabilities that its worker must have."""
    estimate_s: float | None = None

    @property
    def photos(self) -> int | None:
        """How many there are, where that is known."""
        return len(self.manifest.frames) if self.manifest else None

    @classmethod
    def of_bundle(cls, manifest: Manifest, tenant_id: str = LOCAL_TENANT, **more: Any) -> Self:
        """Return the job that a sealed scan wants."""
        job_id = job_id_of(manifest.digest(), tenant_id)
        return cls(job_id=job_id, scan_id=manifest.scan_id, tenant_id=tenant_id, manifest=manifest, **more)


def insert_if_absent(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
    """Insert a row in the caller's transaction; False if its key, or what else is unique of it, is there already."""
    insert = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    inserted = insert.values(dict(row)).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(inserted).first() is not None


def add_job(connection: sa.Connection, job: NewJob) -> bool:
    """Insert a queued job in the caller's transaction; False if it, or its idempotency key, is there already."""
    moment = now()
    row = {
        "job_id": job.job_id,
        "tenant_id": job.tenant_id,
        "project_id": job.project_id,
        "submitted_by": job.submitted_by,
        "kind": job.kind,
        "priority": job.priority,
        "scan_id": job.scan_id,
        "bundle_sha256": job.manifest.digest() if job.manifest else None,
        "manifest": job.manifest.model_dump_json() if job.manifest else None,
        "request": dict(job.request),
        "idempotency_key": job.idempotency_key,
        "needs": list(job.needs),
        "state": JobState.QUEUED,
        "estimate_s": job.estimate_s,
        "photos": job.photos,
        "created_at": moment,
        "updated_at": moment,
    }
    return insert_if_absent(connection, JOBS, row)
