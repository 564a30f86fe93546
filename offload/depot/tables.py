"""Every table of ours, as the newest migration leaves them. DBOS keeps its own beside them in the same database."""

import sqlalchemy as sa

from offload.depot.instant import Instant

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

LOCAL_TENANT = "local"
"""Whose everything is where nobody ever made a tenant."""

TENANTS = sa.Table(
    "tenants",
    METADATA,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
    sa.Column("most_bytes", sa.BigInteger),
    sa.Column("most_jobs_a_day", sa.Integer),
    sa.Column("most_jobs_waiting", sa.Integer),
    sa.Column("most_requests_a_minute", sa.Integer),
    sa.Column("keep_days", sa.Integer),
)

USERS = sa.Table(
    "users",
    METADATA,
    sa.Column("user_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id"), nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("issuer", sa.Text),
    sa.Column("subject", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("disabled_at", Instant),
    sa.UniqueConstraint("tenant_id", "email"),
    sa.UniqueConstraint("issuer", "subject"),
)

PROJECTS = sa.Table(
    "projects",
    METADATA,
    sa.Column("project_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.UniqueConstraint("tenant_id", "name"),
)

API_KEYS = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id"), nullable=False, index=True),
    sa.Column("user_id", sa.Text, sa.ForeignKey("users.user_id")),
    sa.Column("project_id", sa.Text, sa.ForeignKey("projects.project_id")),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("key_sha256", sa.Text, nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("last_used_at", Instant),
    sa.Column("revoked_at", Instant),
)

JOBS = sa.Table(
    "jobs",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id"), nullable=False),
    sa.Column("project_id", sa.Text, sa.ForeignKey("projects.project_id")),
    sa.Column("submitted_by", sa.Text),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("scan_id", sa.Text, nullable=False),
    sa.Column("bundle_sha256", sa.Text),
    sa.Column("manifest", sa.Text),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("needs", sa.JSON, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("stage", sa.Text),
    sa.Column("percent", sa.Float, nullable=False, default=0.0),
    sa.Column("estimate_s", sa.Float),
    sa.Column("worker", sa.Text),
    sa.Column("claimed_at", Instant),
    sa.Column("handed_out", sa.Integer, nullable=False, default=0),
    sa.Column("photos", sa.Integer),
    sa.Column("took_s", sa.Float),
    sa.Column("error", sa.Text),
    sa.Column("cause", sa.Text),
    sa.Column("dead", sa.Boolean, nullable=False, default=False),
    sa.Column("created_at", Instant, nullable=False, index=True),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("log_tail", sa.Text),
    sa.Column("results", sa.Text, nullable=False, default="[]"),
    sa.Column("starts", sa.Integer, nullable=False, default=0),
    sa.Column("starts_forgiven", sa.Integer, nullable=False, default=0),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    sa.UniqueConstraint("tenant_id", "bundle_sha256"),
    sa.UniqueConstraint("tenant_id", "idempotency_key"),
    sa.Index("ix_jobs_tenant_id_created_at", "tenant_id", "created_at"),
    sa.Index("ix_jobs_tenant_id_claimed_at", "tenant_id", "claimed_at"),
)
"""`handed_out` counts how often a job was given out anew: each time it is another workflow of DBOS's."""

WORKERS = sa.Table(
    "workers",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("capabilities", sa.JSON, nullable=False),
    sa.Column("memory_gb", sa.Float, nullable=False),
    sa.Column("job_id", sa.Text),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
)

JOB_STAGES = sa.Table(
    "job_stages",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.job_id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("outcome", sa.Text),
)

BLOBS = sa.Table(
    "blobs",
    METADATA,
    sa.Column("tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id"), primary_key=True),
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("wanted_at", Instant, nullable=False),
)
"""What each tenant's uploads take of its quota, from the first byte announced."""

AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("tenant_id", sa.Text, index=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("address", sa.Text),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("thing", sa.Text),
    sa.Column("detail", sa.JSON, nullable=False),
)
"""Who did what, when, from where. The database itself refuses to change or delete a row."""

WEBHOOK_DELIVERIES = sa.Table(
    "webhook_deliveries",
    METADATA,
    sa.Column("delivery_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id", ondelete="CASCADE"), nullable=False),
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.job_id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("next_attempt_at", Instant, nullable=False),
    sa.Column("give_up_at", Instant, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("tries", sa.JSON, nullable=False, default=list),
    sa.Index("ix_webhook_deliveries_state_next_attempt_at", "state", "next_attempt_at"),
    sa.Index("ix_webhook_deliveries_tenant_id_created_at", "tenant_id", "created_at"),
)
"""The outbox: a row is written in the commit that ends the job."""

WEBHOOKS_OFF = sa.Table(
    "webhooks_off",
    METADATA,
    sa.Column("tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("since", Instant, nullable=False),
)
"""Receivers that answered 410: they want nothing more."""

WEBHOOK_SECRETS = sa.Table(
    "webhook_secrets",
    METADATA,
    sa.Column("tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
)
"""Which secrets sign; they themselves are derived from the service's own and are nowhere."""
