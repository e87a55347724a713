"""The vocabulary of needs over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.collab.customers.need_kinds import commands, queries
from services.collab.customers.need_kinds.commands import PutNeedKind
from services.collab.customers.need_kinds.schemas import KindCode, NeedKindBody, NeedKindsView, NeedKindView
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import VersionIfSent
from shared.http.problems import describe
from shared.http.security import Planner, Reader

router = APIRouter(prefix="/v1/need-kinds", tags=["customers"])


@router.get("")
async def list_need_kinds(
    _: Reader,
    read: Snapshot,
    retired: Annotated[bool, Query(description="With those no longer in use.")] = False,  # noqa: FBT002
) -> NeedKindsView:
    """List the kinds that needs may have, by code."""
    found = await queries.list_need_kinds(read, retired=retired)
    return NeedKindsView(items=[NeedKindView.model_validate(kind) for kind in found])


@router.put("/{code}", response_model=NeedKindView, responses=describe(428))
async def put_need_kind(
    by: Planner, run: RunCommand, code: KindCode, version: VersionIfSent, body: NeedKindBody
) -> Response:
    """Add a kind of need; to change one, or to retire it, send the If-Match of its version."""
    command = PutNeedKind(code, body.title, body.retired, version)
    return await run.run(
        commands.put_need_kind,
        command,
        by=by,
        show=NeedKindView.model_validate,
        version=lambda kind: kind.version,
    )
