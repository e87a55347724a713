"""Create accounts."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_0940"
down_revision = "20261123_0930"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE accounts (
    account_id uuid NOT NULL,
    external_id text NOT NULL,
    name text NOT NULL,
    postal_code text,
    county text,
    state text,
    latitude double precision,
    longitude double precision,
    industry text,
    employees integer,
    registered_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_accounts PRIMARY KEY (account_id),
    CONSTRAINT uq_accounts_external_id UNIQUE (external_id),
    CONSTRAINT ck_accounts_county CHECK (county ~ '^[0-9]{5}$'),
    CONSTRAINT ck_accounts_state CHECK (state ~ '^[A-Z]{2}$'),
    CONSTRAINT ck_accounts_employees CHECK (employees >= 0),
    CONSTRAINT ck_accounts_point CHECK (
        (latitude IS NULL) = (longitude IS NULL)
        AND latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180
    )
);
-- What rules look at, in the order the matcher reads it: the relation other features may read.
CREATE VIEW account_units AS
SELECT external_id, postal_code, county, state, industry, employees, account_id FROM accounts
"""
DOWN = """
DROP VIEW account_units;
DROP TABLE accounts
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
