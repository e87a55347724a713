"""Answers about reps."""

from datetime import datetime
from uuid import UUID

from shared.http.bodies import View


class RepView(View):
    """A rep, with what makes them fit an account: languages, industries, kinds of needs they look after."""

    rep_id: UUID
    external_id: str
    name: str
    postal_code: str | None
    languages: list[str]
    industries: list[str]
    need_kinds: list[str]
    registered_at: datetime
    changed_at: datetime
