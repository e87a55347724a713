"""Create reps and their coverages."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_0950"
down_revision = "20261123_0940"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE reps (
    rep_id uuid NOT NULL,
    external_id text NOT NULL,
    name text NOT NULL,
    postal_code text,
    registered_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_reps PRIMARY KEY (rep_id),
    CONSTRAINT uq_reps_external_id UNIQUE (external_id)
);
CREATE TABLE coverages (
    coverage_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    rep_id uuid NOT NULL,
    role text NOT NULL,
    share_percent numeric(5, 2) NOT NULL,
    valid tstzrange NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    CONSTRAINT pk_coverages PRIMARY KEY (coverage_id),
    CONSTRAINT fk_coverages_rep_id_reps FOREIGN KEY (rep_id) REFERENCES reps,
    CONSTRAINT ck_coverages_role CHECK (role = 'primary'),
    CONSTRAINT ck_coverages_share_percent CHECK (share_percent > 0 AND share_percent <= 100),
    CONSTRAINT ck_coverages_valid CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
    CONSTRAINT uq_coverages_territory_id_role_valid UNIQUE (territory_id, role, valid WITHOUT OVERLAPS)
);
CREATE INDEX ix_coverages_rep_id ON coverages (rep_id);
CREATE INDEX ix_coverages_running ON coverages (territory_id) WHERE upper_inf(valid)
"""
DOWN = """
DROP TABLE coverages;
DROP TABLE reps
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
