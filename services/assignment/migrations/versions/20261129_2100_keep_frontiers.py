"""Keep with a proposal what is within reach where its measures oppose each other, and which of them binds."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261129_2100"
down_revision = "20261129_1300"
branch_labels = None
depends_on = None

UP = """
-- Null where all tolerances hold, where one measure alone is balanced, and where no time was left to look for it.
ALTER TABLE design_proposals ADD COLUMN frontier jsonb
"""
DOWN = """
ALTER TABLE design_proposals DROP COLUMN frontier
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
