"""Runs the migrations of one store on the connection that data.store.engine hands over."""

from alembic import context

from data import tables

store = context.config.attributes["store"]
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=getattr(tables, store),
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
