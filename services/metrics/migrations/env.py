"""Runs the migrations of the metrics schema."""

from shared.db.migrations import run_migrations

run_migrations()
