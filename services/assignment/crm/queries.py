"""Reading what CRMs call our plans, territories and rules."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.crm.references import References
from services.assignment.crm.shapes import System

_KNOWN = text("SELECT kind, external_id, our_id FROM crm_references WHERE system = :system")


async def load_references(read: AsyncConnection, system: System) -> References:
    """Return all references of a CRM."""
    rows = await read.execute(_KNOWN, {"system": system})
    return References(system, {(row.kind, row.external_id): row.our_id for row in rows})
