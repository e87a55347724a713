"""A plan at one version over HTTP: what is read of it carries its ETag, what changes it wants that in If-Match.

Its tree and its rules change with it as a whole, so their routes read and change the plan through here.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol, TypeVar
from uuid import UUID

from fastapi import Depends, Response
from pydantic import BaseModel

from services.assignment.plans.commands.revise_draft import DraftAsRead
from services.assignment.plans.queries import PlanSummary, find_plan
from shared.db.unit_of_work import UnitOfWork
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion, etag_of
from shared.http.principal import Principal


class Revised(Protocol):
    """What a change of a draft returns: with the version that it made."""

    @property
    def version(self) -> int:
        """Return the plan's version now."""


C = TypeVar("C")
R = TypeVar("R", bound=Revised)


async def read_plan(read: Snapshot, response: Response, plan_id: UUID) -> PlanSummary:
    """Return the plan that the path names, its version as the answer's ETag. Raises NotFound."""
    plan = await find_plan(read, plan_id)
    response.headers["etag"] = etag_of(plan.version)
    return plan


class Revision:
    """Changes the draft that the path names, at the version that If-Match names."""

    def __init__(self, run: RunCommand, plan_id: UUID, version: ExpectedVersion) -> None:
        self._run = run
        self.draft = DraftAsRead(plan_id, version)

    async def run(
        self,
        handler: Callable[[C, UnitOfWork], Awaitable[R]],
        command: C,
        *,
        by: Principal,
        show: Callable[[R], BaseModel | None],
        status: int = 200,
    ) -> Response:
        """Run `handler(command, uow)` and answer with the version that it made as the ETag."""
        return await self._run.run(
            handler, command, by=by, show=show, status=status, version=lambda revised: revised.version
        )


PlanRead = Annotated[PlanSummary, Depends(read_plan)]
ReviseDraft = Annotated[Revision, Depends()]
