"""Forbid accounts to single territories of a design run."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261129_2230"
down_revision = "20261129_2200"
branch_labels = None
depends_on = None

UP = """
-- Accounts that a territory may not have, as they were told.
CREATE TABLE design_run_forbidden_accounts (
    run_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    account_ids uuid[] NOT NULL,
    CONSTRAINT pk_design_run_forbidden_accounts PRIMARY KEY (run_id, territory_id),
    CONSTRAINT fk_design_run_forbidden_accounts_run_id_design_runs FOREIGN KEY (run_id)
        REFERENCES design_runs ON DELETE CASCADE
)
"""
DOWN = "DROP TABLE design_run_forbidden_accounts"


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    op.execute(DOWN)
