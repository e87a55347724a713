"""When a CRM changed fields of an account: the later change of a field wins, however it comes. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class FieldsChanged:
    """Fields of an account that the CRM changed at an instant, or told as they were then."""

    account_id: UUID
    fields: tuple[str, ...]
    changed_at: datetime
