"""Create the reps that assignment told of: who may be certified, whether or not they cover anything."""

from alembic import op

revision = "20261128_2250"
down_revision = "20261128_2240"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("CREATE TABLE reps (rep_id uuid CONSTRAINT pk_reps PRIMARY KEY)")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TABLE reps")
