"""Create what assignment keeps of customers, what reps speak and know, and show both to rules and fit."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0035"
down_revision = "20261124_0020"
branch_labels = None
depends_on = None

UP = """
-- Of collab, by account; may be told before the account is registered here.
CREATE TABLE customer_needs (
    need_id uuid NOT NULL,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    CONSTRAINT pk_customer_needs PRIMARY KEY (need_id)
);
CREATE INDEX ix_customer_needs_account_id ON customer_needs (account_id);
-- need is the kinds of the needs still to be met, each once, in order, joined by commas: as rules take it.
CREATE TABLE customer_traits (
    account_id uuid NOT NULL,
    language text,
    channels text[] NOT NULL DEFAULT '{}',
    need text,
    CONSTRAINT pk_customer_traits PRIMARY KEY (account_id)
) WITH (fillfactor = 85);
ALTER TABLE reps
    ADD COLUMN languages text[] NOT NULL DEFAULT '{}',
    ADD COLUMN industries text[] NOT NULL DEFAULT '{}',
    ADD COLUMN need_kinds text[] NOT NULL DEFAULT '{}';
CREATE OR REPLACE VIEW account_units AS
SELECT external_id, postal_code, county, state, industry, employees, account_id, language, need
FROM accounts LEFT JOIN customer_traits USING (account_id)
"""
DOWN = """
DROP VIEW account_units;
CREATE VIEW account_units AS
SELECT external_id, postal_code, county, state, industry, employees, account_id FROM accounts;
ALTER TABLE reps DROP COLUMN languages, DROP COLUMN industries, DROP COLUMN need_kinds;
DROP TABLE customer_traits;
DROP TABLE customer_needs
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
