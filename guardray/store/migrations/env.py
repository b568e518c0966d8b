"""What Alembic runs: the steps, on the connection and in the transaction that `upgrade` was given."""

from __future__ import annotations

from alembic import context

from guardray.store.schema import VERSION_TABLE
from guardray.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite changes a table only by copying it
)
with context.begin_transaction():
    context.run_migrations()
