"""Setting the gate's limits, and recording that a plan went in force against them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.assignment.alignments.gates.gate import SETTABLE, Finding, Limit, Limits
from services.assignment.alignments.gates.queries import GatePolicy, read_policy
from shared.db.sqlstate import UNIQUE_VIOLATION, sqlstate_of
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import VersionMismatch

_SET = text("""
INSERT INTO gate_policies (version, limits, set_at, set_by)
VALUES (:version, CAST(:limits AS jsonb), :now, :actor)
""")
_OVERRIDE = text("""
INSERT INTO gate_overrides (activation_id, override_reason, findings)
VALUES (:activation_id, :reason, CAST(:findings AS jsonb))
""")


@dataclass(frozen=True, slots=True)
class SetGatePolicy:
    """Replace all limits, those of the version that was read."""

    expected_version: int
    limits: Limits


async def set_gate_policy(command: SetGatePolicy, uow: UnitOfWork) -> GatePolicy:
    """Put other limits in force; those before stay on record. Raises VersionMismatch."""
    before = await read_policy(uow.connection)
    if before.version != command.expected_version:
        raise _mismatch(before.version)
    limits: Limits = {check: command.limits.get(check, Limit(None, None)) for check in SETTABLE}
    policy = GatePolicy(before.version + 1, limits, uow.now, uow.actor)
    written = {
        check.value: {"warn": _written(limit.warn), "block": _written(limit.block)}
        for check, limit in limits.items()
    }
    try:
        await uow.connection.execute(
            _SET,
            {
                "version": policy.version,
                "limits": json.dumps(written),
                "now": policy.set_at,
                "actor": policy.set_by,
            },
        )
    except IntegrityError as error:
        if sqlstate_of(error) == UNIQUE_VIOLATION:
            raise _mismatch(policy.version) from None
        raise
    return policy


async def record_override(
    uow: UnitOfWork, activation_id: UUID, reason: str, findings: Iterable[Finding]
) -> None:
    """Record why an activation went through, and past which findings."""
    told = [finding.describe() for finding in findings]
    await uow.connection.execute(
        _OVERRIDE, {"activation_id": activation_id, "reason": reason, "findings": json.dumps(told)}
    )


def _written(limit: object) -> str | None:
    return None if limit is None else str(limit)


def _mismatch(version: int) -> VersionMismatch:
    return VersionMismatch(
        f"If-Match: the gate's limits are at version {version}; read them and decide anew."
    )
