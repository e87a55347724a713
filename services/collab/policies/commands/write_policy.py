"""Writing a policy: a draft that may change, and versions that do not."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.collab.policies.commands.lock_policy import lock_policy
from services.collab.policies.policy import Draft, Policy, PolicyVersion
from services.collab.policies.queries import PolicyRow, VersionRow, find_policy, find_version
from services.collab.policies.refusals import UnknownTerritory
from shared.contracts.policies import PolicyPublished
from shared.db.unit_of_work import UnitOfWork
from shared.http.etags import PreconditionRequired
from shared.runtime.ids import new_id
from shared.runtime.refusals import VersionMismatch

_KNOWN = text("SELECT 1 FROM live_closure WHERE territory_id = :territory LIMIT 1")
_CREATE = text("""
INSERT INTO policies (code, policy_id, revision, draft_title, draft_text, draft_roles, draft_territory_id,
    draft_effective_from)
VALUES (:code, :id, 1, :title, :text, :roles, :territory, :effective_from)
ON CONFLICT (code) DO NOTHING RETURNING code
""")
_KEEP = text("""
UPDATE policies SET revision = revision + 1, draft_title = :title, draft_text = :text, draft_roles = :roles,
    draft_territory_id = :territory, draft_effective_from = :effective_from
WHERE code = :code
""")
_CLEAR = text("""
UPDATE policies SET revision = revision + 1, draft_title = NULL, draft_text = NULL, draft_roles = NULL,
    draft_territory_id = NULL, draft_effective_from = NULL
WHERE policy_id = :policy
""")
_PUBLISH = text("""
INSERT INTO policy_versions (policy_id, version, title, text, fingerprint, roles, territory_id, effective_from,
    published_at, published_by)
VALUES (:policy, :version, :title, :text, :fingerprint, :roles, :territory, :effective_from, :now, :actor)
""")


@dataclass(frozen=True, slots=True)
class PutDraft:
    """Say what the next version of a policy would say."""

    code: str
    expected_revision: int | None
    draft: Draft


@dataclass(frozen=True, slots=True)
class PublishPolicy:
    """Make the draft that was read the next version."""

    code: str
    expected_revision: int


async def put_draft(command: PutDraft, uow: UnitOfWork) -> PolicyRow:
    """Keep the draft. Raises UnknownTerritory, PreconditionRequired, NotFound or VersionMismatch."""
    await _require_territory(command.draft.audience.territory_id, uow)
    binds = {**_draft_columns(command.draft), "code": command.code}
    if command.expected_revision is None:
        made = await uow.connection.execute(_CREATE, {**binds, "id": new_id()})
        if made.one_or_none() is None:
            raise PreconditionRequired("If-Match: the policy is there; send the ETag you read.")
    else:
        await _lock(command.code, command.expected_revision, uow)
        await uow.connection.execute(_KEEP, binds)
    return await find_policy(uow.connection, command.code, at=uow.now)


async def publish_policy(command: PublishPolicy, uow: UnitOfWork) -> VersionRow:
    """Publish the draft; everybody it concerns is asked anew.

    Raises NotFound, VersionMismatch, NothingToPublish or EffectiveTooEarly.
    """
    policy_id, policy = await _lock(command.code, command.expected_revision, uow)
    _, published = policy.publish(uow.now)
    columns = _version_columns(published)
    await uow.connection.execute(
        _PUBLISH, {**columns, "policy": policy_id, "now": uow.now, "actor": uow.actor}
    )
    await uow.connection.execute(_CLEAR, {"policy": policy_id})
    uow.outbox.add(
        PolicyPublished(
            policy_id=policy_id,
            version=published.version,
            fingerprint=published.fingerprint,
            roles=published.audience.roles,
            territory_id=published.audience.territory_id,
            effective_from=published.effective_from,
            published_at=uow.now,
        )
    )
    return await find_version(uow.connection, command.code, published.version, at=uow.now)


async def _lock(code: str, expected: int, uow: UnitOfWork) -> tuple[UUID, Policy]:
    policy_id, revision, policy = await lock_policy(code, uow)
    if revision != expected:
        raise VersionMismatch("If-Match: the policy was changed meanwhile; read it again.")
    return policy_id, policy


async def _require_territory(territory_id: UUID | None, uow: UnitOfWork) -> None:
    if territory_id is None:
        return
    if (await uow.connection.execute(_KNOWN, {"territory": territory_id})).one_or_none() is None:
        raise UnknownTerritory("territory_id: the live plan has no such territory; leave it out for all.")


def _draft_columns(draft: Draft) -> dict[str, Any]:
    return {
        "title": draft.title,
        "text": draft.text,
        "roles": list(draft.audience.roles),
        "territory": draft.audience.territory_id,
        "effective_from": draft.effective_from,
    }


def _version_columns(version: PolicyVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "title": version.title,
        "text": version.text,
        "fingerprint": version.fingerprint,
        "roles": list(version.audience.roles),
        "territory": version.audience.territory_id,
        "effective_from": version.effective_from,
    }
