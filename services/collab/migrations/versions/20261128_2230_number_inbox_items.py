"""Number inbox items as their owner can see them: one that is seen late comes after what was seen before it."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261128_2230"
down_revision = "20261128_2220"
branch_labels = None
depends_on = None

# Readers that come back with a number of before go on from where they were.
UP = """
ALTER TABLE inbox_items ADD COLUMN number bigint;
UPDATE inbox_items SET number = seq;
ALTER TABLE inbox_items ADD CONSTRAINT uq_inbox_items_recipient_number UNIQUE (recipient, number);
CREATE INDEX ix_inbox_items_unnumbered ON inbox_items (recipient) WHERE number IS NULL;
"""

DOWN = """
DROP INDEX ix_inbox_items_unnumbered;
ALTER TABLE inbox_items DROP COLUMN number;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
