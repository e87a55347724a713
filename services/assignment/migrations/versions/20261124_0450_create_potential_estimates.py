"""Create potential estimates, the amounts they give accounts, and the views that they are made from."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0450"
down_revision = "20261124_0440"
branch_labels = None
depends_on = None

UP = """
-- What estimates may read of accounts and of their measures: amounts above zero only, a row each.
CREATE VIEW account_profiles AS
SELECT account_id, employees, industry, state, latitude, longitude FROM accounts;
CREATE VIEW account_amounts AS
SELECT account_id, currency, 'revenue' AS measure, trailing_revenue AS amount
FROM account_measures WHERE trailing_revenue > 0
UNION ALL
SELECT account_id, currency, 'pipeline', open_pipeline FROM account_measures WHERE open_pipeline > 0;
-- An estimate is its own queue row: asked for, taken for a while by a worker, made.
CREATE TABLE potential_estimates (
    estimate_id uuid NOT NULL,
    measure text NOT NULL,
    currency text NOT NULL,
    state text NOT NULL,
    seed integer NOT NULL,
    folds integer NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    taken_at timestamptz,
    completed_at timestamptz,
    reason text,
    known_accounts integer,
    prospects integer,
    method text,
    trial jsonb,
    input_digest text,
    CONSTRAINT pk_potential_estimates PRIMARY KEY (estimate_id),
    CONSTRAINT ck_potential_estimates_measure CHECK (measure IN ('revenue', 'pipeline')),
    CONSTRAINT ck_potential_estimates_state CHECK (state IN ('queued', 'completed', 'failed')),
    CONSTRAINT ck_potential_estimates_method CHECK (method IN ('gradient_boosting', 'industry_median')),
    CONSTRAINT ck_potential_estimates_completed CHECK (
        (state = 'completed') = (num_nulls(known_accounts, prospects, method, trial, input_digest) = 0)
    ),
    CONSTRAINT ck_potential_estimates_failed CHECK ((state = 'failed') = (reason IS NOT NULL)),
    CONSTRAINT ck_potential_estimates_completed_at CHECK ((state = 'queued') = (completed_at IS NULL))
);
-- One estimate of a measure waits at a time: a second would say the same.
CREATE UNIQUE INDEX uq_potential_estimates_queued ON potential_estimates (measure, currency)
WHERE state = 'queued';
CREATE TABLE account_potentials (
    estimate_id uuid NOT NULL,
    account_id uuid NOT NULL,
    known_amount numeric,
    estimated_amount numeric NOT NULL,
    CONSTRAINT pk_account_potentials PRIMARY KEY (estimate_id, account_id),
    CONSTRAINT fk_account_potentials_estimate_id_potential_estimates FOREIGN KEY (estimate_id)
        REFERENCES potential_estimates ON DELETE CASCADE
)
"""
DOWN = """
DROP TABLE account_potentials;
DROP TABLE potential_estimates;
DROP VIEW account_amounts;
DROP VIEW account_profiles
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
