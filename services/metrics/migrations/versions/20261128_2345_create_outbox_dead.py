"""Create the place for outbox rows that Kafka refuses for good."""

from shared.db.migrations import create_backbone, drop_backbone

revision = "20261128_2345"
down_revision = "20261124_0500"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    create_backbone("outbox_dead")


def downgrade() -> None:
    """Take back."""
    drop_backbone("outbox_dead")
