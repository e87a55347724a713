"""Take a proposal over into its draft: the accounts are placed there, as the run would have them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.assignment.design.proposals.queries import find_proposing, list_places
from services.assignment.design.proposals.refusals import UnknownTerritories
from services.assignment.design.proposals.staleness import Now, Stale
from services.assignment.design.runs.queries import list_run_territories
from services.assignment.placements.commands import PlaceAccounts, place_accounts
from services.assignment.placements.placement import RejectedPair
from services.assignment.plans.commands.revise_draft import DraftAsRead
from services.assignment.plans.queries import read_live_plan
from shared.contracts.assignment import ProposalAccepted
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import VersionMismatch

_EDITED = text("""
SELECT edit_version, (
    SELECT count(*) FROM design_proposal_units AS u
    WHERE u.run_id = p.run_id AND u.territory_proposed IS NOT NULL
      AND (CAST(:territory_ids AS uuid[]) IS NULL OR u.territory_after = ANY (CAST(:territory_ids AS uuid[])))
) AS edited
FROM design_proposals AS p WHERE run_id = :run_id
""")
_EDITED_AMONG = text("""
SELECT count(*) FROM design_proposal_units
WHERE run_id = :run_id AND territory_proposed IS NOT NULL AND account_id = ANY (CAST(:account_ids AS uuid[]))
""")
# Who edits the proposal or deletes the run waits: what is read of it here is all of it.
_HOLD = text("SELECT run_id FROM design_runs WHERE run_id = :run_id FOR SHARE")
_SEEN = text("""
SELECT r.plan_version, p.live_sequence FROM design_runs AS r JOIN design_proposals AS p USING (run_id)
WHERE r.run_id = :run_id
""")


@dataclass(frozen=True, slots=True)
class AcceptProposal:
    """Accept what goes to some territories (None: everything), into the draft at the version its editor has read.

    `edit_version` is the one that the proposal has to be at, None for any.
    """

    run_id: UUID
    plan_version: int
    territory_ids: frozenset[UUID] | None
    edit_version: int | None = None


@dataclass(frozen=True, slots=True)
class AcceptedProposal:
    """What the draft took over, the version that made, and how stale the proposal was before.

    `edited` accounts of what it took were moved by hand, in the proposal at `edit_version`.
    """

    run_id: UUID
    plan_id: UUID
    plan_version: int
    accounts: int
    unchanged: int
    pinned: int
    rejected: tuple[RejectedPair, ...]
    stale: Stale
    edit_version: int
    edited: int


async def accept_proposal(command: AcceptProposal, uow: UnitOfWork) -> AcceptedProposal:
    """Place accounts in the run's draft as it proposes; those that it cannot have there are told one by one.

    Raises NotFound, DesignRunWithoutProposal, UnknownTerritories, PlanNotDraft, VersionMismatch, PlanBusy.
    """
    await uow.connection.execute(_HOLD, {"run_id": command.run_id})
    run = await find_proposing(uow.connection, command.run_id)
    await _check_known(uow, command)
    edit_version, edited = await _read_edited(uow, command)
    places = await list_places(uow.connection, command.run_id, command.territory_ids)
    stale = await _stale(uow, command)
    placed = await place_accounts(
        PlaceAccounts(DraftAsRead(run.plan_id, command.plan_version), places, run.run_id, only_leaves=True),
        uow,
    )
    accepted = AcceptedProposal(
        run_id=run.run_id,
        plan_id=run.plan_id,
        plan_version=placed.version,
        accounts=placed.added + placed.replaced + placed.unchanged,
        unchanged=placed.unchanged,
        pinned=placed.pinned,
        rejected=placed.rejected,
        stale=stale,
        edit_version=edit_version,
        edited=edited - await _edited_among(uow, command.run_id, placed.rejected),
    )
    if accepted.accounts:
        uow.outbox.add(_announcement(command, accepted, uow))
    return accepted


async def _stale(uow: UnitOfWork, command: AcceptProposal) -> Stale:
    seen = (await uow.connection.execute(_SEEN, {"run_id": command.run_id})).one()
    live = await read_live_plan(uow.connection)
    return Now(command.plan_version, live.sequence).stale(seen.plan_version, seen.live_sequence)


async def _read_edited(uow: UnitOfWork, command: AcceptProposal) -> tuple[int, int]:
    """Return the edit version, and how many of the accounts asked for were moved by hand. Raises VersionMismatch."""
    wanted = None if command.territory_ids is None else list(command.territory_ids)
    found = await uow.connection.execute(_EDITED, {"run_id": command.run_id, "territory_ids": wanted})
    row = found.one()
    if command.edit_version not in {None, row.edit_version}:
        raise VersionMismatch(
            f"edit_version: the proposal is at {row.edit_version}, not {command.edit_version}; read it again."
        )
    return row.edit_version, row.edited


async def _edited_among(uow: UnitOfWork, run_id: UUID, rejected: Sequence[RejectedPair]) -> int:
    """Return how many of those that the draft did not take were moved by hand."""
    ids = [one.pair.account_id for one in rejected]
    if not ids:
        return 0
    found = await uow.connection.execute(_EDITED_AMONG, {"run_id": run_id, "account_ids": ids})
    count: int = found.scalar_one()
    return count


async def _check_known(uow: UnitOfWork, command: AcceptProposal) -> None:
    if command.territory_ids is None:
        return
    designed = {one.territory_id for one in await list_run_territories(uow.connection, command.run_id)}
    unknown = sorted(command.territory_ids - designed)
    if unknown:
        raise UnknownTerritories(
            f"territory_ids: the run does not design {', '.join(map(str, unknown[:3]))}; leave them out.",
            errors=[
                {"pointer": "/territory_ids", "detail": f"{one}: not designed by this run"}
                for one in unknown[:100]
            ],
        )


def _announcement(command: AcceptProposal, accepted: AcceptedProposal, uow: UnitOfWork) -> ProposalAccepted:
    return ProposalAccepted(
        design_run_id=accepted.run_id,
        plan_id=accepted.plan_id,
        plan_version=accepted.plan_version,
        whole=command.territory_ids is None,
        territory_ids=tuple(sorted(command.territory_ids or ())),
        accounts=accepted.accounts,
        edited_accounts=accepted.edited,
        edit_version=accepted.edit_version,
        accepted_at=uow.now,
    )
