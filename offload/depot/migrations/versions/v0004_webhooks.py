"""What callbacks are still to be told, and were told; receivers that want nothing more; when each secret signs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def _text(name: str, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _of_tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], f"fk_{table}_tenant_id", ondelete="CASCADE")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "webhook_deliveries",
        _text("delivery_id"),
        _text("tenant_id"),
        _text("job_id"),
        _text("url"),
        _text("status"),
        _text("error", null=True),
        _text("state"),
        sa.Column("attempts", sa.Integer, nullable=False),
        _text("next_attempt_at"),
        _text("give_up_at"),
        _text("created_at"),
        _text("ended_at", null=True),
        sa.Column("tries", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_webhook_deliveries"),
        _of_tenant("webhook_deliveries"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], "fk_webhook_deliveries_job_id", ondelete="CASCADE"),
    )
    op.create_index("ix_webhook_deliveries_job_id", "webhook_deliveries", ["job_id"])
    op.create_index("ix_webhook_deliveries_state_next_attempt_at", "webhook_deliveries", ["state", "next_attempt_at"])
    op.create_index("ix_webhook_deliveries_tenant_id_created_at", "webhook_deliveries", ["tenant_id", "created_at"])
    op.create_table(
        "webhooks_off",
        _text("tenant_id"),
        _text("url"),
        _text("since"),
        sa.PrimaryKeyConstraint("tenant_id", "url", name="pk_webhooks_off"),
        _of_tenant("webhooks_off"),
    )
    op.create_table(
        "webhook_secrets",
        _text("tenant_id"),
        sa.Column("number", sa.Integer, nullable=False),
        _text("created_at"),
        _text("expires_at", null=True),
        sa.PrimaryKeyConstraint("tenant_id", "number", name="pk_webhook_secrets"),
        _of_tenant("webhook_secrets"),
    )
