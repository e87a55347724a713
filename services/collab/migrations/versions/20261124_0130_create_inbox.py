"""Create inbox: threads of notes, their words for searching, and what is put before whom."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0130"
down_revision = "20261124_0120"
branch_labels = None
depends_on = None

# `seq` rises in the order of commits within one inbox, because whoever adds to an inbox holds its lock: a reader
# that has seen a number has seen all below it.
UP = """
ALTER TABLE notes ADD COLUMN thread_id uuid CONSTRAINT fk_notes_thread_id_notes REFERENCES notes;
CREATE INDEX ix_notes_thread_id ON notes (thread_id, note_id) WHERE thread_id IS NOT NULL;
ALTER TABLE note_revisions ADD COLUMN words tsvector
    GENERATED ALWAYS AS (to_tsvector('simple', coalesce(body, ''))) STORED;
CREATE INDEX ix_note_revisions_words ON note_revisions USING gin (words);
CREATE TABLE inbox_items (
    item_id uuid CONSTRAINT pk_inbox_items PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_inbox_items_seq UNIQUE,
    recipient text NOT NULL,
    note_id uuid NOT NULL CONSTRAINT fk_inbox_items_note_id_notes REFERENCES notes,
    reason text NOT NULL CONSTRAINT ck_inbox_items_reason CHECK (reason IN ('mention', 'reply')),
    territory_id uuid,
    wants_acknowledgement boolean NOT NULL,
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    acknowledged_at timestamptz,
    CONSTRAINT uq_inbox_items_note_id_recipient UNIQUE (note_id, recipient),
    CONSTRAINT ck_inbox_items_acknowledged_at CHECK (acknowledged_at IS NULL OR wants_acknowledgement)
);
CREATE INDEX ix_inbox_items_recipient ON inbox_items (recipient, seq);
"""

DOWN = """
DROP TABLE inbox_items;
ALTER TABLE note_revisions DROP COLUMN words;
ALTER TABLE notes DROP COLUMN thread_id;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
