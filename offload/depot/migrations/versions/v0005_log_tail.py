"""A job keeps the last words of its engine, for whoever asks what it is doing."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("jobs", sa.Column("log_tail", sa.Text))
