"""${message}."""

from alembic import op

revision = "${up_revision}"
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    ${upgrades if upgrades else 'op.execute("")'}


def downgrade() -> None:
    """Take back."""
    ${downgrades if downgrades else 'op.execute("")'}
