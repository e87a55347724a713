"""Who may see a note, as one SQL predicate over the notes table `n`.

Notes on an account or on its handoff move with the account: whoever has it now sees them. Notes on a
territory are seen with the territory. The rest has no place on the map: whole-organisation callers see it,
and its author.
"""

from dataclasses import dataclass
from typing import Any

from services.collab.projections.positions import territory_of
from shared.db.scope import Scope


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, and where they may look."""

    subject: str
    scope: Scope

    def parameters(self) -> dict[str, Any]:
        """Return the bind parameters of VISIBLE."""
        return {**self.scope.parameters(), "viewer": self.subject}


VISIBLE = f"""
CASE
    WHEN n.account_id IS NOT NULL THEN {Scope.covers(territory_of("n.account_id"))}
    WHEN n.subject_type = 'territory' THEN {Scope.covers("n.subject_id")}
    ELSE CAST(:scope_everything AS boolean) OR n.author = :viewer
END
"""
