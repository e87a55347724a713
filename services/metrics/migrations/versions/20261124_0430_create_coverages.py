"""Create the coverages of territories by reps, so that metrics can be told by rep."""

from alembic import op

revision = "20261124_0430"
down_revision = "20261124_0420"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # A half is null until the event that tells it was read.
    op.execute("""
        CREATE TABLE coverages (
            coverage_id uuid NOT NULL,
            territory_id uuid NOT NULL,
            rep_id uuid NOT NULL,
            role varchar(32),
            valid_from timestamptz,
            valid_to timestamptz,
            CONSTRAINT pk_coverages PRIMARY KEY (coverage_id)
        )
    """)
    op.execute("CREATE INDEX ix_coverages_territory_id_valid_from ON coverages (territory_id, valid_from)")


def downgrade() -> None:
    """Undo."""
    op.execute("DROP TABLE coverages")
