"""Create the backbone: outbox, offsets, watermarks, parked keys, idempotency keys, audit."""

from shared.db.migrations import create_backbone, drop_backbone

revision = "20261123_0930"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    create_backbone()


def downgrade() -> None:
    """Take back."""
    drop_backbone()
