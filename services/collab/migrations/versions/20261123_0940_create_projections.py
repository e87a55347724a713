"""Create what collab keeps of assignment and metrics: alignments, trees, coverage, states."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_0940"
down_revision = "20261123_0930"
branch_labels = None
depends_on = None

UP = """
-- The territory an account is in now; version is the last event of the account that moved it.
CREATE TABLE current_alignments (
    account_id uuid CONSTRAINT pk_current_alignments PRIMARY KEY,
    territory_id uuid,
    version bigint NOT NULL,
    valid_from timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX ix_current_alignments_territory_id ON current_alignments (territory_id);

-- Every published tree as its closure, depth 0 included. Trees are known by their shape and never change.
CREATE TABLE tree_closures (
    tree_id uuid NOT NULL,
    ancestor_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    depth int NOT NULL CONSTRAINT ck_tree_closures_depth CHECK (depth >= 0),
    CONSTRAINT pk_tree_closures PRIMARY KEY (tree_id, ancestor_id, territory_id)
);

-- The latest activation. The tree it names may arrive later, on another topic.
CREATE TABLE live_plan (
    singleton boolean DEFAULT true CONSTRAINT pk_live_plan PRIMARY KEY
        CONSTRAINT ck_live_plan_singleton CHECK (singleton),
    sequence int NOT NULL,
    plan_id uuid NOT NULL,
    tree_id uuid NOT NULL
);
CREATE VIEW live_closure AS
SELECT closure.ancestor_id, closure.territory_id
FROM tree_closures AS closure JOIN live_plan ON live_plan.tree_id = closure.tree_id;

CREATE TABLE coverages (
    coverage_id uuid CONSTRAINT pk_coverages PRIMARY KEY,
    territory_id uuid NOT NULL,
    rep_id uuid NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz
);
CREATE INDEX ix_coverages_territory_id_valid_from ON coverages (territory_id, valid_from DESC);

-- figures is the list of metrics.account.state.v1: one entry per currency, amounts as decimal strings.
CREATE TABLE account_states (
    account_id uuid CONSTRAINT pk_account_states PRIMARY KEY,
    version bigint NOT NULL,
    as_of timestamptz NOT NULL,
    figures jsonb NOT NULL
) WITH (fillfactor = 80);
"""

DOWN = """
DROP TABLE account_states;
DROP TABLE coverages;
DROP VIEW live_closure;
DROP TABLE live_plan;
DROP TABLE tree_closures;
DROP TABLE current_alignments;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
