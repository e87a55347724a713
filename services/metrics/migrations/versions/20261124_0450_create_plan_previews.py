"""Create plan previews: where plans that are not in force would send accounts."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0450"
down_revision = "20261124_0440"
branch_labels = None
depends_on = None

# A preview counts once all of its parts are here.
_UPGRADE = """
CREATE TABLE plan_previews (
    plan_id uuid NOT NULL,
    preview_id uuid NOT NULL,
    plan_version int NOT NULL,
    tree_id uuid NOT NULL,
    parts int NOT NULL,
    parts_seen int NOT NULL,
    previewed_at timestamptz NOT NULL,
    CONSTRAINT pk_plan_previews PRIMARY KEY (plan_id),
    CONSTRAINT fk_plan_previews_tree_id_trees FOREIGN KEY (tree_id) REFERENCES trees
);
CREATE TABLE planned_moves (
    plan_id uuid NOT NULL,
    account_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    CONSTRAINT pk_planned_moves PRIMARY KEY (plan_id, account_id),
    CONSTRAINT fk_planned_moves_plan_id_plan_previews FOREIGN KEY (plan_id) REFERENCES plan_previews
);
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(_UPGRADE):
        op.execute(statement)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP TABLE planned_moves")
    op.execute("DROP TABLE plan_previews")
