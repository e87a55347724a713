"""Create policies: drafts, versions, who acknowledged them, who is asked to; obligations of reps."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0120"
down_revision = "20261124_0050"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE policies (
    code text CONSTRAINT pk_policies PRIMARY KEY
        CONSTRAINT ck_policies_code CHECK (code ~ '^[a-z][a-z0-9-]{1,39}$'),
    policy_id uuid NOT NULL CONSTRAINT uq_policies_policy_id UNIQUE,
    revision int NOT NULL,
    draft_title text,
    draft_text text,
    draft_roles text[],
    draft_territory_id uuid,
    draft_effective_from timestamptz,
    CONSTRAINT ck_policies_draft CHECK (num_nonnulls(draft_title, draft_text, draft_roles) IN (0, 3))
);
CREATE TABLE policy_versions (
    policy_id uuid NOT NULL
        CONSTRAINT fk_policy_versions_policy_id_policies REFERENCES policies (policy_id),
    version int NOT NULL CONSTRAINT ck_policy_versions_version CHECK (version > 0),
    title text NOT NULL,
    text text NOT NULL,
    fingerprint text NOT NULL,
    roles text[] NOT NULL,
    territory_id uuid,
    effective_from timestamptz NOT NULL,
    published_at timestamptz NOT NULL,
    published_by text NOT NULL,
    CONSTRAINT pk_policy_versions PRIMARY KEY (policy_id, version)
);
CREATE TABLE acknowledgements (
    policy_id uuid NOT NULL,
    version int NOT NULL,
    rep_id uuid NOT NULL,
    acknowledged_at timestamptz NOT NULL,
    CONSTRAINT pk_acknowledgements PRIMARY KEY (policy_id, version, rep_id),
    CONSTRAINT fk_acknowledgements_policy_id_policy_versions
        FOREIGN KEY (policy_id, version) REFERENCES policy_versions (policy_id, version)
);
-- Who is asked now: a row goes once it is answered, or once the rep has nothing to do with it any more.
CREATE TABLE acknowledgement_requests (
    request_id uuid CONSTRAINT pk_acknowledgement_requests PRIMARY KEY,
    policy_id uuid NOT NULL,
    version int NOT NULL,
    rep_id uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    CONSTRAINT uq_acknowledgement_requests_policy_id_version_rep_id UNIQUE (policy_id, version, rep_id),
    CONSTRAINT fk_acknowledgement_requests_policy_id_policy_versions
        FOREIGN KEY (policy_id, version) REFERENCES policy_versions (policy_id, version)
);

ALTER TABLE protocol_versions DROP CONSTRAINT ck_protocol_versions_trigger;
ALTER TABLE protocol_versions ADD CONSTRAINT ck_protocol_versions_trigger
    CHECK (trigger IN ('handoff-opened', 'customer-contacted', 'policy-published'));
ALTER TABLE obligations DROP CONSTRAINT ck_obligations_duty;
ALTER TABLE obligations ADD CONSTRAINT ck_obligations_duty CHECK (duty IN ('accept', 'answer', 'acknowledge'));
-- A policy is about no account.
ALTER TABLE obligations ALTER COLUMN account_id DROP NOT NULL;
ALTER TABLE obligations ADD CONSTRAINT ck_obligations_account_id
    CHECK ((account_id IS NULL) = (duty = 'acknowledge'));
"""

DOWN = """
DELETE FROM timers WHERE obligation_id IN (SELECT obligation_id FROM obligations WHERE duty = 'acknowledge');
DELETE FROM obligations WHERE duty = 'acknowledge';
ALTER TABLE obligations DROP CONSTRAINT ck_obligations_account_id;
ALTER TABLE obligations ALTER COLUMN account_id SET NOT NULL;
ALTER TABLE obligations DROP CONSTRAINT ck_obligations_duty;
ALTER TABLE obligations ADD CONSTRAINT ck_obligations_duty CHECK (duty IN ('accept', 'answer'));
UPDATE protocol_versions SET trigger = 'handoff-opened', active = false WHERE trigger = 'policy-published';
ALTER TABLE protocol_versions DROP CONSTRAINT ck_protocol_versions_trigger;
ALTER TABLE protocol_versions ADD CONSTRAINT ck_protocol_versions_trigger
    CHECK (trigger IN ('handoff-opened', 'customer-contacted'));
DROP TABLE acknowledgement_requests;
DROP TABLE acknowledgements;
DROP TABLE policy_versions;
DROP TABLE policies;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
