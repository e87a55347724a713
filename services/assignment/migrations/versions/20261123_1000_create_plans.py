"""Create plans, and the row that tells which of them is live."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_1000"
down_revision = "20261123_0950"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE plans (
    plan_id uuid NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    version bigint NOT NULL,
    based_on_plan_id uuid,
    tree_id uuid,
    drafted_at timestamptz NOT NULL,
    drafted_by text NOT NULL,
    activated_at timestamptz,
    retired_at timestamptz,
    CONSTRAINT pk_plans PRIMARY KEY (plan_id),
    CONSTRAINT fk_plans_based_on_plan_id_plans FOREIGN KEY (based_on_plan_id) REFERENCES plans,
    CONSTRAINT ck_plans_state CHECK (state IN ('draft', 'active', 'retired')),
    CONSTRAINT ck_plans_tree_id CHECK (state = 'draft' OR tree_id IS NOT NULL)
);
CREATE UNIQUE INDEX uq_plans_active ON plans (state) WHERE state = 'active';
-- One row. Activation locks it FOR UPDATE and whatever aligns single accounts FOR SHARE, so that no account
-- is aligned by a plan that has just stopped being the live one.
CREATE TABLE live_plan (
    singleton boolean NOT NULL DEFAULT true,
    plan_id uuid,
    activation_id uuid,
    sequence bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_live_plan PRIMARY KEY (singleton),
    CONSTRAINT ck_live_plan_singleton CHECK (singleton),
    CONSTRAINT fk_live_plan_plan_id_plans FOREIGN KEY (plan_id) REFERENCES plans
);
INSERT INTO live_plan DEFAULT VALUES
"""
DOWN = """
DROP TABLE live_plan;
DROP TABLE plans
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
