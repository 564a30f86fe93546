"""What Alembic runs around the steps: on the connection and in the transaction that it was given."""

from alembic import context

from offload.depot.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
