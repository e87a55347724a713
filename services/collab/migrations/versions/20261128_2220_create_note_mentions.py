"""Create note mentions: whom a note names, and whom that meant, so that what became of each can be told."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261128_2220"
down_revision = "20261128_2210"
branch_labels = None
depends_on = None

# rep_id is who a territory meant when the note was written; null where nobody covered it.
UP = """
CREATE TABLE note_mentions (
    mention_id uuid CONSTRAINT pk_note_mentions PRIMARY KEY,
    note_id uuid NOT NULL CONSTRAINT fk_note_mentions_note_id_notes REFERENCES notes,
    mentioned_type text NOT NULL CONSTRAINT ck_note_mentions_mentioned_type
        CHECK (mentioned_type IN ('rep', 'territory')),
    mentioned_id uuid NOT NULL,
    rep_id uuid,
    wants_acknowledgement boolean NOT NULL
);
CREATE INDEX ix_note_mentions_note_id ON note_mentions (note_id, mention_id);
INSERT INTO note_mentions (mention_id, note_id, mentioned_type, mentioned_id, rep_id, wants_acknowledgement)
SELECT item_id, note_id, CASE WHEN territory_id IS NULL THEN 'rep' ELSE 'territory' END,
    coalesce(territory_id, CAST(recipient AS uuid)), CAST(recipient AS uuid), wants_acknowledgement
FROM inbox_items WHERE reason = 'mention';
UPDATE inbox_items SET wants_acknowledgement = false WHERE reason = 'reply' AND acknowledged_at IS NULL;
CREATE INDEX ix_coverages_rep_id ON coverages (rep_id);
"""

DOWN = """
DROP INDEX ix_coverages_rep_id;
DROP TABLE note_mentions;
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(UP):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    for statement in split_statements(DOWN):
        op.execute(statement)
