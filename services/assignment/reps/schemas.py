"""Answers about reps."""

from datetime import datetime
from uuid import UUID

from shared.http.bodies import View


class RepView(View):
    """A rep."""

    rep_id: UUID
    external_id: str
    name: str
    postal_code: str | None
    registered_at: datetime
    changed_at: datetime
