"""Let consents be withdrawn: what was to begin later is taken back by a no, and stays on record."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261128_2210"
down_revision = "20261128_2200"
branch_labels = None
depends_on = None

# As before, but for what was withdrawn: one source says one thing of a target at a time.
UP = """
ALTER TABLE consents ADD COLUMN withdrawn_at timestamptz;
ALTER TABLE consents ADD CONSTRAINT ex_consents_one_word_at_a_time
    EXCLUDE USING gist (account_id WITH =, target WITH =, source WITH =, valid WITH &&) WHERE (withdrawn_at IS NULL);
ALTER TABLE consents DROP CONSTRAINT uq_consents_account_id_target_source_valid;
"""

DOWN = """
DELETE FROM consents WHERE withdrawn_at IS NOT NULL;
ALTER TABLE consents ADD CONSTRAINT uq_consents_account_id_target_source_valid
    UNIQUE (account_id, target, source, valid WITHOUT OVERLAPS);
ALTER TABLE consents DROP CONSTRAINT ex_consents_one_word_at_a_time;
ALTER TABLE consents DROP COLUMN withdrawn_at;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
