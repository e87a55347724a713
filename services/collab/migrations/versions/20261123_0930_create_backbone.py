"""Create outbox, offsets, watermarks, parked keys and idempotency keys."""

from alembic import op

from shared.db.migrations import backbone_statements

revision = "20261123_0930"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for statement in backbone_statements():
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in reversed(backbone_statements()):
        if statement.startswith("CREATE TABLE"):
            op.execute(f"DROP TABLE {statement.split()[2]}")
