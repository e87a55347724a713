"""Alembic's entry: everything it does is in shared/db/migrations.py."""

from shared.db.migrations import run_migrations

run_migrations()
