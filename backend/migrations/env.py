"""Alembic's entry: runs on the connection that `backend.migrations.runner` hands over, inside its transaction."""

from alembic import context

from backend.shared import report_tables, team_tables, upload_tables  # noqa: F401  (puts them into the metadata)
from backend.shared.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
