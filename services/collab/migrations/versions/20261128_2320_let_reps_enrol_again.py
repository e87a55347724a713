"""Let reps be enrolled again in what they completed, and keep why a pass granted nothing when it was told."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261128_2320"
down_revision = "20261128_2310"
branch_labels = None
depends_on = None

UP = """
-- Open once per rep and programme, and once more per award that is to be renewed.
CREATE UNIQUE INDEX uq_enrolments_open_programme_id_rep_id_renews_award_id
    ON enrolments (programme_id, rep_id, renews_award_id) NULLS NOT DISTINCT WHERE state = 'open';
ALTER TABLE enrolments
    DROP CONSTRAINT uq_enrolments_programme_id_rep_id_renews_award_id,
    DROP CONSTRAINT ck_enrolments_state,
    ADD CONSTRAINT ck_enrolments_state CHECK (state IN ('open', 'completed', 'superseded'));
ALTER TABLE training_statements ADD COLUMN award_withheld text;
"""

# Fails where somebody was enrolled again: awards and statements hang on both enrolments.
DOWN = """
ALTER TABLE training_statements DROP COLUMN award_withheld;
ALTER TABLE enrolments
    DROP CONSTRAINT ck_enrolments_state,
    ADD CONSTRAINT ck_enrolments_state CHECK (state IN ('open', 'completed')),
    ADD CONSTRAINT uq_enrolments_programme_id_rep_id_renews_award_id
        UNIQUE NULLS NOT DISTINCT (programme_id, rep_id, renews_award_id);
DROP INDEX uq_enrolments_open_programme_id_rep_id_renews_award_id;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
