"""Create the rules of plans."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_1020"
down_revision = "20261123_1010"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE rules (
    plan_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    name text NOT NULL,
    territory_id uuid NOT NULL,
    position integer NOT NULL,
    condition jsonb NOT NULL,
    CONSTRAINT pk_rules PRIMARY KEY (plan_id, rule_id),
    CONSTRAINT fk_rules_plan_id_plans FOREIGN KEY (plan_id) REFERENCES plans,
    CONSTRAINT fk_rules_territory_id_territories FOREIGN KEY (plan_id, territory_id)
        REFERENCES territories (plan_id, territory_id),
    CONSTRAINT ck_rules_position CHECK (position >= 0)
);
CREATE INDEX ix_rules_plan_id_territory_id ON rules (plan_id, territory_id);
-- How much a plan holds: the relation from which plans tell it.
CREATE VIEW plan_sizes AS
SELECT plan_id,
       (SELECT count(*) FROM territories WHERE territories.plan_id = plans.plan_id) AS territories,
       (SELECT count(*) FROM rules WHERE rules.plan_id = plans.plan_id) AS rules
FROM plans
"""
DOWN = """
DROP VIEW plan_sizes;
DROP TABLE rules
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
