"""Reading what reps may be certified in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.training.certifications.refusals import UnknownCertification
from services.collab.training.certifications.validity import Terms
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class CertificationRow:
    """A certification with its terms."""

    certification_code: str
    certification_id: UUID
    name: str
    kind: str
    tag: str
    validity_months: int
    renewal_window_days: int
    grace_days: int
    version: int
    changed_at: datetime
    changed_by: str

    @property
    def terms(self) -> Terms:
        """Return for how long awards are valid."""
        return Terms(self.validity_months, self.renewal_window_days, self.grace_days)


_SELECT = f"SELECT {', '.join(CertificationRow.__dataclass_fields__)} FROM certifications"
_FIND = text(f"{_SELECT} WHERE certification_code = :code")
_LIST = text(f"""{_SELECT}
WHERE CAST(:after AS uuid) IS NULL OR certification_id > :after
ORDER BY certification_id LIMIT :limit
""")
_UNKNOWN = text("""
SELECT asked.code FROM unnest(CAST(:codes AS text[])) AS asked (code)
WHERE asked.code NOT IN (SELECT certification_code FROM certifications) ORDER BY asked.code
""")


async def find_certification(read: AsyncConnection, code: str) -> CertificationRow:
    """Return one certification. Raises NotFound."""
    row = (await read.execute(_FIND, {"code": code})).mappings().one_or_none()
    if row is None:
        raise NotFound("certification_code: no certification has that code.")
    return CertificationRow(**row)


async def list_certifications(
    read: AsyncConnection, *, after: UUID | None, limit: int
) -> list[CertificationRow]:
    """Return certifications in the order they were made."""
    rows = await read.execute(_LIST, {"after": after, "limit": limit})
    return [CertificationRow(**row) for row in rows.mappings()]


async def require_certifications(read: AsyncConnection, codes: Collection[str], *, field: str) -> None:
    """Check that certifications have these codes. Raises UnknownCertification."""
    unknown = [row.code for row in await read.execute(_UNKNOWN, {"codes": list(codes)})]
    if unknown:
        raise UnknownCertification(f"{field}: no certification has the code {', '.join(unknown)}.")
