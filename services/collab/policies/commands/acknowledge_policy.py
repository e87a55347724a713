"""A rep acknowledges a version of a policy that is in force or to come, once."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.collab.policies.audience import ASKED
from services.collab.policies.commands.lock_policy import lock_policy
from services.collab.policies.queries import AcknowledgementRow
from services.collab.policies.refusals import NotAsked
from services.collab.protocols.obligations.commands.close_obligations import close_obligations
from services.collab.protocols.obligations.obligation import Outcome
from shared.contracts.policies import PolicyAcknowledged
from shared.db.unit_of_work import UnitOfWork

_CONCERNS = text(f"""
SELECT 1 FROM ({ASKED}) AS asked WHERE asked.policy_id = :policy AND asked.version = :version
  AND asked.rep_id = :rep LIMIT 1
""")
_ACKNOWLEDGE = text("""
INSERT INTO acknowledgements (policy_id, version, rep_id, acknowledged_at)
VALUES (:policy, :version, :rep, :now) ON CONFLICT DO NOTHING
""")
_FIND = text("""
SELECT rep_id, version, acknowledged_at FROM acknowledgements
WHERE policy_id = :policy AND version = :version AND rep_id = :rep
""")
_ANSWERED = text("""
DELETE FROM acknowledgement_requests
WHERE policy_id = :policy AND version = :version AND rep_id = :rep RETURNING request_id
""")


@dataclass(frozen=True, slots=True)
class AcknowledgePolicy:
    """Say that a rep read this text; `rep_id` is None where the caller is nobody's rep."""

    code: str
    version: int
    fingerprint: str
    rep_id: UUID | None


async def acknowledge_policy(command: AcknowledgePolicy, uow: UnitOfWork) -> AcknowledgementRow:
    """Acknowledge; again changes nothing. Raises NotFound, VersionReplaced, OtherText or NotAsked."""
    # Held, so that no version is published between the check and the record.
    policy_id, _, policy = await lock_policy(command.code, uow)
    policy.require_acknowledgeable(command.version, command.fingerprint, uow.now)
    rep_id = await _require_concerned(policy_id, command, uow)
    binds = {"policy": policy_id, "version": command.version, "rep": rep_id, "now": uow.now}
    if (await uow.connection.execute(_ACKNOWLEDGE, binds)).rowcount:
        await _announce(policy_id, command.version, rep_id, uow)
    return AcknowledgementRow(**(await uow.connection.execute(_FIND, binds)).mappings().one())


async def _require_concerned(policy_id: UUID, command: AcknowledgePolicy, uow: UnitOfWork) -> UUID:
    if command.rep_id is not None:
        binds = {"policy": policy_id, "version": command.version, "rep": command.rep_id, "now": uow.now}
        if (await uow.connection.execute(_CONCERNS, binds)).one_or_none() is not None:
            return command.rep_id
    raise NotAsked("This version does not concern you: it is acknowledged by reps who cover its territories.")


async def _announce(policy_id: UUID, version: int, rep_id: UUID, uow: UnitOfWork) -> None:
    binds = {"policy": policy_id, "version": version, "rep": rep_id}
    requests = list((await uow.connection.execute(_ANSWERED, binds)).scalars())
    await close_obligations(requests, Outcome.FULFILLED, uow)
    uow.outbox.add(
        PolicyAcknowledged(policy_id=policy_id, version=version, rep_id=rep_id, acknowledged_at=uow.now)
    )
