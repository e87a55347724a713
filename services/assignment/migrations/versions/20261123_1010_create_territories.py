"""Create the territories of plans and who lies under whom."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_1010"
down_revision = "20261123_1000"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE territories (
    plan_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    parent_id uuid,
    name text NOT NULL,
    kind text NOT NULL,
    code text,
    CONSTRAINT pk_territories PRIMARY KEY (plan_id, territory_id),
    CONSTRAINT fk_territories_plan_id_plans FOREIGN KEY (plan_id) REFERENCES plans,
    CONSTRAINT fk_territories_parent_id_territories FOREIGN KEY (plan_id, parent_id)
        REFERENCES territories (plan_id, territory_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_territories_plan_id_parent_id_name UNIQUE NULLS NOT DISTINCT (plan_id, parent_id, name)
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ck_territories_kind CHECK (kind IN ('geographic', 'named_account', 'overlay')),
    CONSTRAINT ck_territories_parent_id CHECK (parent_id <> territory_id)
);
CREATE INDEX ix_territories_parent_id ON territories (plan_id, parent_id);
CREATE INDEX ix_territories_territory_id ON territories (territory_id);
CREATE TABLE plan_closure (
    plan_id uuid NOT NULL,
    ancestor_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    depth integer NOT NULL,
    CONSTRAINT pk_plan_closure PRIMARY KEY (plan_id, ancestor_id, territory_id),
    CONSTRAINT fk_plan_closure_territory_id_territories FOREIGN KEY (plan_id, territory_id)
        REFERENCES territories (plan_id, territory_id) ON DELETE CASCADE,
    CONSTRAINT fk_plan_closure_ancestor_id_territories FOREIGN KEY (plan_id, ancestor_id)
        REFERENCES territories (plan_id, territory_id) ON DELETE CASCADE
);
CREATE INDEX ix_plan_closure_territory_id ON plan_closure (plan_id, territory_id);
CREATE VIEW live_closure AS
SELECT closure.ancestor_id, closure.territory_id, closure.depth
FROM live_plan JOIN plan_closure AS closure USING (plan_id)
"""
DOWN = """
DROP VIEW live_closure;
DROP TABLE plan_closure;
DROP TABLE territories
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
