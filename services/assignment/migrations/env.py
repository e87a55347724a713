"""Runs this service's migrations."""

from shared.db.migrations import run_migrations

run_migrations()
