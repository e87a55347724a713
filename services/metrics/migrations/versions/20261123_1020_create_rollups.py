"""Create the roll-ups per territory and day, and the accounts whose state has to be published."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_1020"
down_revision = "20261123_1010"
branch_labels = None
depends_on = None

# `below` tells what a territory gets from the territories under it from what is credited to itself: its own
# rows stay true in any tree, so a change of the tree is worked out from them and never from single facts.
# The figures of a territory are the sum of both, and of all slots: one range of the key.
# No index on a figure, and room on the page: so an upsert rewrites a row in place (HOT).
_UPGRADE = """
CREATE TABLE rollup_days (
    view smallint NOT NULL CONSTRAINT ck_rollup_days_view CHECK (view IN (1, 2)),
    territory_id uuid NOT NULL,
    day date NOT NULL,
    currency varchar(3) NOT NULL,
    slot smallint NOT NULL,
    below boolean NOT NULL,
    revenue_minor bigint NOT NULL,
    orders bigint NOT NULL,
    leads bigint NOT NULL,
    opportunities bigint NOT NULL,
    open_minor bigint NOT NULL,
    won bigint NOT NULL,
    won_minor bigint NOT NULL,
    lost bigint NOT NULL,
    lost_minor bigint NOT NULL,
    spend_minor bigint NOT NULL,
    facts bigint NOT NULL,
    CONSTRAINT pk_rollup_days PRIMARY KEY (view, territory_id, day, currency, slot, below)
) WITH (fillfactor = 80);
ALTER TABLE rollup_days SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- A queue, not a flag: each batch adds rows of its own, so a batch that commits while an account is being
-- published leaves a row behind that the publisher did not take.
CREATE TABLE stale_accounts (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    account_id uuid NOT NULL,
    CONSTRAINT pk_stale_accounts PRIMARY KEY (seq)
);
ALTER TABLE stale_accounts SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0
);
-- What was published last; as_of is null until the first time.
CREATE TABLE account_states (
    account_id uuid NOT NULL,
    figures jsonb NOT NULL DEFAULT '[]',
    as_of timestamptz,
    CONSTRAINT pk_account_states PRIMARY KEY (account_id)
);
-- One row: up to which day accounts were looked through whose trailing year moved on.
CREATE TABLE trailing_window (
    singleton boolean NOT NULL DEFAULT true CONSTRAINT ck_trailing_window_singleton CHECK (singleton),
    swept_on date NOT NULL,
    CONSTRAINT pk_trailing_window PRIMARY KEY (singleton)
);
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(_UPGRADE):
        op.execute(statement)


def downgrade() -> None:
    """Undo."""
    for table in ("trailing_window", "account_states", "stale_accounts", "rollup_days"):
        op.execute(f"DROP TABLE {table}")
