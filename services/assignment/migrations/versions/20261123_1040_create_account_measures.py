"""Create the measures of accounts, a projection of what metrics tells."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_1040"
down_revision = "20261123_1030"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE account_measures (
    account_id uuid NOT NULL,
    currency text NOT NULL,
    trailing_revenue numeric NOT NULL,
    open_pipeline numeric NOT NULL,
    as_of timestamptz NOT NULL,
    CONSTRAINT pk_account_measures PRIMARY KEY (account_id, currency)
)
"""
DOWN = """
DROP TABLE account_measures
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
