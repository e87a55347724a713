"""Create activations and the alignment history."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_1030"
down_revision = "20261123_1020"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE activations (
    activation_id uuid NOT NULL,
    sequence bigint NOT NULL,
    plan_id uuid NOT NULL,
    previous_plan_id uuid,
    kind text NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    accounts integer NOT NULL,
    moved integer NOT NULL,
    gaps integer NOT NULL,
    ties integer NOT NULL,
    CONSTRAINT pk_activations PRIMARY KEY (activation_id),
    CONSTRAINT uq_activations_sequence UNIQUE (sequence),
    CONSTRAINT fk_activations_plan_id_plans FOREIGN KEY (plan_id) REFERENCES plans,
    CONSTRAINT fk_activations_previous_plan_id_plans FOREIGN KEY (previous_plan_id) REFERENCES plans,
    CONSTRAINT ck_activations_kind CHECK (kind IN ('activation', 'rollback'))
);
ALTER TABLE live_plan ADD CONSTRAINT fk_live_plan_activation_id_activations
    FOREIGN KEY (activation_id) REFERENCES activations;
CREATE TABLE alignments (
    account_id uuid NOT NULL,
    valid tstzrange NOT NULL,
    territory_id uuid,
    plan_id uuid NOT NULL,
    rule_id uuid,
    cause text NOT NULL,
    reason text,
    activation_id uuid,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_alignments PRIMARY KEY (account_id, valid WITHOUT OVERLAPS),
    CONSTRAINT fk_alignments_account_id_accounts FOREIGN KEY (account_id) REFERENCES accounts,
    CONSTRAINT ck_alignments_valid CHECK (NOT lower_inf(valid)),
    CONSTRAINT ck_alignments_cause CHECK (cause IN ('rule', 'pin', 'design', 'import')),
    CONSTRAINT ck_alignments_reason CHECK ((territory_id IS NULL) = (reason IS NOT NULL)),
    CONSTRAINT ck_alignments_reason_code CHECK (reason IN ('no_match', 'tie'))
);
CREATE UNIQUE INDEX uq_alignments_open ON alignments (account_id) WHERE upper_inf(valid);
CREATE INDEX ix_alignments_open_territory_id ON alignments (territory_id, account_id) WHERE upper_inf(valid);
CREATE VIEW open_alignments AS
SELECT account_id, territory_id, plan_id, rule_id, cause, reason, activation_id, lower(valid) AS valid_from
FROM alignments WHERE upper_inf(valid)
"""
DOWN = """
DROP VIEW open_alignments;
DROP TABLE alignments;
ALTER TABLE live_plan DROP CONSTRAINT fk_live_plan_activation_id_activations;
DROP TABLE activations
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
