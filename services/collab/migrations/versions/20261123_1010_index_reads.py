"""Index what scoped callers and lists by state walk through."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_1010"
down_revision = "20261123_1000"
branch_labels = None
depends_on = None

UP = """
CREATE INDEX handoffs_state ON handoffs (state, handoff_id);
-- In the order of pages, for one account's notes.
DROP INDEX notes_account_id;
CREATE INDEX notes_account_id ON notes (account_id, note_id) WHERE deleted_at IS NULL;
-- Notes without a place on the map: besides whole-organisation callers, their author sees them.
CREATE INDEX notes_author ON notes (author, note_id)
    WHERE deleted_at IS NULL AND account_id IS NULL AND subject_type <> 'territory';
"""

DOWN = """
DROP INDEX notes_author;
DROP INDEX notes_account_id;
CREATE INDEX notes_account_id ON notes (account_id) WHERE deleted_at IS NULL;
DROP INDEX handoffs_state;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
