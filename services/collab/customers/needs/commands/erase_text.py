"""Takes the text of a need or of its evidence out of wherever this service keeps it; ids and numbers stay."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.collab.customers.needs.commands.keep_needs import lock_need
from services.collab.customers.needs.queries import NeedRow, find_need
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseText:
    """Erase the text of a need, or of one entry of its evidence."""

    account_id: UUID
    need_id: UUID
    scope: Scope
    evidence_id: UUID | None = None


_ERASE_NEED = text(
    "UPDATE needs SET body = NULL, erased_at = coalesce(erased_at, :now) WHERE need_id = :need"
)
_ERASE_EVIDENCE = text("""
UPDATE need_evidence SET body = NULL, erased_at = coalesce(erased_at, :now)
WHERE need_id = :need AND evidence_id = :evidence RETURNING 1
""")
_TOUCH = text("UPDATE needs SET version = :version, changed_at = :now WHERE need_id = :need")
# Any writer may have the answer: each change of a need is answered with all of it. CASE, because other
# routes' answers need not be JSON.
_ANSWERS = text("""
SELECT principal, route, key, response FROM idempotency_keys
WHERE CASE
    WHEN route LIKE '% /v1/accounts/{account_id}/needs%'
    THEN CAST(convert_from(response, 'UTF8') AS jsonb) ->> 'need_id' = :name
    ELSE false
END FOR UPDATE
""")
_REWRITE = text("""
UPDATE idempotency_keys SET response = :response WHERE principal = :principal AND route = :route AND key = :key
""")


async def erase_text(command: EraseText, uow: UnitOfWork) -> NeedRow:
    """Erase; a second time changes nothing but the version. Raises NotFound."""
    need = (await lock_need(uow, command.account_id, command.need_id, scope=command.scope)).touch()
    binds = {"need": need.need_id, "now": uow.now}
    if command.evidence_id is None:
        await uow.connection.execute(_ERASE_NEED, binds)
    else:
        found = await uow.connection.execute(_ERASE_EVIDENCE, {**binds, "evidence": command.evidence_id})
        if found.first() is None:
            raise NotFound("evidence_id: the need has no such evidence.")
    await uow.connection.execute(_TOUCH, {**binds, "version": need.version})
    await _erase_answers(command, uow)
    return await find_need(uow.connection, command.account_id, need.need_id, scope=command.scope)


async def _erase_answers(command: EraseText, uow: UnitOfWork) -> None:
    """Erase the text from answers kept for retries; the rows stay, or a late retry would be carried out again."""
    rows = (await uow.connection.execute(_ANSWERS, {"name": str(command.need_id)})).all()
    for row in rows:
        answer = json.loads(bytes(row.response))
        _blank(answer, command.evidence_id)
        named = {"principal": row.principal, "route": row.route, "key": row.key}
        await uow.connection.execute(_REWRITE, {**named, "response": json.dumps(answer).encode()})


def _blank(answer: dict[str, Any], evidence_id: UUID | None) -> None:
    if evidence_id is None:
        answer["text"] = None
    for entry in answer["evidence"]:
        if entry["evidence_id"] == str(evidence_id):
            entry["text"] = None
