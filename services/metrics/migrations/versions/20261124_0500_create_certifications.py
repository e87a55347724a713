"""Create certifications: since when reps hold which, to set their figures against."""

from alembic import op

revision = "20261124_0500"
down_revision = "20261124_0450"
branch_labels = None
depends_on = None

# An award that was revoked from its first day on never counted.
_UPGRADE = """
CREATE TABLE certifications (
    award_id uuid NOT NULL,
    rep_id uuid NOT NULL,
    certification_code text NOT NULL,
    valid_from date NOT NULL,
    revoked_from date,
    CONSTRAINT pk_certifications PRIMARY KEY (award_id)
)
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_UPGRADE)
    op.execute(
        "CREATE INDEX ix_certifications_certification_code ON certifications (certification_code, rep_id)"
    )


def downgrade() -> None:
    """Undo."""
    op.execute("DROP TABLE certifications")
