"""Keep what one rep more or fewer would do beside a proposal; of older ones it is not known."""

from alembic import op

revision = "20261129_1700"
down_revision = "20261129_1300"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE design_proposals ADD COLUMN sensitivity jsonb")


def downgrade() -> None:
    """Take back."""
    op.execute("ALTER TABLE design_proposals DROP COLUMN sensitivity")
