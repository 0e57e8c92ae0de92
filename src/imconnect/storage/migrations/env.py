"""Alembic's way in: runs on the connection it is handed (`imconnect.storage.migrate`)."""

from alembic import context

from imconnect.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
context.run_migrations()
