"""Tenants with their users, projects and keys; jobs belong to one, and say who wants what of them."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEPT = (
    "job_id, scan_id, bundle_sha256, manifest, state, stage, percent, error, created_at, updated_at, results, "
    "starts, failures, cancel_requested"
)


def upgrade() -> None:
    """Make the tables; the jobs that are there go to the tenant `local`."""
    _people()
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    local = sa.text("INSERT INTO tenants (tenant_id, name, created_at) VALUES ('local', 'this machine', :now)")
    op.get_bind().execute(local, {"now": now})
    _jobs()
    _what_hangs_on_them()
    _append_only()


def _text(name: str, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _tenant() -> sa.Column[str]:
    return _text("tenant_id")


def _of_tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], f"fk_{table}_tenant_id")


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _people() -> None:
    op.create_table(
        "tenants",
        _text("tenant_id"),
        _text("name"),
        _text("created_at"),
        _text("closed_at", null=True),
        sa.Column("most_bytes", sa.BigInteger),
        sa.Column("most_jobs_a_day", sa.Integer),
        sa.Column("most_jobs_waiting", sa.Integer),
        sa.Column("most_requests_a_minute", sa.Integer),
        sa.Column("keep_days", sa.Integer),
        _key("tenants", "tenant_id"),
    )
    op.create_table(
        "users",
        _text("user_id"),
        _tenant(),
        _text("email"),
        sa.Column("scopes", sa.JSON, nullable=False),
        _text("issuer", null=True),
        _text("subject", null=True),
        _text("created_at"),
        _text("disabled_at", null=True),
        _key("users", "user_id"),
        _of_tenant("users"),
        sa.UniqueConstraint("tenant_id", "email", name="uq_users_tenant_id_email"),
        sa.UniqueConstraint("issuer", "subject", name="uq_users_issuer_subject"),
    )
    op.create_table(
        "projects",
        _text("project_id"),
        _tenant(),
        _text("name"),
        _text("created_at"),
        _key("projects", "project_id"),
        _of_tenant("projects"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_projects_tenant_id_name"),
    )
    op.create_table(
        "api_keys",
        _text("key_id"),
        _tenant(),
        _text("user_id", null=True),
        _text("project_id", null=True),
        _text("name"),
        _text("key_sha256"),
        sa.Column("scopes", sa.JSON, nullable=False),
        _text("created_at"),
        _text("expires_at", null=True),
        _text("last_used_at", null=True),
        _text("revoked_at", null=True),
        _key("api_keys", "key_id"),
        _of_tenant("api_keys"),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], "fk_api_keys_user_id"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.project_id"], "fk_api_keys_project_id"),
    )
    op.create_index("ix_api_keys_tenant_id", "api_keys", ["tenant_id"])


def _jobs() -> None:
    op.create_table(
        "jobs_new",
        _text("job_id"),
        _tenant(),
        _text("project_id", null=True),
        _text("submitted_by", null=True),
        _text("kind"),
        _text("priority"),
        _text("scan_id"),
        _text("bundle_sha256", null=True),
        _text("manifest", null=True),
        sa.Column("request", sa.JSON, nullable=False),
        _text("idempotency_key", null=True),
        sa.Column("needs", sa.JSON, nullable=False),
        _text("state"),
        _text("stage", null=True),
        sa.Column("percent", sa.Float, nullable=False),
        sa.Column("estimate_s", sa.Float),
        _text("worker", null=True),
        _text("error", null=True),
        _text("cause", null=True),
        sa.Column("dead", sa.Boolean, nullable=False),
        _text("created_at"),
        _text("updated_at"),
        _text("results"),
        sa.Column("starts", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        _key("jobs", "job_id"),
        _of_tenant("jobs"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.project_id"], "fk_jobs_project_id"),
        sa.UniqueConstraint("tenant_id", "bundle_sha256", name="uq_jobs_tenant_id_bundle_sha256"),
        sa.UniqueConstraint("tenant_id", "idempotency_key", name="uq_jobs_tenant_id_idempotency_key"),
    )
    op.execute(
        f"INSERT INTO jobs_new ({KEPT}, tenant_id, kind, priority, request, needs, dead) "
        f"SELECT {KEPT}, 'local', 'bundle', 'normal', '{{}}', '[]', false FROM jobs"
    )
    op.drop_table("jobs")
    op.rename_table("jobs_new", "jobs")
    op.create_index("ix_jobs_created_at", "jobs", ["created_at"])
    op.create_index("ix_jobs_state", "jobs", ["state"])
    op.create_index("ix_jobs_tenant_id_created_at", "jobs", ["tenant_id", "created_at"])


def _what_hangs_on_them() -> None:
    op.create_table(
        "job_stages",
        sa.Column("number", sa.Integer, nullable=False),
        _text("job_id"),
        _text("stage"),
        sa.Column("attempt", sa.Integer, nullable=False),
        _text("started_at"),
        _text("ended_at", null=True),
        _text("outcome", null=True),
        _key("job_stages", "number"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], "fk_job_stages_job_id", ondelete="CASCADE"),
    )
    op.create_index("ix_job_stages_job_id", "job_stages", ["job_id"])
    op.create_table(
        "blobs",
        _tenant(),
        _text("sha256"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        _text("wanted_at"),
        _key("blobs", "tenant_id", "sha256"),
        _of_tenant("blobs"),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, nullable=False),
        _text("at"),
        _text("tenant_id", null=True),
        _text("actor"),
        _text("address", null=True),
        _text("action"),
        _text("thing", null=True),
        sa.Column("detail", sa.JSON, nullable=False),
        _key("audit", "number"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_tenant_id", "audit", ["tenant_id"])


def _append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{action.lower()} BEFORE {action} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail is append only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit trail is append only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )
