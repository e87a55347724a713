"""Reads of the managed vocabulary of needs: codes that rules, events and reports may rely on."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.customers.need_kinds.refusals import UnknownNeedKind

_LIST = text("""
SELECT code, title, retired, version FROM need_kinds WHERE CAST(:all AS boolean) OR NOT retired ORDER BY code
""")
_USABLE = text("SELECT 1 FROM need_kinds WHERE code = :code AND NOT retired")


@dataclass(frozen=True, slots=True)
class NeedKind:
    """A kind of need; a retired one stays on the needs that have it and is given to no other."""

    code: str
    title: str
    retired: bool
    version: int


async def list_need_kinds(read: AsyncConnection, *, retired: bool) -> list[NeedKind]:
    """Return the vocabulary by code, with the retired kinds if asked for."""
    return [NeedKind(*row) for row in await read.execute(_LIST, {"all": retired})]


async def require_need_kind(read: AsyncConnection, code: str, *, field: str = "kind") -> None:
    """Check that new needs may have this kind. Raises UnknownNeedKind, which names the field."""
    if await read.scalar(_USABLE, {"code": code}) is None:
        raise UnknownNeedKind(f"{field}: not in use; GET /v1/need-kinds lists those that are.")
