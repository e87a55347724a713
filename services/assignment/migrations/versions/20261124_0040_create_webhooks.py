"""Create the sources of webhooks, and what is remembered of their deliveries."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0040"
down_revision = "20261124_0035"
branch_labels = None
depends_on = None

UP = """
-- Secrets are sealed: a signature is computed with them, so a hash of them would not do.
CREATE TABLE webhook_sources (
    source text NOT NULL,
    url text,
    sealed_secret bytea NOT NULL,
    secret_since timestamptz NOT NULL,
    sealed_previous_secret bytea,
    previous_until timestamptz,
    recorded_by text NOT NULL,
    CONSTRAINT pk_webhook_sources PRIMARY KEY (source),
    CONSTRAINT ck_webhook_sources_source CHECK (source IN ('salesforce', 'hubspot')),
    CONSTRAINT ck_webhook_sources_previous_until
        CHECK ((sealed_previous_secret IS NULL) = (previous_until IS NULL))
);
CREATE TABLE webhook_events (
    source text NOT NULL,
    event_key text NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT pk_webhook_events PRIMARY KEY (source, event_key),
    CONSTRAINT fk_webhook_events_source_webhook_sources FOREIGN KEY (source)
        REFERENCES webhook_sources ON DELETE CASCADE
);
CREATE INDEX ix_webhook_events_received_at ON webhook_events (received_at);
-- When each field of an account was last changed in the CRM, so that an older change that comes later loses.
CREATE TABLE crm_field_changes (
    source text NOT NULL,
    account_id uuid NOT NULL,
    field text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_crm_field_changes PRIMARY KEY (source, account_id, field)
)
"""
DOWN = """
DROP TABLE crm_field_changes;
DROP TABLE webhook_events;
DROP TABLE webhook_sources
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
