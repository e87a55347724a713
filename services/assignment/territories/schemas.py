"""Bodies of territory requests and answers."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from services.assignment.territories.tree import MAX_TERRITORIES, Territory, TerritoryKind
from shared.http.bodies import Body, Name, View
from shared.runtime.ids import new_id

Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]


class TerritoryBody(Body):
    """A territory as a part of its plan's tree."""

    name: Name
    kind: TerritoryKind
    parent_id: UUID | None = Field(default=None, description="Null for a root.")
    code: Code | None = Field(default=None, description="Your own short name for it.")

    def named(self, territory_id: UUID) -> Territory:
        """Return the territory under this id."""
        return Territory(territory_id, self.parent_id, self.name, self.kind, self.code)


class ListedTerritoryBody(TerritoryBody):
    """A territory in a whole tree; give ids to those that others name as their parent."""

    territory_id: UUID | None = Field(default=None, description="Leave out to get a new id.")

    def listed(self) -> Territory:
        """Return the territory, under a new id if it has none."""
        return self.named(self.territory_id or new_id())


class TreeBody(Body):
    """A whole tree."""

    territories: tuple[ListedTerritoryBody, ...] = Field(max_length=MAX_TERRITORIES)


class TerritoryView(View):
    """A territory of a plan."""

    territory_id: UUID
    parent_id: UUID | None
    name: str
    kind: TerritoryKind
    code: str | None


class TreeView(View):
    """A whole tree as stored, and the plan's version now."""

    plan_id: UUID
    version: int
    territories: list[TerritoryView]
