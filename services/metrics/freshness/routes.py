"""HTTP: how fresh the figures are."""

from fastapi import APIRouter

from services.metrics.freshness.queries import find_freshness, find_progress
from services.metrics.freshness.schemas import FreshnessView, ProgressView
from shared.http.commands import Snapshot
from shared.http.security import Reader

router = APIRouter(prefix="/v1/freshness", tags=["operations"])


@router.get("")
async def get_freshness(by: Reader, read: Snapshot) -> ProgressView | FreshnessView:
    """Return as of when figures are read.

    Whole-organisation callers also get what was read of each topic, and how much waits to be mended or
    published: these count everybody's facts.
    """
    if by.scope.everything:
        return ProgressView.model_validate(await find_progress(read))
    return FreshnessView.model_validate(await find_freshness(read))
