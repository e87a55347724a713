"""Keep by what roads are longer than the crow's ways: as told of a run's regions, and of each account of its proposal."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261129_2300"
down_revision = "20261129_2230"
branch_labels = None
depends_on = None

UP = """
-- As they were told; an area is the rings of a polygon, longitude before latitude.
CREATE TABLE design_run_road_regions (
    run_id uuid NOT NULL,
    region integer NOT NULL,
    factor double precision NOT NULL,
    state text,
    county text,
    area json,
    CONSTRAINT pk_design_run_road_regions PRIMARY KEY (run_id, region),
    CONSTRAINT fk_design_run_road_regions_run_id_design_runs FOREIGN KEY (run_id)
        REFERENCES design_runs ON DELETE CASCADE,
    CONSTRAINT ck_design_run_road_regions_factor CHECK (factor >= 1),
    CONSTRAINT ck_design_run_road_regions_area CHECK ((area IS NULL) = (state IS NOT NULL OR county IS NOT NULL))
);
-- Null: ways are as the crow flies, as a worker of before has it, too.
ALTER TABLE design_proposal_units ADD COLUMN road_factor double precision
"""
# Figures of proposals that were made with factors stay as they are.
DOWN = """
ALTER TABLE design_proposal_units DROP COLUMN road_factor;
DROP TABLE design_run_road_regions
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
