"""Let reps cover as backup, overlay and holdover, too: only primary and backup are one rep's at a time."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0440"
down_revision = "20261124_0430"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE coverages
    DROP CONSTRAINT ck_coverages_role,
    DROP CONSTRAINT uq_coverages_territory_id_role_valid,
    ADD CONSTRAINT ck_coverages_role CHECK (role IN ('primary', 'backup', 'overlay', 'holdover')),
    ADD CONSTRAINT ex_coverages_one_at_a_time EXCLUDE USING gist
        (territory_id WITH =, role WITH =, valid WITH &&) WHERE (role IN ('primary', 'backup')),
    ADD CONSTRAINT ex_coverages_rep_twice EXCLUDE USING gist
        (territory_id WITH =, role WITH =, rep_id WITH =, valid WITH &&)
"""
DOWN = """
DELETE FROM coverages WHERE role <> 'primary';
ALTER TABLE coverages
    DROP CONSTRAINT ex_coverages_rep_twice,
    DROP CONSTRAINT ex_coverages_one_at_a_time,
    DROP CONSTRAINT ck_coverages_role,
    ADD CONSTRAINT ck_coverages_role CHECK (role = 'primary'),
    ADD CONSTRAINT uq_coverages_territory_id_role_valid UNIQUE (territory_id, role, valid WITHOUT OVERLAPS)
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
