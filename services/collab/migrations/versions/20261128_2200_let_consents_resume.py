"""Let consents resume: a word that was said for some time gives way to the one before it."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261128_2200"
down_revision = "20261128_2130"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE consents ADD COLUMN resumes uuid CONSTRAINT fk_consents_resumes_consents REFERENCES consents;
"""

DOWN = """
ALTER TABLE consents DROP COLUMN resumes;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
