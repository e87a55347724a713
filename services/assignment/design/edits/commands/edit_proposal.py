"""Move accounts of a proposal by hand, and score what that makes of it: all of the moves, or none."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import text

from services.assignment.accounts.queries import find_unknown
from services.assignment.design.edits.commands.hold_proposal import hold_proposal
from services.assignment.design.edits.commands.write_image import move_accounts, write_image
from services.assignment.design.edits.edit import EditState
from services.assignment.design.edits.limits import Known, whole_of
from services.assignment.design.edits.moves import DETAILS, Move, Moved, SortedMoves, sort_moves
from services.assignment.design.edits.queries import Standing, find_apart, find_edit, find_places
from services.assignment.design.edits.refusals import InvalidEdit, TooManyEdits
from services.assignment.design.edits.result import EditedProposal
from services.assignment.design.edits.score import Image, TerritoryScore, replaced
from services.assignment.pins.queries import load_held
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id_at

# One keeps what it was of all territories that it touched, up to a megabyte.
MOST_EDITS = 1_000

_COUNT = text("SELECT coalesce(max(number), 0) FROM design_edits WHERE run_id = :run_id")
# Nobody comes back to what was dropped: its figures go.
_DROP = text("""
UPDATE design_edits SET state = 'dropped', before = 'null', after = 'null', changed_by = :actor, changed_at = :now
WHERE run_id = :run_id AND state = 'undone'
""")
_KEEP = text("""
INSERT INTO design_edits (edit_id, run_id, number, state, accounts, territory_ids, made_by, made_at, before, after)
SELECT :edit_id, :run_id, coalesce(max(number), 0) + 1, :state, :accounts, :territory_ids, :actor, :now,
       CAST(:before AS jsonb), CAST(:after AS jsonb)
FROM design_edits WHERE run_id = :run_id
""")
_KEEP_MOVES = text("""
INSERT INTO design_edit_moves (edit_id, account_id, territory_from, territory_to)
SELECT :edit_id, i.account_id, i.territory_from, i.territory_to
FROM unnest(CAST(:account_ids AS uuid[]), CAST(:before AS uuid[]), CAST(:after AS uuid[]))
    AS i (account_id, territory_from, territory_to)
""")


@dataclass(frozen=True, slots=True)
class EditProposal:
    """Moves to be made together, in a run's proposal at the version that its editor has read."""

    run_id: UUID
    edit_version: int
    moves: tuple[Move, ...]


async def edit_proposal(command: EditProposal, uow: UnitOfWork) -> EditedProposal:
    """Move accounts; edits that were undone can be redone no more, and count as made.

    Raises NotFound, DesignRunWithoutProposal, ProposalNotEditable, PlanNotDraft, VersionMismatch, TooManyEdits,
    InvalidEdit.
    """
    standing = await hold_proposal(uow, command.run_id, edit_version=command.edit_version)
    await _check_room(uow, command.run_id)
    sorted_moves = await _sorted(uow, standing, command.moves)
    moves = sorted_moves.right
    await move_accounts(uow, command.run_id, {one.account_id: one.territory_id for one in moves})
    before, after = await _scored(uow, standing, moves)
    version = await write_image(uow, command.run_id, after)
    edit_id = await _keep(uow, command.run_id, moves, before, after)
    return EditedProposal(
        standing=standing,
        edit=await find_edit(uow.connection, command.run_id, edit_id),
        edit_version=version,
        unchanged=sorted_moves.unchanged,
        before=before,
        after=after,
    )


async def _check_room(uow: UnitOfWork, run_id: UUID) -> None:
    made = (await uow.connection.execute(_COUNT, {"run_id": run_id})).scalar_one()
    if made >= MOST_EDITS:
        raise TooManyEdits(
            f"run_id: the proposal has been edited {made:,} times; accept it, and design from that draft."
        )


async def _sorted(uow: UnitOfWork, standing: Standing, moves: Sequence[Move]) -> SortedMoves:
    """Return the moves that may be made. Raises InvalidEdit."""
    places = await find_places(uow.connection, standing.run.run_id, moves)
    strangers = [one.account_id for one in moves if one.account_id not in places]
    found = sort_moves(
        moves,
        places=places,
        unknown=await find_unknown(uow.connection, strangers) if strangers else (),
        designed={one.territory_id for one in standing.designed},
        held=await load_held(uow.connection, standing.run.plan_id, at=uow.now, among=list(places)),
    )
    if found.wrong:
        first = found.wrong[0]
        raise InvalidEdit(
            f"moves/{first.row}: {DETAILS[first.why]}; {len(found.wrong)} of {len(moves)} moves may not be made.",
            errors=[
                {
                    "pointer": f"/moves/{one.row}",
                    "code": one.why.value,
                    "detail": f"{one.account_id}: {DETAILS[one.why]}",
                }
                for one in found.wrong
            ],
        )
    return found


async def _scored(uow: UnitOfWork, standing: Standing, moves: Sequence[Moved]) -> tuple[Image, Image]:
    """Return the whole and the touched territories before and after moves that have been made."""
    touched = {one.place.now for one in moves} | {one.territory_id for one in moves}
    old = [one for one in standing.scores if one.territory_id in touched]
    new = await _score(uow, standing, old, moves)
    apart, apart_in = await find_apart(uow.connection, standing.run.run_id)
    edited = sum(
        (one.territory_id != one.place.proposed) - (one.place.now != one.place.proposed) for one in moves
    )
    totals = whole_of(
        standing.run.scenario,
        standing.designed,
        replaced(standing.scores, new),
        Known(standing.totals.why, touched, apart, apart_in),
        aligned_value=standing.aligned_value,
        edited_accounts=standing.totals.edited_accounts + edited,
        bound=standing.bound,
    )
    return Image(standing.totals, tuple(old)), Image(totals, tuple(new))


async def _score(
    uow: UnitOfWork, standing: Standing, old: Sequence[TerritoryScore], moves: Sequence[Moved]
) -> list[TerritoryScore]:
    # Arrays are an eighth of a second and some megabytes that only editors have a use for.
    from services.assignment.design.edits.scoring import Terms, score_territories  # noqa: PLC0415
    from services.assignment.design.edits.units import read_units  # noqa: PLC0415
    from services.assignment.design.engine.geography import Plane  # noqa: PLC0415

    scenario = standing.run.scenario
    units = await read_units(
        uow.connection,
        standing.run.run_id,
        [one.territory_id for one in old],
        measures=len(scenario.measures),
        linked=scenario.contiguous,
    )
    touched = {one.territory_id for one in old}
    lost = Counter({one.territory_id: one.lost for one in old})
    lost.update(one.place.now for one in moves if one.place.now == one.place.before)
    lost.subtract(one.territory_id for one in moves if one.territory_id == one.place.before)
    return await asyncio.to_thread(
        score_territories,
        units,
        [one for one in standing.designed if one.territory_id in touched],
        lost,
        Terms(plane=Plane(*standing.plane), pull=scenario.pull, contiguous=scenario.contiguous),
    )


async def _keep(uow: UnitOfWork, run_id: UUID, moves: Sequence[Moved], before: Image, after: Image) -> UUID:
    edit_id = new_id_at(uow.now)
    told = {"run_id": run_id, "actor": uow.actor, "now": uow.now}
    await uow.connection.execute(_DROP, told)
    await uow.connection.execute(
        _KEEP,
        {
            **told,
            "edit_id": edit_id,
            "state": EditState.APPLIED.value,
            "accounts": len(moves),
            "territory_ids": [one.territory_id for one in after.territories],
            "before": json.dumps(to_jsonable_python(before)),
            "after": json.dumps(to_jsonable_python(after)),
        },
    )
    await uow.connection.execute(
        _KEEP_MOVES,
        {
            "edit_id": edit_id,
            "account_ids": [one.account_id for one in moves],
            "before": [one.place.now for one in moves],
            "after": [one.territory_id for one in moves],
        },
    )
    return edit_id
