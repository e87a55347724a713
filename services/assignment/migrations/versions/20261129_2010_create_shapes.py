"""Create the shapes of postal codes and counties, which boundaries of territories are made of."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261129_2010"
down_revision = "20261129_2000"
branch_labels = None
depends_on = None

UP = """
-- All shapes of a level come and go together; the id is another with every change of them.
CREATE TABLE shape_sets (
    level text NOT NULL,
    shape_set_id uuid NOT NULL,
    key_property text NOT NULL,
    shapes integer NOT NULL,
    put_at timestamptz NOT NULL,
    put_by text NOT NULL,
    CONSTRAINT pk_shape_sets PRIMARY KEY (level),
    CONSTRAINT ck_shape_sets_level CHECK (level IN ('postal_code', 'county'))
);
CREATE TABLE shapes (
    level text NOT NULL,
    key text NOT NULL,
    -- A MultiPolygon, kept as it is sent to who draws.
    geometry json NOT NULL,
    CONSTRAINT pk_shapes PRIMARY KEY (level, key),
    CONSTRAINT fk_shapes_level_shape_sets FOREIGN KEY (level) REFERENCES shape_sets ON DELETE CASCADE
)
"""
DOWN = """
DROP TABLE shapes;
DROP TABLE shape_sets
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
