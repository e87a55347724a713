"""Who may see a note, as one SQL predicate over the notes table `n`.

Notes on an account or on its handoff move with the account: whoever has it now sees them, and those on a
handoff that is under way are seen by both its sides. Notes on a territory are seen with the territory, and those on
a goal with the goal's territory, once metrics told of it. The rest has no place on the map: whole-organisation
callers see it, its author, and whoever it was put before: there is no other way to show it to somebody.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.handoffs.visibility import LEADS_TO_ITS_ACCOUNT
from services.collab.projections.alignments import territory_of
from services.collab.projections.territories import IN_SCOPE, are_few
from shared.db.scope import Scope


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, and where they may look."""

    subject: str
    scope: Scope

    def parameters(self) -> dict[str, Any]:
        """Return the bind parameters of VISIBLE."""
        return {**self.scope.parameters(), "viewer": self.subject}


# Whoever receives has the account, and sees its notes by that.
_SENT_FROM_SCOPE = f"""
n.subject_type = 'handoff' AND EXISTS (
    SELECT 1 FROM handoffs AS h
    WHERE h.handoff_id = n.subject_id AND {LEADS_TO_ITS_ACCOUNT} AND {Scope.covers("h.from_territory_id")}
)
"""
_NOWHERE = """
CAST(:scope_everything AS boolean) OR n.author = :viewer OR EXISTS (
    SELECT 1 FROM inbox_items AS put WHERE put.note_id = n.note_id AND put.recipient = :viewer)
"""
VISIBLE = f"""
CASE
    WHEN n.account_id IS NOT NULL THEN {Scope.covers(territory_of("n.account_id"))} OR {_SENT_FROM_SCOPE}
    WHEN n.subject_type = 'territory' THEN {Scope.covers("n.subject_id")}
    WHEN n.subject_type = 'goal' THEN coalesce(
        (SELECT {Scope.covers("g.territory_id")} FROM goals AS g WHERE g.goal_id = n.subject_id), {_NOWHERE}
    )
    ELSE {_NOWHERE}
END
"""


def visible_to(viewer: str, roots: str) -> str:
    """Return SQL that is true where the viewer in one column sees the note with the scope in another.

    It is VISIBLE itself, so that what is told of others is what they see.
    """
    binds = {":scope_everything": "false", ":scope_roots": roots, ":viewer": viewer}
    seen = VISIBLE
    for bind, column in binds.items():
        seen = seen.replace(bind, column)
    return f"coalesce({seen}, false)"


# The same notes as VISIBLE, found from the scope and not by testing every note there is: each of the six
# kinds has an index of its own. The limits keep the planner from walking the notes in their order instead.
# A note on a handoff of which both sides lie in the scope is found twice.
_FOUND_FROM_SCOPE = f"""
n.note_id IN (
    WITH scope AS MATERIALIZED ({{scope}})
    SELECT DISTINCT seen.note_id FROM (
        SELECT about.note_id FROM scope
        CROSS JOIN LATERAL (
            SELECT a.account_id FROM current_alignments AS a WHERE a.territory_id = scope.territory_id OFFSET 0
        ) AS mine
        CROSS JOIN LATERAL (
            SELECT n.note_id FROM notes AS n WHERE n.account_id = mine.account_id AND {{where}}
            ORDER BY n.note_id LIMIT :limit
        ) AS about
        UNION ALL
        SELECT about.note_id FROM scope CROSS JOIN LATERAL (
            SELECT n.note_id FROM notes AS n
            WHERE n.subject_type = 'territory' AND n.subject_id = scope.territory_id AND {{where}}
            ORDER BY n.note_id LIMIT :limit
        ) AS about
        UNION ALL
        SELECT about.note_id FROM scope
        CROSS JOIN LATERAL (
            SELECT h.handoff_id FROM handoffs AS h
            WHERE h.from_territory_id = scope.territory_id AND {LEADS_TO_ITS_ACCOUNT} OFFSET 0
        ) AS sent
        CROSS JOIN LATERAL (
            SELECT n.note_id FROM notes AS n
            WHERE n.subject_type = 'handoff' AND n.subject_id = sent.handoff_id AND {{where}}
            ORDER BY n.note_id LIMIT :limit
        ) AS about
        UNION ALL
        SELECT about.note_id FROM scope
        CROSS JOIN LATERAL (
            SELECT g.goal_id FROM goals AS g WHERE g.territory_id = scope.territory_id OFFSET 0
        ) AS its
        CROSS JOIN LATERAL (
            SELECT n.note_id FROM notes AS n
            WHERE n.subject_type = 'goal' AND n.subject_id = its.goal_id AND {{where}}
            ORDER BY n.note_id LIMIT :limit
        ) AS about
        UNION ALL
        (SELECT n.note_id FROM notes AS n
            WHERE n.account_id IS NULL AND n.subject_type <> 'territory' AND n.author = :viewer AND {{where}}
              AND NOT EXISTS (SELECT 1 FROM goals AS g WHERE n.subject_type = 'goal' AND g.goal_id = n.subject_id)
            ORDER BY n.note_id LIMIT :limit)
        UNION ALL
        (SELECT n.note_id FROM inbox_items AS put JOIN notes AS n ON n.note_id = put.note_id
            WHERE put.recipient = :viewer AND n.account_id IS NULL AND n.subject_type <> 'territory'
              AND n.author <> :viewer AND {{where}}
              AND NOT EXISTS (SELECT 1 FROM goals AS g WHERE n.subject_type = 'goal' AND g.goal_id = n.subject_id)
            ORDER BY n.note_id LIMIT :limit)
    ) AS seen ORDER BY seen.note_id LIMIT :limit
)
"""


async def first_visible(read: AsyncConnection, viewer: Viewer, where: str, *, selective: bool) -> str:
    """Return the condition for a page of `:limit` visible notes; `selective` when `where` has an index."""
    scope = viewer.scope
    if scope.everything or selective or not await are_few(read, IN_SCOPE, scope.parameters()):
        return f"{where} AND {VISIBLE}"
    return _FOUND_FROM_SCOPE.format(scope=IN_SCOPE, where=where)
