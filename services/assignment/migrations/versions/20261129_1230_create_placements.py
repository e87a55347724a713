"""Create the placements of plans: accounts put in a territory as a design run proposed, or by hand."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261129_1230"
down_revision = "20261129_0100"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE placements (
    plan_id uuid NOT NULL,
    account_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    -- Null: placed by hand. No foreign key: a placement tells where it is from for longer than the run is kept.
    design_run_id uuid,
    placed_at timestamptz NOT NULL,
    placed_by text NOT NULL,
    CONSTRAINT pk_placements PRIMARY KEY (plan_id, account_id),
    CONSTRAINT fk_placements_account_id_accounts FOREIGN KEY (account_id) REFERENCES accounts,
    CONSTRAINT fk_placements_territory_id_territories FOREIGN KEY (plan_id, territory_id)
        REFERENCES territories (plan_id, territory_id)
);
CREATE INDEX ix_placements_territory_id ON placements (plan_id, territory_id, account_id);
CREATE INDEX ix_placements_account_id ON placements (account_id);
-- What matching may read of them.
CREATE VIEW account_placements AS
SELECT plan_id, account_id, territory_id FROM placements
"""
DOWN = """
DROP VIEW account_placements;
DROP TABLE placements
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
