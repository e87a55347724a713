"""Create notes and their revisions."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_1000"
down_revision = "20261123_0950"
branch_labels = None
depends_on = None

UP = """
-- version is the last revision that has a text, plus one once the note is deleted.
CREATE TABLE notes (
    note_id uuid CONSTRAINT pk_notes PRIMARY KEY,
    subject_type text NOT NULL CONSTRAINT ck_notes_subject_type
        CHECK (subject_type IN ('account', 'territory', 'rep', 'plan', 'handoff', 'rule', 'goal')),
    subject_id uuid NOT NULL,
    -- The account of account and handoff subjects: who may see it may see the note.
    account_id uuid,
    author text NOT NULL,
    version int NOT NULL DEFAULT 1,
    written_at timestamptz NOT NULL,
    edited_at timestamptz,
    deleted_at timestamptz,
    deleted_by text,
    CONSTRAINT ck_notes_account_id
        CHECK ((account_id IS NOT NULL) = (subject_type IN ('account', 'handoff')))
) WITH (fillfactor = 85);
CREATE INDEX ix_notes_subject ON notes (subject_type, subject_id, note_id) WHERE deleted_at IS NULL;
CREATE INDEX ix_notes_live ON notes (note_id) WHERE deleted_at IS NULL;
-- In the order of pages, for one account's notes.
CREATE INDEX ix_notes_account_id ON notes (account_id, note_id) WHERE deleted_at IS NULL;
-- Notes without a place on the map: besides whole-organisation callers, their author sees them.
CREATE INDEX ix_notes_author ON notes (author, note_id)
    WHERE deleted_at IS NULL AND account_id IS NULL AND subject_type <> 'territory';

-- Append-only, but for the text: deleting a note empties the body of every revision.
CREATE TABLE note_revisions (
    note_id uuid NOT NULL CONSTRAINT fk_note_revisions_note_id_notes REFERENCES notes,
    revision int NOT NULL,
    body text,
    written_by text NOT NULL,
    written_at timestamptz NOT NULL,
    CONSTRAINT pk_note_revisions PRIMARY KEY (note_id, revision)
);
"""

DOWN = """
DROP TABLE note_revisions;
DROP TABLE notes;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
