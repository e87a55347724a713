"""Drop the index of coverages without an end: one whose end is known counts while it lasts, too."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261128_2310"
down_revision = "20261128_2300"
branch_labels = None
depends_on = None

UP = """
-- By rep they are found with ix_coverages_rep_id.
DROP INDEX ix_coverages_running_rep_id;
"""

DOWN = """
CREATE INDEX ix_coverages_running_rep_id ON coverages (rep_id) WHERE valid_to IS NULL;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
