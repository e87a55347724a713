"""The gate over HTTP: its limits, and what speaks against a plan."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.assignment.alignments.diffs.turns import Turn
from services.assignment.alignments.gates import queries
from services.assignment.alignments.gates.commands import SetGatePolicy, set_gate_policy
from services.assignment.alignments.gates.schemas import GatePolicyBody, GatePolicyView, GateView
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion, etag_of
from shared.http.present import Now
from shared.http.security import Admin, Planner, Reader

router = APIRouter(prefix="/v1", tags=["gate"])


@router.get("/plans/{plan_id}/gate")
async def get_gate(
    _by: Planner, _: Turn, read: Snapshot, now: Now, response: Response, plan_id: UUID
) -> GateView:
    """Tell what speaks against putting the plan in force now, and what to do about it."""
    report = await queries.inspect_plan(read, plan_id, at=now)
    response.headers["etag"] = etag_of(report.version)
    return GateView.of(report)


@router.get("/gate-policy")
async def get_gate_policy(by: Reader, read: Snapshot, response: Response) -> GatePolicyView:
    """Return from which values on the gate warns and blocks."""
    policy = await queries.read_policy(read)
    response.headers["etag"] = etag_of(policy.version)
    return GatePolicyView.of(policy, by)


@router.put("/gate-policy", response_model=GatePolicyView)
async def put_gate_policy(
    by: Admin, run: RunCommand, version: ExpectedVersion, body: GatePolicyBody
) -> Response:
    """Replace the limits of the gate; what is left out neither warns nor blocks."""
    return await run.run(
        set_gate_policy,
        SetGatePolicy(version, body.limits()),
        by=by,
        show=lambda policy: GatePolicyView.of(policy, by),
        version=lambda policy: policy.version,
    )
