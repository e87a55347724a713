"""Create what CRMs call our plans, territories and rules, so that exports go back under their names."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0430"
down_revision = "20261124_0410"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE crm_references (
    system text NOT NULL,
    kind text NOT NULL,
    external_id text NOT NULL,
    our_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_crm_references PRIMARY KEY (system, kind, external_id),
    CONSTRAINT uq_crm_references_our_id UNIQUE (our_id, system, kind),
    CONSTRAINT ck_crm_references_system CHECK (system IN ('salesforce', 'hubspot')),
    CONSTRAINT ck_crm_references_kind CHECK (kind IN ('plan', 'territory', 'rule'))
)
"""
DOWN = "DROP TABLE crm_references"


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    op.execute(DOWN)
