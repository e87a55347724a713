"""Let needs require skills: what accounts ask for follows from their industry, and from their needs."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261128_2130"
down_revision = "20261124_0130"
branch_labels = None
depends_on = None

# The industry stays unique, so processes of the release before go on inserting as they did.
UP = """
ALTER TABLE skill_requirements ADD COLUMN need_kind text
    CONSTRAINT fk_skill_requirements_need_kind_need_kinds REFERENCES need_kinds;
ALTER TABLE skill_requirements DROP CONSTRAINT pk_skill_requirements;
ALTER TABLE skill_requirements ALTER COLUMN industry DROP NOT NULL;
ALTER TABLE skill_requirements DROP CONSTRAINT uq_skill_requirements_requirement_id;
ALTER TABLE skill_requirements ADD CONSTRAINT pk_skill_requirements PRIMARY KEY (requirement_id);
ALTER TABLE skill_requirements ADD CONSTRAINT uq_skill_requirements_industry UNIQUE (industry);
ALTER TABLE skill_requirements ADD CONSTRAINT uq_skill_requirements_need_kind UNIQUE (need_kind);
ALTER TABLE skill_requirements ADD CONSTRAINT ck_skill_requirements_one_asks
    CHECK (num_nonnulls(industry, need_kind) = 1);
"""

DOWN = """
DELETE FROM skill_requirements WHERE industry IS NULL;
ALTER TABLE skill_requirements DROP CONSTRAINT ck_skill_requirements_one_asks;
ALTER TABLE skill_requirements DROP CONSTRAINT uq_skill_requirements_industry;
ALTER TABLE skill_requirements DROP CONSTRAINT pk_skill_requirements;
ALTER TABLE skill_requirements ADD CONSTRAINT uq_skill_requirements_requirement_id UNIQUE (requirement_id);
ALTER TABLE skill_requirements ADD CONSTRAINT pk_skill_requirements PRIMARY KEY (industry);
ALTER TABLE skill_requirements DROP COLUMN need_kind;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
