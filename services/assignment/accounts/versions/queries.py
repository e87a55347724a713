"""Reading what rules could look at on an account at an instant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_FIND = text("""
SELECT attributes, lower(valid) AS valid_from FROM account_versions
WHERE account_id = :account_id AND valid @> CAST(:at AS timestamptz)
""")


@dataclass(frozen=True, slots=True)
class AccountVersion:
    """What rules saw of an account from an instant on, by the names of the fields."""

    attributes: dict[str, Any]
    valid_from: datetime


async def find_version(read: AsyncConnection, account_id: UUID, *, at: datetime) -> AccountVersion | None:
    """Return what rules could see of an account at an instant; None before it was registered."""
    row = (await read.execute(_FIND, {"account_id": account_id, "at": at})).one_or_none()
    return None if row is None else AccountVersion(row.attributes, row.valid_from)
