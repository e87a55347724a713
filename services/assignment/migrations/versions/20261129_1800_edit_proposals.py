"""Let proposals be edited by hand: what scoring needs is kept with them, and each edit with what it changed."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261129_1800"
down_revision = "20261129_1700"
branch_labels = None
depends_on = None

# What is null is of proposals that a worker of the release before has kept: they are read and accepted, but not edited.
UP = """
-- The point of the earth where the plane of x and y touches it; what all accounts that belong somewhere today count.
-- `edit_version` rises with every edit, undone and redone ones included.
ALTER TABLE design_proposals
    ADD COLUMN plane_latitude double precision,
    ADD COLUMN plane_longitude double precision,
    ADD COLUMN aligned_value double precision,
    ADD COLUMN edit_version integer NOT NULL DEFAULT 1,
    ADD COLUMN edited_accounts integer NOT NULL DEFAULT 0;
-- Sums over a territory's units: with them the figures of the whole follow without a look at the other territories.
ALTER TABLE design_proposal_territories
    ADD COLUMN weight double precision,
    ADD COLUMN cost double precision,
    ADD COLUMN moved_accounts integer,
    ADD COLUMN moved_value double precision,
    ADD COLUMN broken boolean;
-- x and y in km in the plane. `kind` is what may hold a unit, null for any territory. The engine's own answer for a unit
-- that was moved by hand is in `territory_proposed` and `reason_proposed`.
ALTER TABLE design_proposal_units
    ADD COLUMN x double precision,
    ADD COLUMN y double precision,
    ADD COLUMN kind integer,
    ADD COLUMN territory_proposed uuid,
    ADD COLUMN reason_proposed text,
    DROP CONSTRAINT ck_design_proposal_units_reason,
    ADD CONSTRAINT ck_design_proposal_units_reason CHECK (
        reason IN ('fixed', 'stays', 'nearest', 'balance', 'whole', 'hand')
    ),
    ADD CONSTRAINT ck_design_proposal_units_hand CHECK (
        (reason = 'hand') = (territory_proposed IS NOT NULL) AND (reason = 'hand') = (reason_proposed IS NOT NULL)
    );
CREATE INDEX ix_design_proposal_units_run_id_territory_after ON design_proposal_units (run_id, territory_after);
CREATE INDEX ix_design_proposal_units_run_id_edited ON design_proposal_units (run_id, territory_after)
    WHERE territory_proposed IS NOT NULL;
-- Which territories may hold the units of a kind, for what their accounts wish of those who cover them.
CREATE TABLE design_proposal_kinds (
    run_id uuid NOT NULL,
    kind integer NOT NULL,
    territory_ids uuid[] NOT NULL,
    CONSTRAINT pk_design_proposal_kinds PRIMARY KEY (run_id, kind),
    CONSTRAINT fk_design_proposal_kinds_run_id_design_proposals FOREIGN KEY (run_id)
        REFERENCES design_proposals ON DELETE CASCADE
);
-- `before` and `after` hold the figures of the whole and of the territories touched: to undo is to put them back.
-- A dropped edit was undone, and another was made since.
CREATE TABLE design_edits (
    edit_id uuid NOT NULL,
    run_id uuid NOT NULL,
    number integer NOT NULL,
    state text NOT NULL,
    accounts integer NOT NULL,
    territory_ids uuid[] NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    changed_by text,
    changed_at timestamptz,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    CONSTRAINT pk_design_edits PRIMARY KEY (edit_id),
    CONSTRAINT uq_design_edits_run_id_number UNIQUE (run_id, number),
    CONSTRAINT fk_design_edits_run_id_design_proposals FOREIGN KEY (run_id)
        REFERENCES design_proposals ON DELETE CASCADE,
    CONSTRAINT ck_design_edits_state CHECK (state IN ('applied', 'undone', 'dropped')),
    CONSTRAINT ck_design_edits_changed_at CHECK ((changed_by IS NULL) = (changed_at IS NULL))
);
CREATE TABLE design_edit_moves (
    edit_id uuid NOT NULL,
    account_id uuid NOT NULL,
    territory_from uuid NOT NULL,
    territory_to uuid NOT NULL,
    CONSTRAINT pk_design_edit_moves PRIMARY KEY (edit_id, account_id),
    CONSTRAINT fk_design_edit_moves_edit_id_design_edits FOREIGN KEY (edit_id)
        REFERENCES design_edits ON DELETE CASCADE
)
"""
# Edited accounts go back to where the engine would have them; the figures of edited proposals stay as they are.
DOWN = """
DROP TABLE design_edit_moves;
DROP TABLE design_edits;
DROP TABLE design_proposal_kinds;
UPDATE design_proposal_units SET
    territory_after = territory_proposed, reason = reason_proposed, territory_proposed = NULL, reason_proposed = NULL
WHERE territory_proposed IS NOT NULL;
DROP INDEX ix_design_proposal_units_run_id_edited;
DROP INDEX ix_design_proposal_units_run_id_territory_after;
ALTER TABLE design_proposal_units
    DROP CONSTRAINT ck_design_proposal_units_hand,
    DROP CONSTRAINT ck_design_proposal_units_reason,
    ADD CONSTRAINT ck_design_proposal_units_reason CHECK (
        reason IN ('fixed', 'stays', 'nearest', 'balance', 'whole')
    ),
    DROP COLUMN reason_proposed,
    DROP COLUMN territory_proposed,
    DROP COLUMN kind,
    DROP COLUMN y,
    DROP COLUMN x;
ALTER TABLE design_proposal_territories
    DROP COLUMN broken,
    DROP COLUMN moved_value,
    DROP COLUMN moved_accounts,
    DROP COLUMN cost,
    DROP COLUMN weight;
ALTER TABLE design_proposals
    DROP COLUMN edited_accounts,
    DROP COLUMN edit_version,
    DROP COLUMN aligned_value,
    DROP COLUMN plane_longitude,
    DROP COLUMN plane_latitude
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
