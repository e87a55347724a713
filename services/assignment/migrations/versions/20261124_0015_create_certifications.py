"""Create what territories require of who covers them, and the projection of who holds it."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0015"
down_revision = "20261123_1040"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE required_certifications (
    plan_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    certification_code text NOT NULL,
    CONSTRAINT pk_required_certifications PRIMARY KEY (plan_id, territory_id, certification_code),
    CONSTRAINT fk_required_certifications_plan_id_territory_id_territories FOREIGN KEY (plan_id, territory_id)
        REFERENCES territories (plan_id, territory_id) ON DELETE CASCADE
);
-- On valid_to the certification no longer counts. An award revoked as if it had never been has no days.
CREATE TABLE held_certifications (
    award_id uuid NOT NULL,
    rep_id uuid NOT NULL,
    certification_code text NOT NULL,
    valid_from date NOT NULL,
    valid_to date NOT NULL,
    CONSTRAINT pk_held_certifications PRIMARY KEY (award_id),
    CONSTRAINT ck_held_certifications_valid_to CHECK (valid_from <= valid_to)
);
CREATE INDEX ix_held_certifications_rep_id_certification_code
    ON held_certifications (rep_id, certification_code, valid_to)
"""
DOWN = """
DROP TABLE held_certifications;
DROP TABLE required_certifications
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
