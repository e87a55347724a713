"""Reading what edits are scored from, and the edits of a proposal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.design.edits.edit import Edit, EditMove, EditState
from services.assignment.design.edits.moves import Move, Place
from services.assignment.design.edits.refusals import ProposalNotEditable
from services.assignment.design.edits.score import Designed, TerritoryScore, Totals
from services.assignment.design.proposals.queries import SHORTFALLS, find_proposing
from services.assignment.design.runs.queries import DesignRun
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

_TOTALS = text("""
SELECT edit_version, plane_latitude, plane_longitude, aligned_value, bound, feasible, why, deviation, mean_km, cost, gap,
       moved_accounts, moved_share, edited_accounts
FROM design_proposals WHERE run_id = :run_id
""")
_TERRITORIES = text("""
SELECT r.name, r.home_latitude, r.home_longitude, r.least_accounts, r.most_accounts, p.targets, p.territory_id, p.accounts, p.gained, p.lost, p.loads,
       p.latitude, p.longitude, p.mean_km, p.parts, p.broken, p.weight, p.cost, p.moved_accounts, p.moved_value
FROM design_run_territories AS r JOIN design_proposal_territories AS p USING (run_id, territory_id)
WHERE r.run_id = :run_id ORDER BY r.number
""")
_PLACES = text("""
SELECT u.account_id, u.territory_before, u.territory_after, coalesce(u.territory_proposed, u.territory_after) AS proposed,
       k.territory_ids AS permitted
FROM unnest(CAST(:account_ids AS uuid[])) AS m (account_id)
JOIN design_proposal_units AS u ON u.run_id = :run_id AND u.account_id = m.account_id
LEFT JOIN design_proposal_kinds AS k ON k.run_id = u.run_id AND k.kind = u.kind
""")
# Only who was moved by hand can be apart from those it is kept together with.
_APART = text("""
WITH edited AS (
    SELECT DISTINCT kept_with FROM design_proposal_units
    WHERE run_id = :run_id AND territory_proposed IS NOT NULL AND kept_with IS NOT NULL
), apart AS (
    SELECT kept_with, array_agg(DISTINCT territory_after) AS territory_ids
    FROM design_proposal_units JOIN edited USING (kept_with)
    WHERE run_id = :run_id GROUP BY kept_with HAVING count(DISTINCT territory_after) > 1
)
SELECT (SELECT count(*) FROM apart) AS groups,
       ARRAY(SELECT DISTINCT unnest(territory_ids) FROM apart ORDER BY 1) AS territory_ids
""")
# The ids of thousands of territories, an edit: they are told of one alone.
_COLUMNS = "edit_id, number, state, accounts, cardinality(territory_ids) AS territories, made_by, made_at, changed_by, changed_at"
_LIST = text(f"""
SELECT {_COLUMNS} FROM design_edits
WHERE run_id = :run_id
  AND (CAST(:after AS uuid) IS NULL OR number < (SELECT number FROM design_edits WHERE edit_id = :after))
ORDER BY number DESC LIMIT :rows
""")
_FIND = text(f"SELECT {_COLUMNS} FROM design_edits WHERE run_id = :run_id AND edit_id = :edit_id")
_TOUCHED = text("SELECT territory_ids FROM design_edits WHERE edit_id = :edit_id")
_MOVES = text("""
SELECT account_id, territory_from, territory_to FROM design_edit_moves WHERE edit_id = :edit_id ORDER BY account_id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A proposal as edits find it: territories and their scores in the same order; the plane's middle in degrees."""

    run: DesignRun
    edit_version: int
    plane: tuple[float, float]
    aligned_value: float
    bound: float
    totals: Totals
    designed: list[Designed]
    scores: list[TerritoryScore]


async def find_standing(read: AsyncConnection, run_id: UUID) -> Standing:
    """Return what edits begin with. Raises NotFound, DesignRunWithoutProposal, ProposalNotEditable."""
    run = await find_proposing(read, run_id)
    row = (await read.execute(_TOTALS, {"run_id": run_id})).mappings().one()
    if row["aligned_value"] is None:
        raise ProposalNotEditable(
            "run_id: the proposal was made by an earlier release; ask for the run again to edit it."
        )
    found = (await read.execute(_TERRITORIES, {"run_id": run_id})).mappings().all()
    return Standing(
        run=run,
        edit_version=row["edit_version"],
        plane=(row["plane_latitude"], row["plane_longitude"]),
        aligned_value=row["aligned_value"],
        bound=row["bound"],
        totals=_totals(row),
        designed=[_designed(one) for one in found],
        scores=[_score(one) for one in found],
    )


async def find_places(read: AsyncConnection, run_id: UUID, moves: Sequence[Move]) -> dict[UUID, Place]:
    """Return where accounts stand in a proposal: those of some moves that take part in it."""
    ids = list({one.account_id for one in moves})
    return {
        row.account_id: Place(
            row.territory_before,
            row.territory_after,
            row.proposed,
            None if row.permitted is None else frozenset(row.permitted),
        )
        for row in await read.execute(_PLACES, {"run_id": run_id, "account_ids": ids})
    }


async def find_apart(read: AsyncConnection, run_id: UUID) -> tuple[int, list[UUID]]:
    """Return how many groups that are kept together are in several territories, and in which."""
    row = (await read.execute(_APART, {"run_id": run_id})).one()
    return row.groups, row.territory_ids


async def list_edits(read: AsyncConnection, run_id: UUID, *, page: PageRequest) -> list[Edit]:
    """Return the edits of a run, the latest first, one more than the page holds."""
    rows = await read.execute(_LIST, {"run_id": run_id, "after": page.after, "rows": page.limit + 1})
    return [edit_of(row) for row in rows.mappings()]


async def find_edit(read: AsyncConnection, run_id: UUID, edit_id: UUID) -> Edit:
    """Return one edit. Raises NotFound."""
    row = (await read.execute(_FIND, {"run_id": run_id, "edit_id": edit_id})).mappings().one_or_none()
    if row is None:
        raise NotFound("edit_id: the design run has no such edit.")
    return edit_of(row)


async def list_touched(read: AsyncConnection, edit_id: UUID) -> list[UUID]:
    """Return the territories that an edit touches."""
    ids: list[UUID] = (await read.execute(_TOUCHED, {"edit_id": edit_id})).scalar_one()
    return ids


async def list_moves(read: AsyncConnection, edit_id: UUID) -> list[EditMove]:
    """Return which accounts an edit moved, by account."""
    return [EditMove(*row) for row in await read.execute(_MOVES, {"edit_id": edit_id})]


def edit_of(row: Any) -> Edit:
    """Return a row of edits as what it is."""
    return Edit(
        **{name: row[name] for name in Edit.__slots__ if name != "state"}, state=EditState(row["state"])
    )


def _totals(row: Any) -> Totals:
    return Totals(
        feasible=row["feasible"],
        why=tuple(SHORTFALLS.validate_python(row["why"])),
        deviation=tuple(row["deviation"]),
        mean_km=row["mean_km"],
        cost=row["cost"],
        gap=row["gap"],
        moved_accounts=row["moved_accounts"],
        moved_share=row["moved_share"],
        edited_accounts=row["edited_accounts"],
    )


def _designed(row: Any) -> Designed:
    home = None if row["home_latitude"] is None else (row["home_latitude"], row["home_longitude"])
    return Designed(
        row["territory_id"],
        row["name"],
        tuple(row["targets"]),
        home,
        row["least_accounts"],
        row["most_accounts"],
    )


def _score(row: Any) -> TerritoryScore:
    plain = {name: row[name] for name in TerritoryScore.__slots__ if name != "loads"}
    return TerritoryScore(**plain, loads=tuple(row["loads"]))
