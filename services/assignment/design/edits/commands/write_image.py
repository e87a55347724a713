"""Write what a proposal is after an edit, an undoing or a redoing: where accounts go, and the figures."""

import json
from collections.abc import Mapping
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import text

from services.assignment.design.edits.score import Image
from shared.db.unit_of_work import UnitOfWork

# Who comes back to where the engine would have it is as if never moved.
_MOVE = text("""
UPDATE design_proposal_units AS u SET
    territory_after = m.territory_id,
    territory_proposed = nullif(coalesce(u.territory_proposed, u.territory_after), m.territory_id),
    reason = CASE
        WHEN m.territory_id = u.territory_proposed THEN u.reason_proposed
        WHEN m.territory_id = u.territory_after THEN u.reason
        ELSE 'hand'
    END,
    reason_proposed = CASE
        WHEN m.territory_id = coalesce(u.territory_proposed, u.territory_after) THEN NULL
        ELSE coalesce(u.reason_proposed, u.reason)
    END
FROM unnest(CAST(:account_ids AS uuid[]), CAST(:territory_ids AS uuid[])) AS m (account_id, territory_id)
WHERE u.run_id = :run_id AND u.account_id = m.account_id
""")
_WRITE_TERRITORIES = text("""
UPDATE design_proposal_territories AS t SET
    accounts = i.accounts, gained = i.gained, lost = i.lost, loads = i.loads, latitude = i.latitude,
    longitude = i.longitude, mean_km = i.mean_km, parts = i.parts, broken = i.broken, weight = i.weight, cost = i.cost,
    moved_accounts = i.moved_accounts, moved_value = i.moved_value
FROM jsonb_to_recordset(CAST(:territories AS jsonb)) AS i (
    territory_id uuid, accounts int, gained int, lost int, loads float8[], latitude float8, longitude float8,
    mean_km float8, parts int, broken boolean, weight float8, cost float8, moved_accounts int, moved_value float8
)
WHERE t.run_id = :run_id AND t.territory_id = i.territory_id
""")
_WRITE_TOTALS = text("""
UPDATE design_proposals SET
    feasible = :feasible, why = CAST(:why AS jsonb), deviation = :deviation, mean_km = :mean_km, cost = :cost, gap = :gap,
    moved_accounts = :moved_accounts, moved_share = :moved_share, edited_accounts = :edited_accounts,
    edit_version = edit_version + 1
WHERE run_id = :run_id RETURNING edit_version
""")


async def move_accounts(uow: UnitOfWork, run_id: UUID, places: Mapping[UUID, UUID]) -> None:
    """Have accounts go to territories by hand."""
    await uow.connection.execute(
        _MOVE, {"run_id": run_id, "account_ids": list(places), "territory_ids": list(places.values())}
    )


async def write_image(uow: UnitOfWork, run_id: UUID, image: Image) -> int:
    """Write figures as they are now; return the edit version that makes."""
    await uow.connection.execute(
        _WRITE_TERRITORIES,
        {"run_id": run_id, "territories": json.dumps(to_jsonable_python(image.territories))},
    )
    totals = image.totals
    version: int = (
        await uow.connection.execute(
            _WRITE_TOTALS,
            {
                "run_id": run_id,
                "feasible": totals.feasible,
                "why": json.dumps(to_jsonable_python(totals.why)),
                "deviation": list(totals.deviation),
                "mean_km": totals.mean_km,
                "cost": totals.cost,
                "gap": totals.gap,
                "moved_accounts": totals.moved_accounts,
                "moved_share": totals.moved_share,
                "edited_accounts": totals.edited_accounts,
            },
        )
    ).scalar_one()
    return version
