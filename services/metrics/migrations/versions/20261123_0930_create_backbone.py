"""Create the outbox, the consumers' progress and the idempotency keys."""

from alembic import op

from shared.db.migrations import backbone_statements

revision = "20261123_0930"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
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
    """Undo."""
    for table in _TABLES:
        op.execute(f"DROP TABLE IF EXISTS {table}")
