"""Create protocols: calendars, versions, obligations and their timers; contacts that customers make."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0050"
down_revision = "20261124_0020"
branch_labels = None
depends_on = None

UP = """
-- hours as the API writes them: a list of days with from and to.
CREATE TABLE calendars (
    code text CONSTRAINT pk_calendars PRIMARY KEY
        CONSTRAINT ck_calendars_code CHECK (code ~ '^[a-z][a-z0-9-]{1,39}$'),
    calendar_id uuid NOT NULL CONSTRAINT uq_calendars_calendar_id UNIQUE,
    time_zone text NOT NULL,
    hours jsonb NOT NULL,
    holidays date[] NOT NULL,
    version int NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);

CREATE TABLE protocols (
    code text CONSTRAINT pk_protocols PRIMARY KEY
        CONSTRAINT ck_protocols_code CHECK (code ~ '^[a-z][a-z0-9-]{1,39}$'),
    protocol_id uuid NOT NULL CONSTRAINT uq_protocols_protocol_id UNIQUE,
    version int NOT NULL
);
CREATE TABLE protocol_versions (
    protocol_id uuid NOT NULL
        CONSTRAINT fk_protocol_versions_protocol_id_protocols REFERENCES protocols (protocol_id),
    version int NOT NULL,
    name text NOT NULL,
    trigger text NOT NULL
        CONSTRAINT ck_protocol_versions_trigger CHECK (trigger IN ('handoff-opened', 'customer-contacted')),
    role text NOT NULL,
    due_amount int NOT NULL CONSTRAINT ck_protocol_versions_due_amount CHECK (due_amount > 0),
    due_unit text NOT NULL CONSTRAINT ck_protocol_versions_due_unit CHECK (due_unit IN ('hours', 'days')),
    calendar_code text NOT NULL
        CONSTRAINT fk_protocol_versions_calendar_code_calendars REFERENCES calendars (code),
    steps jsonb NOT NULL,
    active boolean NOT NULL,
    published_at timestamptz NOT NULL,
    published_by text NOT NULL,
    CONSTRAINT pk_protocol_versions PRIMARY KEY (protocol_id, version)
);

CREATE TABLE obligations (
    obligation_id uuid CONSTRAINT pk_obligations PRIMARY KEY,
    protocol_id uuid NOT NULL,
    protocol_version int NOT NULL,
    duty text NOT NULL CONSTRAINT ck_obligations_duty CHECK (duty IN ('accept', 'answer')),
    subject_id uuid NOT NULL,
    account_id uuid NOT NULL,
    territory_id uuid,
    rep_id uuid,
    state text NOT NULL CONSTRAINT ck_obligations_state CHECK (state IN ('open', 'breached', 'closed')),
    started_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    breached_at timestamptz,
    closed_at timestamptz,
    closed_by text,
    outcome text CONSTRAINT ck_obligations_outcome CHECK (outcome IN ('fulfilled', 'declined', 'withdrawn')),
    CONSTRAINT ck_obligations_closed_at CHECK (num_nonnulls(closed_at, closed_by, outcome) IN (0, 3)
        AND (state = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT uq_obligations_subject_id_protocol_id UNIQUE (subject_id, protocol_id),
    CONSTRAINT fk_obligations_protocol_id_protocol_versions
        FOREIGN KEY (protocol_id, protocol_version) REFERENCES protocol_versions (protocol_id, version)
) WITH (fillfactor = 85);
CREATE INDEX ix_obligations_protocol_id ON obligations (protocol_id, protocol_version);
CREATE INDEX ix_obligations_territory_id ON obligations (territory_id, obligation_id);
CREATE INDEX ix_obligations_state ON obligations (state, obligation_id);
CREATE INDEX ix_obligations_account_id ON obligations (account_id) WHERE state <> 'closed';

-- A row per step and time it is taken; whoever was told by it is known once it was.
CREATE TABLE timers (
    obligation_id uuid NOT NULL CONSTRAINT fk_timers_obligation_id_obligations REFERENCES obligations,
    loop smallint NOT NULL,
    step smallint NOT NULL,
    action text NOT NULL CONSTRAINT ck_timers_action CHECK (action IN ('remind', 'escalate', 'breach')),
    due_at timestamptz NOT NULL,
    fired_at timestamptz,
    told_territory_id uuid,
    told_rep_id uuid,
    cancelled_at timestamptz,
    CONSTRAINT pk_timers PRIMARY KEY (obligation_id, loop, step),
    CONSTRAINT ck_timers_cancelled_at CHECK (fired_at IS NULL OR cancelled_at IS NULL)
) WITH (fillfactor = 85);
CREATE INDEX ix_timers_due_at ON timers (due_at, obligation_id) WHERE fired_at IS NULL AND cancelled_at IS NULL;

-- For walking up the tree from a territory.
CREATE INDEX ix_tree_closures_territory_id ON tree_closures (tree_id, territory_id, depth);
-- What was kept before roles were told is of the one role there was.
ALTER TABLE coverages ADD COLUMN role text NOT NULL DEFAULT 'primary';

-- Nobody has to allow what customers do themselves.
ALTER TABLE contacts DROP CONSTRAINT ck_contacts_kind;
ALTER TABLE contacts ADD CONSTRAINT ck_contacts_kind CHECK (kind IN ('planned', 'made', 'received'));
ALTER TABLE contacts ALTER COLUMN reason DROP NOT NULL;
ALTER TABLE contacts ADD CONSTRAINT ck_contacts_reason CHECK ((reason IS NULL) = (kind = 'received'));
"""

DOWN = """
ALTER TABLE contacts DROP CONSTRAINT ck_contacts_reason;
DELETE FROM contacts WHERE kind = 'received';
ALTER TABLE contacts ALTER COLUMN reason SET NOT NULL;
ALTER TABLE contacts DROP CONSTRAINT ck_contacts_kind;
ALTER TABLE contacts ADD CONSTRAINT ck_contacts_kind CHECK (kind IN ('planned', 'made'));
ALTER TABLE coverages DROP COLUMN role;
DROP INDEX ix_tree_closures_territory_id;
DROP TABLE timers;
DROP TABLE obligations;
DROP TABLE protocol_versions;
DROP TABLE protocols;
DROP TABLE calendars;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
