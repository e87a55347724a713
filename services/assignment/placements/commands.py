"""Placing accounts in a draft, as a design run proposed or by hand, and taking placements out.

What was live never changes. One statement takes thousands of accounts: a proposal for all of them is one command.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.assignment.accounts.queries import find_unknown
from services.assignment.pins.queries import load_held
from services.assignment.placements.placement import Pair, RejectedPair, count_held, sort_pairs
from services.assignment.placements.queries import find_placement
from services.assignment.plans.commands.revise_draft import DraftAsRead, hold_draft, raise_version
from services.assignment.territories.queries import find_territory, load_tree
from services.assignment.territories.tree import Tree
from shared.db.scope import EVERYWHERE
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound

# Pairs a statement: 10,000 take half a second, far from every limit.
CHUNK = 10_000

# What stands as it stood keeps who accepted it and when. In the order of account ids, in which the foreign key holds
# the accounts, as whoever changes accounts holds them: nobody waits crosswise.
_STORE = text("""
WITH stored AS (
    INSERT INTO placements AS p (plan_id, account_id, territory_id, design_run_id, placed_at, placed_by)
    SELECT :plan_id, i.account_id, i.territory_id, :design_run_id, :now, :actor
    FROM unnest(CAST(:account_ids AS uuid[]), CAST(:territory_ids AS uuid[])) AS i (account_id, territory_id)
    ON CONFLICT (plan_id, account_id) DO UPDATE
    SET territory_id = excluded.territory_id, design_run_id = excluded.design_run_id,
        placed_at = excluded.placed_at, placed_by = excluded.placed_by
    WHERE (p.territory_id, p.design_run_id) IS DISTINCT FROM (excluded.territory_id, excluded.design_run_id)
    RETURNING old.account_id IS NULL AS added
)
SELECT count(*) FILTER (WHERE added) AS added, count(*) FILTER (WHERE NOT added) AS replaced FROM stored
""")
_DELETE = text("""
DELETE FROM placements WHERE plan_id = :plan_id
  AND (CAST(:territory_id AS uuid) IS NULL OR territory_id = :territory_id)
  AND (CAST(:design_run_id AS uuid) IS NULL OR design_run_id = :design_run_id)
  AND (CAST(:account_id AS uuid) IS NULL OR account_id = :account_id)
""")
_COPY = text("""
INSERT INTO placements (plan_id, account_id, territory_id, design_run_id, placed_at, placed_by)
SELECT :target, account_id, territory_id, design_run_id, placed_at, placed_by
FROM placements WHERE plan_id = :source ORDER BY account_id
""")


@dataclass(frozen=True, slots=True)
class PlaceAccounts:
    """Put accounts in territories of a draft, in place of where it placed them; those not named stay.

    `design_run_id` is the run whose proposal is accepted, in whole or in part; None places by hand. `only_leaves`: what
    was a leaf when it was designed takes nothing once it has been divided. Hands may place where rules and pins may: anywhere.
    """

    draft: DraftAsRead
    pairs: Sequence[Pair]
    design_run_id: UUID | None = None
    only_leaves: bool = False


@dataclass(frozen=True, slots=True)
class RemovePlacements:
    """Let the rules of a draft decide again: on all accounts, those placed in a territory, by a run, or on one."""

    draft: DraftAsRead
    territory_id: UUID | None = None
    design_run_id: UUID | None = None
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PlacedAccounts:
    """What became of the pairs, and the version of the plan since: as before where none was taken.

    added + replaced + unchanged + those rejected are all that were given; `pinned` of those taken stay elsewhere
    for as long as a pin of the draft holds them there.
    """

    version: int
    added: int
    replaced: int
    unchanged: int
    pinned: int
    rejected: tuple[RejectedPair, ...]


@dataclass(frozen=True, slots=True)
class RemovedPlacements:
    """The version of the plan since, which is as before where none went, and how many did."""

    version: int
    removed: int


async def place_accounts(command: PlaceAccounts, uow: UnitOfWork) -> PlacedAccounts:
    """Place accounts in a draft: what is right is stored together, what is not is told pair by pair.

    Raises PlanNotDraft, VersionMismatch, PlanBusy, NotFound.
    """
    plan_id = command.draft.plan_id
    await hold_draft(uow, command.draft)
    tree = await load_tree(uow.connection, plan_id)
    # 200,000 pairs take a tenth of a second of pure work: elsewhere, so that the api goes on answering.
    pairs = await asyncio.to_thread(
        sort_pairs,
        command.pairs,
        unknown_accounts=await _find_unknown(uow, command.pairs),
        territories=frozenset(node.territory_id for node in tree.territories),
        inner=_inner(tree) if command.only_leaves else frozenset(),
    )
    added = replaced = 0
    for start in range(0, len(pairs.right), CHUNK):
        stored = await _store(uow, command, pairs.right[start : start + CHUNK])
        added += stored[0]
        replaced += stored[1]
    # Where every pair was wrong nothing has changed, and what others have read of the draft holds.
    version = await raise_version(uow, plan_id) if pairs.right else command.draft.version
    return PlacedAccounts(
        version=version,
        added=added,
        replaced=replaced,
        unchanged=len(pairs.right) - added - replaced,
        pinned=count_held(pairs.right, await load_held(uow.connection, plan_id, at=uow.now)),
        rejected=pairs.wrong,
    )


async def remove_placements(command: RemovePlacements, uow: UnitOfWork) -> RemovedPlacements:
    """Take placements out of a draft; those of one account or run have to be there. Raises as place_accounts does."""
    plan_id = command.draft.plan_id
    await hold_draft(uow, command.draft)
    if command.account_id is not None:
        await find_placement(uow.connection, plan_id, command.account_id, scope=EVERYWHERE)
    if command.territory_id is not None:
        await find_territory(uow.connection, plan_id, command.territory_id, scope=EVERYWHERE)
    gone = await uow.connection.execute(
        _DELETE,
        {
            "plan_id": plan_id,
            "territory_id": command.territory_id,
            "design_run_id": command.design_run_id,
            "account_id": command.account_id,
        },
    )
    if command.design_run_id is not None and not gone.rowcount:
        # A run that placed nobody here is a mistake; what others have read stays as it is.
        raise NotFound("design_run_id: the draft has no placements of such a run; nothing was changed.")
    version = await raise_version(uow, plan_id) if gone.rowcount else command.draft.version
    return RemovedPlacements(version, gone.rowcount)


def _inner(tree: Tree) -> frozenset[UUID]:
    """Return the territories that others lie below."""
    return frozenset(node.parent_id for node in tree.territories if node.parent_id is not None)


async def copy_placements(uow: UnitOfWork, *, source: UUID, target: UUID) -> None:
    """Give one plan the placements of another, with who accepted them and when."""
    await uow.connection.execute(_COPY, {"source": source, "target": target})


async def _find_unknown(uow: UnitOfWork, pairs: Sequence[Pair]) -> set[UUID]:
    unknown: set[UUID] = set()
    for start in range(0, len(pairs), CHUNK):
        ids = [pair.account_id for pair in pairs[start : start + CHUNK]]
        unknown |= await find_unknown(uow.connection, ids)
    return unknown


async def _store(uow: UnitOfWork, command: PlaceAccounts, pairs: Sequence[Pair]) -> tuple[int, int]:
    stored = await uow.connection.execute(
        _STORE,
        {
            "plan_id": command.draft.plan_id,
            "account_ids": [pair.account_id for pair in pairs],
            "territory_ids": [pair.territory_id for pair in pairs],
            "design_run_id": command.design_run_id,
            "now": uow.now,
            "actor": uow.actor,
        },
    )
    row = stored.one()
    return row.added, row.replaced
