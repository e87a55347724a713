"""Create the versions of accounts: what rules could look at, and from when to when."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0020"
down_revision = "20261124_0015"
branch_labels = None
depends_on = None

UP = """
-- As JSON by the name of the field, so that what rules learn to look at later is kept from then on.
CREATE TABLE account_versions (
    account_id uuid NOT NULL,
    valid tstzrange NOT NULL,
    attributes jsonb NOT NULL,
    CONSTRAINT pk_account_versions PRIMARY KEY (account_id, valid WITHOUT OVERLAPS),
    CONSTRAINT fk_account_versions_account_id_accounts FOREIGN KEY (account_id) REFERENCES accounts,
    CONSTRAINT ck_account_versions_valid CHECK (NOT lower_inf(valid))
);
CREATE UNIQUE INDEX uq_account_versions_open ON account_versions (account_id) WHERE upper_inf(valid);
INSERT INTO account_versions (account_id, valid, attributes)
SELECT unit.account_id, tstzrange(accounts.registered_at, NULL), to_jsonb(unit) - 'account_id'
FROM account_units AS unit JOIN accounts USING (account_id)
"""
DOWN = """
DROP TABLE account_versions
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
