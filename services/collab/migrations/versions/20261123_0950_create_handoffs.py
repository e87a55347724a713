"""Create handoffs and the ticks on their checklists."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_0950"
down_revision = "20261123_0940"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE handoffs (
    handoff_id uuid CONSTRAINT pk_handoffs PRIMARY KEY,
    account_id uuid NOT NULL,
    activation_id uuid NOT NULL,
    from_territory_id uuid NOT NULL,
    to_territory_id uuid NOT NULL,
    effective_at timestamptz NOT NULL,
    template text NOT NULL,
    state text NOT NULL CONSTRAINT ck_handoffs_state
        CHECK (state IN ('sent', 'accepted', 'rejected', 'done', 'superseded')),
    version int NOT NULL DEFAULT 1,
    opened_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    rejection_reason text,
    completed_at timestamptz,
    completed_by text,
    superseded_at timestamptz,
    superseded_by_activation_id uuid,
    CONSTRAINT ck_handoffs_to_territory_id CHECK (from_territory_id <> to_territory_id),
    CONSTRAINT uq_handoffs_account_id_activation_id UNIQUE (account_id, activation_id)
) WITH (fillfactor = 85);

-- At most one per account waits for the receiving side, or was refused by it and is still nobody's.
CREATE UNIQUE INDEX uq_handoffs_outstanding ON handoffs (account_id) WHERE state IN ('sent', 'rejected');
CREATE INDEX ix_handoffs_from_territory_id ON handoffs (from_territory_id, handoff_id);
CREATE INDEX ix_handoffs_to_territory_id ON handoffs (to_territory_id, handoff_id);
CREATE INDEX ix_handoffs_activation_id ON handoffs (activation_id, handoff_id);
CREATE INDEX ix_handoffs_state ON handoffs (state, handoff_id);

-- A row per item that is done. What the items are is in the code, under the handoff's template.
CREATE TABLE handoff_ticks (
    handoff_id uuid NOT NULL CONSTRAINT fk_handoff_ticks_handoff_id_handoffs REFERENCES handoffs,
    item text NOT NULL,
    done_at timestamptz NOT NULL,
    done_by text NOT NULL,
    CONSTRAINT pk_handoff_ticks PRIMARY KEY (handoff_id, item)
);
"""

DOWN = """
DROP TABLE handoff_ticks;
DROP TABLE handoffs;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
