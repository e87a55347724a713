"""Create the backbone: outbox, offsets, watermarks, parked keys, idempotency keys."""

from alembic import op

from shared.db.migrations import backbone_statements

revision = "20261123_0930"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "idempotency_keys",
    "parked_records",
    "parked_keys",
    "consumer_watermarks",
    "consumer_offsets",
    "aggregate_versions",
    "outbox",
)


def upgrade() -> None:
    """Apply."""
    for statement in backbone_statements():
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for table in TABLES:
        op.execute(f"DROP TABLE IF EXISTS {table}")
