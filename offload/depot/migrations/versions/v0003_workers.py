"""Workers take their jobs themselves: who they are, and what a job keeps of being handed out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table; jobs that wait in DBOS's queue wait in ours from now on."""
    op.create_table(
        "workers",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("capabilities", sa.JSON, nullable=False),
        sa.Column("memory_gb", sa.Float, nullable=False),
        sa.Column("job_id", sa.Text),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workers"),
    )
    for column in (
        sa.Column("claimed_at", sa.Text),
        sa.Column("handed_out", sa.Integer, nullable=False, server_default="0"),
        sa.Column("photos", sa.Integer),
        sa.Column("took_s", sa.Float),
        sa.Column("starts_forgiven", sa.Integer, nullable=False, server_default="0"),
    ):
        op.add_column("jobs", column)
    op.create_index("ix_jobs_tenant_id_claimed_at", "jobs", ["tenant_id", "claimed_at"])
    # DBOS knows workflows of these ids already, and would not begin them once more.
    op.execute("UPDATE jobs SET handed_out = 1 WHERE state = 'queued'")
    if sa.inspect(op.get_bind()).has_table("workflow_status"):
        op.execute(
            "UPDATE jobs SET worker = (SELECT executor_id FROM workflow_status WHERE workflow_uuid = job_id) "
            "WHERE state = 'running'"
        )
