"""Create customers: needs with evidence, preferences, consents, contacts, satisfaction."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0020"
down_revision = "20261124_0010"
branch_labels = None
depends_on = None

UP = """
-- What writers of one customer hold: so that events tell what follows from all that is known.
CREATE TABLE customers (
    account_id uuid CONSTRAINT pk_customers PRIMARY KEY,
    version int NOT NULL,
    changed_at timestamptz NOT NULL
) WITH (fillfactor = 85);

CREATE TABLE need_kinds (
    code text CONSTRAINT pk_need_kinds PRIMARY KEY
        CONSTRAINT ck_need_kinds_code CHECK (code ~ '^[a-z][a-z0-9-]{1,39}$'),
    title text NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    version int NOT NULL DEFAULT 1
);
INSERT INTO need_kinds (code, title) VALUES
    ('capacity', 'More of what they have'),
    ('compliance', 'Meet a regulation or a standard'),
    ('cost-reduction', 'Spend less on the same'),
    ('integration', 'Work together with their other systems'),
    ('onboarding', 'Get started'),
    ('reliability', 'Fewer failures, faster repair'),
    ('renewal', 'Go on with what ends'),
    ('reporting', 'See and show how things stand'),
    ('support', 'Help when it is needed'),
    ('training', 'Learn to use it well');

-- body is null once it was erased; everything else about the need stays.
CREATE TABLE needs (
    need_id uuid CONSTRAINT pk_needs PRIMARY KEY,
    account_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT fk_needs_kind_need_kinds REFERENCES need_kinds,
    body text,
    owner_rep_id uuid,
    status text NOT NULL CONSTRAINT ck_needs_status CHECK (status IN ('open', 'in_progress', 'met', 'dropped')),
    drop_reason text,
    due_on date,
    source text NOT NULL,
    confidence_percent smallint NOT NULL
        CONSTRAINT ck_needs_confidence_percent CHECK (confidence_percent BETWEEN 0 AND 100),
    captured_at timestamptz NOT NULL,
    version int NOT NULL,
    registered_at timestamptz NOT NULL,
    registered_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    closed_at timestamptz,
    erased_at timestamptz,
    CONSTRAINT ck_needs_drop_reason CHECK ((drop_reason IS NOT NULL) = (status = 'dropped')),
    CONSTRAINT ck_needs_closed_at CHECK ((closed_at IS NOT NULL) = (status IN ('met', 'dropped'))),
    CONSTRAINT ck_needs_erased_at CHECK ((body IS NULL) = (erased_at IS NOT NULL))
) WITH (fillfactor = 85);
CREATE INDEX ix_needs_account_id ON needs (account_id, need_id);
CREATE INDEX ix_needs_kind ON needs (kind);

CREATE TABLE need_evidence (
    evidence_id uuid CONSTRAINT pk_need_evidence PRIMARY KEY,
    need_id uuid NOT NULL CONSTRAINT fk_need_evidence_need_id_needs REFERENCES needs,
    kind text NOT NULL,
    body text,
    added_at timestamptz NOT NULL,
    added_by text NOT NULL,
    erased_at timestamptz,
    CONSTRAINT ck_need_evidence_erased_at CHECK ((body IS NULL) = (erased_at IS NOT NULL))
);
CREATE INDEX ix_need_evidence_need_id ON need_evidence (need_id, evidence_id);

-- Append-only: what holds is resolved from all of it when somebody asks.
CREATE TABLE preference_observations (
    observation_id uuid CONSTRAINT pk_preference_observations PRIMARY KEY,
    account_id uuid NOT NULL,
    name text NOT NULL CONSTRAINT ck_preference_observations_name
        CHECK (name IN ('channel', 'contact_hours', 'language', 'cadence')),
    value jsonb NOT NULL,
    source text NOT NULL,
    confidence_percent smallint NOT NULL
        CONSTRAINT ck_preference_observations_confidence_percent CHECK (confidence_percent BETWEEN 0 AND 100),
    captured_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL
);
CREATE INDEX ix_preference_observations_account_id ON preference_observations (account_id, observation_id);

-- target is level and part as one key that is never null: one source says one thing of it at a time.
CREATE TABLE consents (
    consent_id uuid CONSTRAINT pk_consents PRIMARY KEY,
    account_id uuid NOT NULL,
    level text NOT NULL,
    channel text,
    contact_point text,
    purpose text,
    target text NOT NULL,
    state text NOT NULL CONSTRAINT ck_consents_state CHECK (state IN ('granted', 'denied')),
    source text NOT NULL,
    valid tstzrange NOT NULL CONSTRAINT ck_consents_valid CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    CONSTRAINT ck_consents_level CHECK (CASE level
        WHEN 'global' THEN num_nonnulls(channel, contact_point, purpose) = 0
        WHEN 'channel' THEN channel IS NOT NULL AND num_nonnulls(contact_point, purpose) = 0
        WHEN 'contact_point' THEN contact_point IS NOT NULL AND num_nonnulls(channel, purpose) = 0
        WHEN 'purpose' THEN purpose IS NOT NULL AND num_nonnulls(channel, contact_point) = 0
        ELSE false
    END),
    CONSTRAINT uq_consents_account_id_target_source_valid
        UNIQUE (account_id, target, source, valid WITHOUT OVERLAPS)
);
CREATE INDEX ix_consents_account_id ON consents (account_id, consent_id);

CREATE TABLE contacts (
    contact_id uuid CONSTRAINT pk_contacts PRIMARY KEY,
    account_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT ck_contacts_kind CHECK (kind IN ('planned', 'made')),
    channel text NOT NULL,
    purpose text NOT NULL,
    contact_point text,
    at timestamptz NOT NULL,
    reason text NOT NULL,
    logged_at timestamptz NOT NULL,
    logged_by text NOT NULL
);
CREATE INDEX ix_contacts_account_id ON contacts (account_id, contact_id);

CREATE TABLE satisfaction_scores (
    score_id uuid CONSTRAINT pk_satisfaction_scores PRIMARY KEY,
    account_id uuid NOT NULL,
    external_id text NOT NULL,
    kind text NOT NULL,
    score smallint NOT NULL,
    answered_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    CONSTRAINT uq_satisfaction_scores_account_id_external_id UNIQUE (account_id, external_id),
    CONSTRAINT ck_satisfaction_scores_score CHECK (CASE kind
        WHEN 'nps' THEN score BETWEEN 0 AND 10
        WHEN 'csat' THEN score BETWEEN 1 AND 5
        ELSE false
    END)
);
CREATE INDEX ix_satisfaction_scores_account_id_kind ON satisfaction_scores (account_id, kind, answered_at DESC);
"""

DOWN = """
DROP TABLE satisfaction_scores;
DROP TABLE contacts;
DROP TABLE consents;
DROP TABLE preference_observations;
DROP TABLE need_evidence;
DROP TABLE needs;
DROP TABLE need_kinds;
DROP TABLE customers;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
