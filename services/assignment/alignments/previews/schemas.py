"""The answer of a preview."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from shared.http.bodies import View


class PreviewView(View):
    """What was announced of a plan."""

    preview_id: UUID
    plan_id: UUID
    plan_version: int = Field(
        description="The version that was previewed; change the plan and preview it again."
    )
    accounts: int
    moved: int = Field(description="Accounts that would change territory.")
    previewed_at: datetime
