"""The words in which tests place accounts in drafts."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from services.assignment.placements.commands import PlaceAccounts, place_accounts
from services.assignment.placements.placement import Pair
from services.assignment.plans.commands.revise_draft import DraftAsRead
from shared.contracts.identity import account_id_of
from shared.db.transact import Transactor
from tests.service.assignment.conftest import Assignment

ACCOUNTS = [
    {"external_id": "city", "county": "01001"},
    {"external_id": "south", "county": "02001"},
    {"external_id": "nowhere", "county": "99999"},
]
ACCOUNT = str(account_id_of("city"))
RUN = UUID(int=0xDE51)
ALIGNED = "assignment.account.aligned.v1"


def pairs_of(*pairs: tuple[str, UUID]) -> dict[str, Any]:
    """Return the body that names accounts by external id."""
    return {
        "placements": [
            {"account_id": str(account_id_of(name)), "territory_id": str(territory)}
            for name, territory in pairs
        ]
    }


def path_of(plan_id: str) -> str:
    """Return where a plan's placements are."""
    return f"/v1/plans/{plan_id}/placements"


async def place(assignment: Assignment, plan_id: str, *pairs: tuple[str, UUID]) -> dict[str, Any]:
    """Place accounts by hand, at whatever version the draft is, and return the report."""
    version = (await assignment.get(f"/v1/plans/{plan_id}"))["version"]
    return dict(await assignment.put(path_of(plan_id), pairs_of(*pairs), version=version))


async def accept(
    assignment: Assignment, plan_id: str, *pairs: tuple[str, UUID], run: UUID = RUN, version: int = 1
) -> None:
    """Accept what a design run proposed, as the command that routes call takes it."""
    transact = Transactor(assignment.engine, assignment.clock, source="test")
    placed = await transact(
        place_accounts,
        PlaceAccounts(
            DraftAsRead(UUID(plan_id), version),
            [Pair(account_id_of(name), territory) for name, territory in pairs],
            run,
        ),
        actor="the-planner",
    )
    assert placed.rejected == ()


async def have_placed(assignment: Assignment, *pairs: tuple[str, UUID]) -> str:
    """Have a live plan that places accounts, before it another, and return its id."""
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    await accept(assignment, clone_id, *pairs)
    assignment.clock.advance(timedelta(days=1))
    await assignment.activate(clone_id)
    return clone_id


async def where(assignment: Assignment, name: str = "city") -> tuple[str | None, str]:
    """Return where an account belongs now, and the cause."""
    alignment = (await assignment.get(f"/v1/accounts/{account_id_of(name)}"))["alignment"]
    return alignment["territory_id"], alignment["cause"]


async def delete(assignment: Assignment, path: str, *, version: int) -> Any:
    """Delete with the version of the draft; return the answer, whatever it is."""
    return await assignment.http.delete(path, headers={"if-match": f'"{version}"'})
