"""HTTP: how reps did before and after they were certified."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.metrics.training.queries import find_effects
from services.metrics.training.schemas import EffectsQuery, EffectsView
from shared.http.commands import Snapshot
from shared.http.present import Now
from shared.http.security import Reader

router = APIRouter(prefix="/v1/certification-effects", tags=["training"])


@router.get("")
async def list_certification_effects(
    by: Reader, read: Snapshot, now: Now, query: Annotated[EffectsQuery, Query()]
) -> EffectsView:
    """Compare a metric of reps before and after they were first certified, by cohort, with that of the others."""
    asked = query.asked()
    found = await find_effects(read, asked, today=now.date(), scope=by.scope)
    return EffectsView.of(found, asked)
