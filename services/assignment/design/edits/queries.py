"""Reading what edits are scored from, and the edits of a proposal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
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

if TYPE_CHECKING:  # the api learns of arrays when somebody first edits
    from services.assignment.design.edits.scoring import Units

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
# Packed by Postgres: a row per account would take the event loop seconds to unpack.
_UNITS = text("""
SELECT u.territory_after AS territory_id, array_agg(u.unit) AS number, array_agg(u.x) AS x, array_agg(u.y) AS y,
       array_agg(u.weight) AS weight, array_agg(u.move_value) AS move_value, array_agg(u.measures) AS measures,
       array_agg(u.territory_before IS DISTINCT FROM u.territory_after) AS gained,
       array_agg(u.territory_before IS NOT NULL AND u.territory_before <> u.territory_after) AS moved,
       array_agg(u.reason = 'fixed') AS pinned
FROM design_proposal_units AS u
WHERE u.run_id = :run_id AND u.territory_after = ANY (CAST(:territory_ids AS uuid[]))
GROUP BY u.territory_after, u.unit / :units_a_row
""")
_LINKS = text("""
SELECT array_agg(u.unit) AS one, array_agg(n.unit) AS other
FROM design_proposal_units AS u CROSS JOIN LATERAL unnest(u.neighbours) AS n (unit)
WHERE u.run_id = :run_id AND u.territory_after = ANY (CAST(:territory_ids AS uuid[])) AND n.unit > u.unit
GROUP BY u.unit / :units_a_row
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
_COLUMNS = "edit_id, number, state, accounts, territory_ids, made_by, made_at, changed_by, changed_at"
_LIST = text(f"""
SELECT {_COLUMNS} FROM design_edits
WHERE run_id = :run_id
  AND (CAST(:after AS uuid) IS NULL OR number < (SELECT number FROM design_edits WHERE edit_id = :after))
ORDER BY number DESC LIMIT :rows
""")
_FIND = text(f"SELECT {_COLUMNS} FROM design_edits WHERE run_id = :run_id AND edit_id = :edit_id")
_MOVES = text("""
SELECT account_id, territory_from, territory_to FROM design_edit_moves WHERE edit_id = :edit_id ORDER BY account_id
""")
# Unpacking more at once would hold the event loop; of few territories only some of so many units are wanted.
_UNITS_A_ROW = 50_000


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


async def read_units(
    read: AsyncConnection, run_id: UUID, territory_ids: Sequence[UUID], *, measures: int, linked: bool
) -> "Units":
    """Return the units of some territories, with who touches whom if that is wanted."""
    import numpy as np  # noqa: PLC0415

    from services.assignment.design.edits.scoring import Units  # noqa: PLC0415

    asked = {"run_id": run_id, "territory_ids": list(territory_ids), "units_a_row": _UNITS_A_ROW}
    columns = _Columns({one: place for place, one in enumerate(territory_ids)})
    packed = (await read.stream(_UNITS, asked)).mappings()
    async for (units,) in packed.partitions(1):
        columns.add(units)
    links = [np.empty((0, 2), np.int64)]
    if linked:
        result = await read.stream(_LINKS, asked)
        async for (row,) in result.partitions(1):
            links.append(np.column_stack([row.one, row.other]).astype(np.int64))
    number, territory = columns.joined("number", np.int64), columns.joined("place", np.int64)
    order = np.argsort(number)
    return Units(
        number=number[order],
        territory=territory[order],
        xy=np.column_stack([columns.joined("x", np.float64), columns.joined("y", np.float64)])[order],
        weight=columns.joined("weight", np.float64)[order],
        measures=columns.joined("measures", np.float64).reshape(-1, measures)[order],
        move_value=columns.joined("move_value", np.float64)[order],
        gained=columns.joined("gained", np.bool_)[order],
        moved=columns.joined("moved", np.bool_)[order],
        pinned=columns.joined("pinned", np.bool_)[order],
        links=np.concatenate(links),
    )


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


async def list_moves(read: AsyncConnection, edit_id: UUID) -> list[EditMove]:
    """Return which accounts an edit moved, by account."""
    return [EditMove(*row) for row in await read.execute(_MOVES, {"edit_id": edit_id})]


def edit_of(row: Any) -> Edit:
    """Return a row of edits as what it is."""
    return Edit(
        **{name: row[name] for name in Edit.__slots__ if name != "state"}, state=EditState(row["state"])
    )


class _Columns:
    """Rows of packed columns, each of one territory, which are joined in the end."""

    def __init__(self, places: Mapping[UUID, int]) -> None:
        self._places = places
        self._rows: list[Mapping[str, Any]] = []

    def add(self, row: Mapping[Any, Any]) -> None:
        """Take a row, its columns as arrays."""
        import numpy as np  # noqa: PLC0415

        packed = {name: np.asarray(value) for name, value in row.items()}
        packed["place"] = np.full(len(packed["number"]), self._places[row["territory_id"]])
        self._rows.append(packed)

    def joined(self, name: str, kind: Any) -> Any:
        """Return all of a column, flat."""
        import numpy as np  # noqa: PLC0415

        return np.concatenate([np.empty(0, kind), *(row[name].astype(kind).ravel() for row in self._rows)])


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
