"""Drop the index of coverages without an end: no statement asks for those alone, so none could use it."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261129_0100"
down_revision = "20261129_0030"
branch_labels = None
depends_on = None

UP = """
-- By territory they are found with ex_coverages_rep_twice.
DROP INDEX ix_coverages_running;
"""

DOWN = """
CREATE INDEX ix_coverages_running ON coverages (territory_id) WHERE upper_inf(valid);
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
