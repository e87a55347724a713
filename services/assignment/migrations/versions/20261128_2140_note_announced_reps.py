"""Note when reps were announced: those registered before reps were announced at all are told of by the worker."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261128_2140"
down_revision = "20261128_2130"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE reps ADD COLUMN announced_at timestamptz;
CREATE INDEX ix_reps_unannounced ON reps (rep_id) WHERE announced_at IS NULL
"""
DOWN = """
DROP INDEX ix_reps_unannounced;
ALTER TABLE reps DROP COLUMN announced_at
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
