"""Bodies of the skill requirement and skill gap routes."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Path
from pydantic import Field

from services.collab.training.certifications.schemas import Code
from services.collab.training.skill_gaps.queries import TerritorySkillsRow
from shared.http.bodies import Body, View
from shared.http.pagination import Page

IndustryInPath = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9 &._-]{0,127}$", description="In lower case, as it is compared.")
]


NeedKindInPath = Annotated[
    str, Path(pattern=r"^[a-z][a-z0-9-]{1,39}$", description="From GET /v1/need-kinds.")
]


class SkillRequirementBody(Body):
    """Which certifications the accounts of the industry, or those with such a need, ask for."""

    certification_codes: tuple[Code, ...] = Field(max_length=100)


class SkillRequirementView(View):
    """Which certifications the accounts of an industry, or those with a need yet to be met, ask for."""

    industry: str | None = Field(description="Either this is set,")
    need_kind: str | None = Field(description="or this.")
    certification_codes: list[str]
    version: int
    changed_at: datetime
    changed_by: str


class AskedView(View):
    """A certification that so many accounts of a territory ask for."""

    certification_code: str
    accounts: int
    certified_rep_ids: list[UUID]
    state: Literal["met", "gap"]


class TerritorySkillsView(View):
    """What a territory's own accounts ask for, against who covers it."""

    territory_id: UUID
    rep_ids: list[UUID]
    asked_for: list[AskedView]

    @classmethod
    def of(cls, row: TerritorySkillsRow) -> Self:
        """Show a territory."""
        return cls(
            territory_id=row.territory_id,
            rep_ids=list(row.rep_ids),
            asked_for=[
                AskedView(
                    certification_code=asked.certification_code,
                    accounts=asked.accounts,
                    certified_rep_ids=list(asked.certified_rep_ids),
                    state="met" if asked.certified_rep_ids else "gap",
                )
                for asked in row.asked_for
            ],
        )


class SkillGapsView(Page[TerritorySkillsView]):
    """The territories of a subtree on a day."""

    on: date
