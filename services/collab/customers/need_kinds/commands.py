"""Managing the vocabulary of needs."""

from dataclasses import dataclass

from sqlalchemy import text

from services.collab.customers.need_kinds.queries import NeedKind
from shared.db.unit_of_work import UnitOfWork
from shared.http.etags import PreconditionRequired
from shared.runtime.refusals import VersionMismatch

_LOCK = text("SELECT version FROM need_kinds WHERE code = :code FOR UPDATE")
_PUT = text("""
INSERT INTO need_kinds AS k (code, title, retired) VALUES (:code, :title, :retired)
ON CONFLICT (code) DO UPDATE SET title = excluded.title, retired = excluded.retired, version = k.version + 1
RETURNING code, title, retired, version
""")


@dataclass(frozen=True, slots=True)
class PutNeedKind:
    """Add a kind to the vocabulary, or change its title or whether it is retired."""

    code: str
    title: str
    retired: bool
    expected_version: int | None


async def put_need_kind(command: PutNeedKind, uow: UnitOfWork) -> NeedKind:
    """Add or change a kind. Raises PreconditionRequired or VersionMismatch when there is one already."""
    version = await uow.connection.scalar(_LOCK, {"code": command.code})
    if version is not None and command.expected_version is None:
        raise PreconditionRequired("If-Match: this kind exists; send the ETag of the version you read.")
    if command.expected_version not in {None, version}:
        raise VersionMismatch(f"If-Match: the kind is at version {version or 'none'}; read it again.")
    binds = {"code": command.code, "title": command.title, "retired": command.retired}
    return NeedKind(*(await uow.connection.execute(_PUT, binds)).one())
