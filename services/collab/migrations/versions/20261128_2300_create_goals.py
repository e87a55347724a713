"""Create goals: whose territory sees what is written on them, and where it is told how they do."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261128_2300"
down_revision = "20261128_2250"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE goals (
    goal_id uuid CONSTRAINT pk_goals PRIMARY KEY,
    territory_id uuid NOT NULL,
    -- The first note on it that it is at risk; what becomes of it is told in replies.
    thread_id uuid CONSTRAINT fk_goals_thread_id_notes REFERENCES notes
);
CREATE INDEX ix_goals_territory_id ON goals (territory_id);
CREATE INDEX ix_goals_thread_id ON goals (thread_id);
"""

DOWN = """
DROP TABLE goals;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
