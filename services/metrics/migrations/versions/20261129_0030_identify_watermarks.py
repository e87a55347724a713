"""Have consumers remember which event they applied last of each key."""

from shared.db.migrations import create_backbone, drop_backbone

revision = "20261129_0030"
down_revision = "20261128_2345"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    create_backbone("watermark_ids")


def downgrade() -> None:
    """Take back."""
    drop_backbone("watermark_ids")
