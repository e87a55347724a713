"""Create goals."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0440"
down_revision = "20261124_0430"
branch_labels = None
depends_on = None

# `history` are the values of the periods before, the oldest first, as known when the goal was activated: a goal
# is judged by what was known when it was set. The rest after `state` is what the worker saw last.
_UPGRADE = """
CREATE TABLE goals (
    goal_id uuid NOT NULL,
    title varchar(200) NOT NULL,
    metric_id varchar(64) NOT NULL,
    view varchar(6) NOT NULL CONSTRAINT ck_goals_view CHECK (view IN ('as_was', 'as_is')),
    currency varchar(3),
    territory_id uuid NOT NULL,
    owner varchar(200),
    objective varchar(2000),
    parent_goal_id uuid,
    direction varchar(4) NOT NULL CONSTRAINT ck_goals_direction CHECK (direction IN ('up', 'down')),
    baseline numeric(24, 6),
    target numeric(24, 6) NOT NULL,
    first_day date NOT NULL,
    end_day date NOT NULL,
    pacing varchar(12) NOT NULL CONSTRAINT ck_goals_pacing CHECK (pacing IN ('working_days', 'linear')),
    stretch boolean NOT NULL,
    state varchar(9) NOT NULL CONSTRAINT ck_goals_state
        CHECK (state IN ('draft', 'active', 'achieved', 'missed', 'cancelled')),
    version int NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    history numeric[] NOT NULL DEFAULT '{}',
    checked_at timestamptz,
    at_risk boolean NOT NULL DEFAULT false,
    settled_value numeric,
    CONSTRAINT pk_goals PRIMARY KEY (goal_id),
    CONSTRAINT fk_goals_parent_goal_id_goals FOREIGN KEY (parent_goal_id) REFERENCES goals (goal_id)
);
CREATE INDEX ix_goals_parent_goal_id ON goals (parent_goal_id);
CREATE INDEX ix_goals_territory_id ON goals (territory_id);
CREATE INDEX ix_goals_checked_at ON goals (checked_at NULLS FIRST) WHERE state = 'active';
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(_UPGRADE):
        op.execute(statement)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP TABLE goals")
