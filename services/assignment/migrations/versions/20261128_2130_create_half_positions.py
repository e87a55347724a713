"""Create the halves of positions that wait for their other half: HubSpot tells latitude and longitude one by one."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261128_2130"
down_revision = "20261124_0450"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE half_positions (
    account_id uuid NOT NULL,
    latitude double precision,
    longitude double precision,
    CONSTRAINT pk_half_positions PRIMARY KEY (account_id),
    CONSTRAINT ck_half_positions_one CHECK (num_nonnulls(latitude, longitude) = 1)
)
"""
DOWN = "DROP TABLE half_positions"


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
