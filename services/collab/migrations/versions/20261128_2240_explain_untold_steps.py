"""Explain untold steps: an escalation that reached nobody says why."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261128_2240"
down_revision = "20261128_2230"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE timers ADD COLUMN untold_because text
    CONSTRAINT ck_timers_untold_because CHECK (untold_because IN ('nobody-above'));
UPDATE timers SET untold_because = 'nobody-above'
WHERE action = 'escalate' AND fired_at IS NOT NULL AND told_rep_id IS NULL;
"""

DOWN = """
ALTER TABLE timers DROP COLUMN untold_because;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
