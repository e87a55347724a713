"""Create the alignment timelines, the territory trees and when each was in force."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_1010"
down_revision = "20261123_1000"
branch_labels = None
depends_on = None

_UPGRADE = """
-- The timeline of an account is this set of events itself: at an instant t the event with the highest version
-- among those with valid_from <= t rules. Nothing derived from it can be out of date.
CREATE TABLE alignment_events (
    account_id uuid NOT NULL,
    version bigint NOT NULL,
    territory_id uuid,
    valid_from timestamptz NOT NULL,
    plan_id uuid NOT NULL,
    activation_id uuid,
    cause varchar(16) NOT NULL,
    rule_id uuid,
    CONSTRAINT pk_alignment_events PRIMARY KEY (account_id, version)
);
CREATE INDEX ix_alignment_events_territory_id ON alignment_events (territory_id);

-- Where an account belongs now: the territory of its highest version. Accounts never aligned have no row.
CREATE TABLE accounts (
    account_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_accounts PRIMARY KEY (account_id)
);
CREATE INDEX ix_accounts_territory_id ON accounts (territory_id);

CREATE TABLE trees (
    tree_id uuid NOT NULL,
    published_at timestamptz NOT NULL,
    CONSTRAINT pk_trees PRIMARY KEY (tree_id)
);
CREATE TABLE tree_closure (
    tree_id uuid NOT NULL,
    ancestor_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    depth int NOT NULL,
    CONSTRAINT pk_tree_closure PRIMARY KEY (tree_id, ancestor_id, territory_id),
    CONSTRAINT fk_tree_closure_tree_id_trees FOREIGN KEY (tree_id) REFERENCES trees
);
CREATE INDEX ix_tree_closure_tree_id_territory_id_depth ON tree_closure (tree_id, territory_id, depth);
-- The same as one row per territory: itself, its ancestors from near to far, and the organisation. The fact
-- path unnests it instead of joining.
CREATE TABLE tree_lines (
    tree_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    line uuid[] NOT NULL,
    CONSTRAINT pk_tree_lines PRIMARY KEY (tree_id, territory_id),
    CONSTRAINT fk_tree_lines_tree_id_trees FOREIGN KEY (tree_id) REFERENCES trees
);

CREATE TABLE activations (
    sequence bigint NOT NULL,
    activation_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    tree_id uuid NOT NULL,
    kind varchar(10) NOT NULL,
    effective_at timestamptz NOT NULL,
    CONSTRAINT pk_activations PRIMARY KEY (sequence)
);
-- Which tree was in force when, worked out from the activations each time one is added.
CREATE TABLE tree_periods (
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL,
    tree_id uuid NOT NULL,
    CONSTRAINT pk_tree_periods PRIMARY KEY (valid_from),
    CONSTRAINT ck_tree_periods_valid CHECK (valid_from < valid_to)
);
-- One row: the plan in force, and its tree.
CREATE TABLE live_plan (
    singleton boolean NOT NULL DEFAULT true CONSTRAINT ck_live_plan_singleton CHECK (singleton),
    plan_id uuid,
    tree_id uuid,
    sequence bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_live_plan PRIMARY KEY (singleton)
);
INSERT INTO live_plan DEFAULT VALUES;

CREATE VIEW live_closure AS
SELECT c.ancestor_id, c.territory_id, c.depth
FROM live_plan l JOIN tree_closure c ON c.tree_id = l.tree_id;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(_UPGRADE):
        op.execute(statement)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP VIEW live_closure")
    for table in (
        "live_plan",
        "tree_periods",
        "activations",
        "tree_lines",
        "tree_closure",
        "trees",
        "accounts",
        "alignment_events",
    ):
        op.execute(f"DROP TABLE {table}")
