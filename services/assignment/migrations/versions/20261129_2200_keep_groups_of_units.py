"""Keep of a proposal's accounts which are kept together, so that edits by hand tell what they part."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261129_2200"
down_revision = "20261129_2100"
branch_labels = None
depends_on = None

UP = """
-- The number of the group; null: with nobody, or kept by a worker of before.
ALTER TABLE design_proposal_units ADD COLUMN kept_with integer;
CREATE INDEX ix_design_proposal_units_run_id_kept_with ON design_proposal_units (run_id, kept_with)
    WHERE kept_with IS NOT NULL
"""
DOWN = """
DROP INDEX ix_design_proposal_units_run_id_kept_with;
ALTER TABLE design_proposal_units DROP COLUMN kept_with
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
