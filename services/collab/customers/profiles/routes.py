"""A customer's profile, and what to do next, over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from services.collab.customers.profiles.next_step import derive_next_steps
from services.collab.customers.profiles.queries import find_profile
from services.collab.customers.profiles.schemas import NextStepsView, ProfileView
from shared.http.commands import Snapshot
from shared.http.present import Now
from shared.http.security import Reader

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["customers"])


@router.get("/profile")
async def get_profile(by: Reader, read: Snapshot, now: Now, account_id: UUID) -> ProfileView:
    """Return all that is known of a customer now: for whoever has the account."""
    return ProfileView.of(await find_profile(read, account_id, at=now, scope=by.scope))


@router.get("/next-steps")
async def list_next_steps(by: Reader, read: Snapshot, now: Now, account_id: UUID) -> NextStepsView:
    """Return what follows for you from what is known of a customer: each with the code of its rule.

    Low satisfaction, needs that are overdue, unowned, owned by somebody who does not cover the account, or without
    evidence, consent nobody asked for, preferences captured more than a year ago.
    """
    profile = await find_profile(read, account_id, at=now, scope=by.scope)
    return NextStepsView.of(profile, derive_next_steps(profile.known))
