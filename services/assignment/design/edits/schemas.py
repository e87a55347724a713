"""Bodies of edits, and answers about them."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.assignment.design.edits.edit import Edit, EditMove, EditState
from services.assignment.design.edits.moves import MOST_MOVES, Move
from services.assignment.design.edits.queries import Standing
from services.assignment.design.edits.result import EditedProposal
from services.assignment.design.edits.score import Designed, Image, TerritoryScore
from services.assignment.design.proposals.schemas import LoadView
from services.assignment.design.proposals.shortfall_view import ShortfallView
from shared.http.bodies import Body, View
from shared.http.principal import MANAGERS, Principal

MOST_TOLD = 100


class MoveBody(Body):
    """An account, and the territory of the run that it is to go to."""

    account_id: UUID
    territory_id: UUID


class EditBody(Body):
    """Accounts to be moved together: all of them, or none."""

    moves: list[MoveBody] = Field(min_length=1, max_length=MOST_MOVES)

    def asked(self) -> tuple[Move, ...]:
        """Return the moves."""
        return tuple(Move(one.account_id, one.territory_id) for one in self.moves)


class TerritoryScoreView(View):
    """What a territory comes to."""

    territory_id: UUID
    name: str
    accounts: int
    gained: int = Field(description="Accounts that are not there today.")
    lost: int = Field(description="Accounts that are there today.")
    loads: list[LoadView] = Field(description="In the order of the scenario's measures.")
    latitude: float | None = Field(description="Of its middle.")
    longitude: float | None
    mean_km: float | None
    cost: float = Field(description="Its part of the proposal's cost.")
    parts: int = Field(description="Connected parts: 1 is whole, 0 has no account.")
    broken: bool = Field(description="It is in parts that no pinned account keeps apart.")

    @classmethod
    def of(cls, designed: Designed, score: TerritoryScore) -> "TerritoryScoreView":
        """Show a territory."""
        return cls(
            territory_id=score.territory_id,
            name=designed.name,
            accounts=score.accounts,
            gained=score.gained,
            lost=score.lost,
            loads=[
                LoadView(load=load, target=target, deviation=load / target - 1)
                for load, target in zip(score.loads, designed.targets, strict=True)
            ],
            latitude=score.latitude,
            longitude=score.longitude,
            mean_km=score.mean_km,
            cost=score.cost,
            parts=score.parts,
            broken=score.broken,
        )


class ScoreView(View):
    """What the whole proposal comes to, and each of the territories that the edit touches."""

    feasible: bool = Field(description="All limits hold.")
    why: list[ShortfallView] = Field(
        description=f"Those that do not; of each the first {MOST_TOLD} territories. It may be accepted all the same."
    )
    deviation: list[float] = Field(
        description="Of each measure: how far the load that is furthest from its target is off, as a share of it."
    )
    mean_km: float
    cost: float = Field(description="Sum of squared distances, in square kilometres.")
    gap: float | None = Field(
        description=(
            "As in the proposal; null with accounts moved by hand: the bound is of plans around the middles that the "
            "engine's own plan has, and these are others."
        )
    )
    moved_accounts: int = Field(description="Accounts that belong to a territory today and go to another.")
    moved_share: float = Field(
        description="The same as a share, of accounts or revenue as the scenario counts."
    )
    edited_accounts: int = Field(description="Accounts that are elsewhere than the engine would have them.")
    territories: list[TerritoryScoreView]

    @classmethod
    def of(cls, standing: Standing, image: Image) -> "ScoreView":
        """Show an image of a proposal that was found standing."""
        totals, designed = image.totals, {one.territory_id: one for one in standing.designed}
        names = {one.territory_id: one.name for one in standing.designed}
        why = [ShortfallView.of(one, standing.run.scenario, names) for one in totals.why]
        return cls(
            feasible=totals.feasible,
            why=[one.model_copy(update={"territory_ids": one.territory_ids[:MOST_TOLD]}) for one in why],
            deviation=list(totals.deviation),
            mean_km=totals.mean_km,
            cost=totals.cost,
            gap=totals.gap,
            moved_accounts=totals.moved_accounts,
            moved_share=totals.moved_share,
            edited_accounts=totals.edited_accounts,
            territories=[TerritoryScoreView.of(designed[one.territory_id], one) for one in image.territories],
        )


class EditedProposalView(View):
    """What an edit, an undoing or a redoing made of the proposal; its ETag is that of the edit version."""

    run_id: UUID
    edit_id: UUID
    number: int = Field(description="The how-manieth edit of the run it is.")
    state: EditState
    edit_version: int = Field(description="Of the proposal now; send it as If-Match with the next change.")
    accounts: int = Field(description="Accounts that the edit moves.")
    unchanged: int = Field(description="Accounts of the request that were there already.")
    before: ScoreView = Field(description="Figures before this change.")
    after: ScoreView = Field(description="Figures now.")

    @classmethod
    def of(cls, edited: EditedProposal) -> "EditedProposalView":
        """Show what was made."""
        return cls(
            run_id=edited.standing.run.run_id,
            edit_id=edited.edit.edit_id,
            number=edited.edit.number,
            state=edited.edit.state,
            edit_version=edited.edit_version,
            accounts=edited.edit.accounts,
            unchanged=edited.unchanged,
            before=ScoreView.of(edited.standing, edited.before),
            after=ScoreView.of(edited.standing, edited.after),
        )


class EditView(View):
    """An edit of a proposal: who made it when, and whether it counts."""

    edit_id: UUID
    number: int
    state: EditState = Field(
        description="applied; undone: it can be redone; dropped: it was undone, and another was made since."
    )
    accounts: int
    territories: int = Field(description="How many it touches.")
    made_by: str | None = Field(description="Null for viewers and contributors, as `changed_by` is.")
    made_at: datetime
    changed_by: str | None = Field(description="Who undid, redid or dropped it last.")
    changed_at: datetime | None

    @classmethod
    def of(cls, edit: Edit, by: Principal) -> "EditView":
        """Show an edit as far as the caller may see it."""
        view = cls.model_validate(edit)
        return view if by.roles & MANAGERS else view.model_copy(update={"made_by": None, "changed_by": None})


class EditMoveView(View):
    """An account that an edit moves."""

    account_id: UUID
    from_territory_id: UUID
    to_territory_id: UUID


class EditWithMovesView(EditView):
    """An edit with all that it moves, by account."""

    territory_ids: list[UUID] = Field(description="The territories that it touches.")
    moves: list[EditMoveView]

    @classmethod
    def with_moves(
        cls, edit: Edit, touched: list[UUID], moves: list[EditMove], by: Principal
    ) -> "EditWithMovesView":
        """Show an edit, the territories that it touches, and its moves."""
        shown = [EditMoveView.model_validate(one) for one in moves]
        return cls(**EditView.of(edit, by).model_dump(), territory_ids=touched, moves=shown)
