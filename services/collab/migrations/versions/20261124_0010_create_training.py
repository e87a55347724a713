"""Create programmes, enrolments and certifications, and what enrolment by rule looks at."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0010"
down_revision = "20261123_1000"
branch_labels = None
depends_on = None

UP = """
-- Of assignment: the industry of accounts and the kind of territories.
CREATE TABLE account_industries (
    account_id uuid CONSTRAINT pk_account_industries PRIMARY KEY,
    version bigint NOT NULL,
    industry text
) WITH (fillfactor = 80);
CREATE TABLE territory_kinds (
    plan_id uuid NOT NULL,
    territory_id uuid NOT NULL,
    kind text NOT NULL,
    CONSTRAINT pk_territory_kinds PRIMARY KEY (plan_id, territory_id)
);
CREATE INDEX ix_coverages_running_rep_id ON coverages (rep_id) WHERE valid_to IS NULL;

-- What a rep may be certified in, and for how long. Awards keep the terms they were made under.
CREATE TABLE certifications (
    certification_code text CONSTRAINT pk_certifications PRIMARY KEY,
    certification_id uuid NOT NULL CONSTRAINT uq_certifications_certification_id UNIQUE,
    name text NOT NULL,
    kind text NOT NULL CONSTRAINT ck_certifications_kind CHECK (kind IN ('skill', 'industry', 'language')),
    tag text NOT NULL,
    validity_months int NOT NULL CONSTRAINT ck_certifications_validity_months CHECK (validity_months > 0),
    renewal_window_days int NOT NULL,
    grace_days int NOT NULL,
    version int NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    CONSTRAINT ck_certifications_renewal_window_days
        CHECK (renewal_window_days >= 0 AND renewal_window_days <= validity_months * 28),
    CONSTRAINT ck_certifications_grace_days CHECK (grace_days >= 0 AND grace_days < validity_months * 28)
);

-- A version is written once: who was enrolled under it is measured by it.
CREATE TABLE programmes (
    programme_id uuid CONSTRAINT pk_programmes PRIMARY KEY,
    version int NOT NULL
);
CREATE TABLE programme_versions (
    programme_id uuid NOT NULL CONSTRAINT fk_programme_versions_programme_id_programmes REFERENCES programmes,
    version int NOT NULL,
    name text NOT NULL,
    grants text CONSTRAINT fk_programme_versions_grants_certifications REFERENCES certifications,
    courses jsonb NOT NULL,
    territory_kinds text[] NOT NULL,
    industries text[] NOT NULL,
    on_expiry boolean NOT NULL,
    due_days int NOT NULL,
    published_at timestamptz NOT NULL,
    published_by text NOT NULL,
    CONSTRAINT pk_programme_versions PRIMARY KEY (programme_id, version)
);

-- Once per rep, and once more per award that it is to renew.
CREATE TABLE enrolments (
    enrolment_id uuid CONSTRAINT pk_enrolments PRIMARY KEY,
    programme_id uuid NOT NULL,
    programme_version int NOT NULL,
    rep_id uuid NOT NULL,
    cause text NOT NULL CONSTRAINT ck_enrolments_cause
        CHECK (cause IN ('territory_kind', 'industry', 'expiry', 'manual')),
    territory_id uuid,
    renews_award_id uuid,
    state text NOT NULL CONSTRAINT ck_enrolments_state CHECK (state IN ('open', 'completed')),
    version int NOT NULL DEFAULT 1,
    enrolled_at timestamptz NOT NULL,
    enrolled_by text NOT NULL,
    due_on date NOT NULL,
    completed_on date,
    award_withheld text,
    CONSTRAINT fk_enrolments_programme_version_programme_versions
        FOREIGN KEY (programme_id, programme_version) REFERENCES programme_versions,
    CONSTRAINT uq_enrolments_programme_id_rep_id_renews_award_id
        UNIQUE NULLS NOT DISTINCT (programme_id, rep_id, renews_award_id),
    CONSTRAINT ck_enrolments_completed_on CHECK ((completed_on IS NOT NULL) = (state = 'completed'))
) WITH (fillfactor = 85);
CREATE INDEX ix_enrolments_rep_id ON enrolments (rep_id, enrolment_id);

CREATE TABLE training_statements (
    statement_id uuid CONSTRAINT pk_training_statements PRIMARY KEY,
    enrolment_id uuid NOT NULL CONSTRAINT fk_training_statements_enrolment_id_enrolments REFERENCES enrolments,
    course_code text NOT NULL,
    score numeric(5, 2) NOT NULL CONSTRAINT ck_training_statements_score CHECK (score BETWEEN 0 AND 100),
    passed boolean NOT NULL,
    completed_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    voided_at timestamptz,
    voided_by text,
    void_reason text
);
CREATE INDEX ix_training_statements_enrolment_id ON training_statements (enrolment_id, statement_id);
CREATE TABLE course_waivers (
    enrolment_id uuid NOT NULL CONSTRAINT fk_course_waivers_enrolment_id_enrolments REFERENCES enrolments,
    course_code text NOT NULL,
    reason text NOT NULL,
    waived_on date NOT NULL,
    waived_at timestamptz NOT NULL,
    waived_by text NOT NULL,
    CONSTRAINT pk_course_waivers PRIMARY KEY (enrolment_id, course_code)
);

-- Days on which a rep holds a certification; a revocation brings valid_to forward, down to valid_from.
CREATE TABLE awards (
    award_id uuid CONSTRAINT pk_awards PRIMARY KEY,
    rep_id uuid NOT NULL,
    certification_code text NOT NULL
        CONSTRAINT fk_awards_certification_code_certifications REFERENCES certifications,
    valid_from date NOT NULL,
    valid_to date NOT NULL,
    granted_to date NOT NULL,
    renewable_from date NOT NULL,
    lapses_on date NOT NULL,
    renewal boolean NOT NULL,
    enrolment_id uuid CONSTRAINT fk_awards_enrolment_id_enrolments REFERENCES enrolments,
    granted_at timestamptz NOT NULL,
    granted_by text NOT NULL,
    revoked_at timestamptz,
    revoked_by text,
    revocation_reason text,
    noticed_expiring_at timestamptz,
    noticed_expired_at timestamptz,
    CONSTRAINT ck_awards_valid_to CHECK (valid_from <= valid_to AND valid_to <= granted_to),
    CONSTRAINT ck_awards_revoked_at CHECK (revoked_at IS NOT NULL OR valid_to = granted_to),
    CONSTRAINT ex_awards_valid EXCLUDE USING gist
        (rep_id WITH =, certification_code WITH =, daterange(valid_from, valid_to) WITH &&)
) WITH (fillfactor = 85);
CREATE INDEX ix_awards_rep_id ON awards (rep_id, award_id);
CREATE INDEX ix_awards_certification_code ON awards (certification_code, award_id);
CREATE INDEX ix_awards_enrolment_id ON awards (enrolment_id);
CREATE INDEX ix_awards_expiring ON awards (renewable_from)
    WHERE noticed_expiring_at IS NULL AND revoked_at IS NULL;
CREATE INDEX ix_awards_expired ON awards (valid_to) WHERE noticed_expired_at IS NULL AND revoked_at IS NULL;

-- Which certifications somebody who looks after accounts of an industry has to hold.
CREATE TABLE skill_requirements (
    industry text CONSTRAINT pk_skill_requirements PRIMARY KEY,
    requirement_id uuid NOT NULL CONSTRAINT uq_skill_requirements_requirement_id UNIQUE,
    certification_codes text[] NOT NULL,
    version int NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);
"""

DOWN = """
DROP TABLE skill_requirements;
DROP TABLE awards;
DROP TABLE course_waivers;
DROP TABLE training_statements;
DROP TABLE enrolments;
DROP TABLE programme_versions;
DROP TABLE programmes;
DROP TABLE certifications;
DROP INDEX ix_coverages_running_rep_id;
DROP TABLE territory_kinds;
DROP TABLE account_industries;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
