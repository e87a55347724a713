"""Extend facts by deals, refunds, channels and links, and by what an account's journey makes of them."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0420"
down_revision = "20261124_0010"
branch_labels = None
depends_on = None

_TABLES = ("facts", "fact_history", "fact_conflicts")
_FIGURES = (
    "paid_spend_minor",
    "refunds",
    "refunded_minor",
    "deals",
    "dealt_minor",
    "new_customers",
    "paid_new_customers",
    "converted_7",
    "converted_30",
    "converted_90",
)
_EXTEND = """
ALTER TABLE {table} ADD COLUMN channel varchar(64), ADD COLUMN paid boolean, ADD COLUMN origin_external_id varchar(128);
ALTER TABLE {table} DROP CONSTRAINT ck_{table}_kind;
ALTER TABLE {table} ADD CONSTRAINT ck_{table}_kind
    CHECK (kind IN ('lead', 'opportunity', 'order', 'spend', 'deal', 'refund'));
"""
# Where a fact stands on its account's way depends on the account's other facts, so it is not told but worked
# out, and stored beside the fact: whatever restates roll-ups from facts counts it without knowing of journeys.
_JOURNEYS = """
ALTER TABLE facts
    ADD COLUMN first_order boolean NOT NULL DEFAULT false,
    ADD COLUMN paid_origin boolean NOT NULL DEFAULT false,
    ADD COLUMN converted_after int;
-- A queue as stale_accounts is one.
CREATE TABLE untraced_accounts (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    account_id uuid NOT NULL,
    CONSTRAINT pk_untraced_accounts PRIMARY KEY (seq)
);
ALTER TABLE untraced_accounts SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0
);
INSERT INTO untraced_accounts (account_id)
SELECT DISTINCT account_id FROM facts WHERE account_id IS NOT NULL AND kind IN ('lead', 'order');
"""


def upgrade() -> None:
    """Apply."""
    for table in _TABLES:
        for statement in split_statements(_EXTEND.format(table=table)):
            op.execute(statement)
    added = ", ".join(f"ADD COLUMN {name} bigint NOT NULL DEFAULT 0" for name in _FIGURES)
    op.execute(f"ALTER TABLE rollup_days {added}")
    for statement in split_statements(_JOURNEYS):
        op.execute(statement)


def downgrade() -> None:
    """Undo; refused while there are deals or refunds."""
    op.execute("DROP TABLE untraced_accounts")
    dropped = ", ".join(f"DROP COLUMN {name}" for name in _FIGURES)
    op.execute(f"ALTER TABLE rollup_days {dropped}")
    op.execute(
        "ALTER TABLE facts DROP COLUMN first_order, DROP COLUMN paid_origin, DROP COLUMN converted_after"
    )
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_kind")
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_kind "
            "CHECK (kind IN ('lead', 'opportunity', 'order', 'spend'))"
        )
        op.execute(
            f"ALTER TABLE {table} DROP COLUMN channel, DROP COLUMN paid, DROP COLUMN origin_external_id"
        )
