"""Create the reconciliations."""

from alembic import op

revision = "20261123_1030"
down_revision = "20261123_1020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("""
        CREATE TABLE reconciliations (
            reconciliation_id uuid NOT NULL,
            cells bigint NOT NULL,
            facts bigint NOT NULL,
            differing bigint NOT NULL,
            differences jsonb NOT NULL,
            asked_by text NOT NULL,
            made_at timestamptz NOT NULL,
            CONSTRAINT pk_reconciliations PRIMARY KEY (reconciliation_id)
        )
    """)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP TABLE reconciliations")
