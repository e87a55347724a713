"""Keep of a proposal which limits it does not hold, as codes with measures and territories, and what was live.

Sentences of the engine that stood there before name neither; proposals of then tell none.
"""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261129_2000"
down_revision = "20261129_1900"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE design_proposals ALTER COLUMN why TYPE jsonb USING '[]'::jsonb;
-- How many times a plan had gone live when the run read the alignments; null: not noted.
ALTER TABLE design_proposals ADD COLUMN live_sequence bigint
"""
DOWN = """
ALTER TABLE design_proposals DROP COLUMN live_sequence;
ALTER TABLE design_proposals ALTER COLUMN why TYPE text[] USING '{}'::text[]
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
