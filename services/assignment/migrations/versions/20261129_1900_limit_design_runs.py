"""Limit design runs: sizes of territories, barriers, and accounts that are kept together."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261129_1900"
down_revision = "20261129_1800"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE design_run_territories
    ADD COLUMN least_accounts integer,
    ADD COLUMN most_accounts integer,
    ADD CONSTRAINT ck_design_run_territories_accounts CHECK (
        least_accounts > 0 AND most_accounts > 0 AND least_accounts <= most_accounts
    );
-- Accounts that go to one territory for reasons of their own, as they were told.
CREATE TABLE design_run_families (
    run_id uuid NOT NULL,
    family integer NOT NULL,
    name text NOT NULL,
    account_ids uuid[] NOT NULL,
    CONSTRAINT pk_design_run_families PRIMARY KEY (run_id, family),
    CONSTRAINT fk_design_run_families_run_id_design_runs FOREIGN KEY (run_id)
        REFERENCES design_runs ON DELETE CASCADE
);
-- Lines that no territory of a run crosses, as they were told.
CREATE TABLE design_run_barriers (
    run_id uuid NOT NULL,
    line integer NOT NULL,
    longitudes double precision[] NOT NULL,
    latitudes double precision[] NOT NULL,
    CONSTRAINT pk_design_run_barriers PRIMARY KEY (run_id, line),
    CONSTRAINT fk_design_run_barriers_run_id_design_runs FOREIGN KEY (run_id)
        REFERENCES design_runs ON DELETE CASCADE,
    CONSTRAINT ck_design_run_barriers_points CHECK (cardinality(longitudes) = cardinality(latitudes))
);
-- Null: nobody was kept together.
ALTER TABLE design_proposals ADD COLUMN kept_together jsonb;
ALTER TABLE design_proposal_units
    DROP CONSTRAINT ck_design_proposal_units_reason,
    ADD CONSTRAINT ck_design_proposal_units_reason CHECK (
        reason IN ('fixed', 'stays', 'nearest', 'balance', 'whole', 'hand', 'together')
    )
"""
DOWN = """
UPDATE design_proposal_units SET reason = 'whole' WHERE reason = 'together';
UPDATE design_proposal_units SET reason_proposed = 'whole' WHERE reason_proposed = 'together';
ALTER TABLE design_proposal_units
    DROP CONSTRAINT ck_design_proposal_units_reason,
    ADD CONSTRAINT ck_design_proposal_units_reason CHECK (
        reason IN ('fixed', 'stays', 'nearest', 'balance', 'whole', 'hand')
    );
ALTER TABLE design_proposals DROP COLUMN kept_together;
DROP TABLE design_run_barriers;
DROP TABLE design_run_families;
ALTER TABLE design_run_territories
    DROP CONSTRAINT ck_design_run_territories_accounts, DROP COLUMN least_accounts, DROP COLUMN most_accounts
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
