"""Create the pins of plans: accounts held in a territory by hand."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0400"
down_revision = "20261124_0040"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE pins (
    plan_id uuid NOT NULL,
    account_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    reason text NOT NULL,
    owner_rep_id uuid,
    owner_subject text,
    expires_at timestamptz,
    pinned_at timestamptz NOT NULL,
    pinned_by text NOT NULL,
    CONSTRAINT pk_pins PRIMARY KEY (plan_id, account_id),
    CONSTRAINT fk_pins_account_id_accounts FOREIGN KEY (account_id) REFERENCES accounts,
    CONSTRAINT fk_pins_territory_id_territories FOREIGN KEY (plan_id, territory_id)
        REFERENCES territories (plan_id, territory_id),
    CONSTRAINT fk_pins_owner_rep_id_reps FOREIGN KEY (owner_rep_id) REFERENCES reps,
    CONSTRAINT ck_pins_owner CHECK ((owner_rep_id IS NULL) <> (owner_subject IS NULL)),
    CONSTRAINT ck_pins_expires_at CHECK (expires_at > pinned_at)
);
CREATE INDEX ix_pins_territory_id ON pins (plan_id, territory_id);
CREATE INDEX ix_pins_account_id ON pins (account_id);
CREATE INDEX ix_pins_expires_at ON pins (plan_id, expires_at) WHERE expires_at IS NOT NULL;
CREATE VIEW pin_expiries AS
SELECT plan_id, account_id, expires_at FROM pins WHERE expires_at IS NOT NULL
"""
DOWN = """
DROP VIEW pin_expiries;
DROP TABLE pins
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
