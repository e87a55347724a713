"""Create the gate's limits, each version of them, and what went in force against them."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0410"
down_revision = "20261124_0400"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE gate_policies (
    version integer NOT NULL,
    limits jsonb NOT NULL,
    set_at timestamptz NOT NULL,
    set_by text NOT NULL,
    CONSTRAINT pk_gate_policies PRIMARY KEY (version),
    CONSTRAINT ck_gate_policies_version CHECK (version > 0)
);
-- Until somebody decides: what is suspicious warns, and only what can hardly be meant blocks.
INSERT INTO gate_policies (version, limits, set_at, set_by) VALUES (1, '{
    "gaps": {"warn": "0.01", "block": "0.5"},
    "ties": {"warn": "0", "block": null},
    "vacancies": {"warn": "0", "block": null},
    "imbalance": {"warn": "0.3", "block": "0.9"},
    "disruption": {"warn": "0.25", "block": null},
    "certifications": {"warn": "0", "block": null},
    "expired_pins": {"warn": "0", "block": null}
}', now(), 'installation');
CREATE TABLE gate_overrides (
    activation_id uuid NOT NULL,
    override_reason text NOT NULL,
    findings jsonb NOT NULL,
    CONSTRAINT pk_gate_overrides PRIMARY KEY (activation_id),
    CONSTRAINT fk_gate_overrides_activation_id_activations FOREIGN KEY (activation_id) REFERENCES activations
)
"""
DOWN = """
DROP TABLE gate_overrides;
DROP TABLE gate_policies
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
