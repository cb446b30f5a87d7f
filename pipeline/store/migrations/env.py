"""Run by alembic: applies the migrations over the connection that pipeline.store.migrate hands in."""

from alembic import context

from pipeline.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,  # SQLite changes a table only by making it anew
)
context.run_migrations()
